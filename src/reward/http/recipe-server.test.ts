/** The server of recipes/ in Python, with a formula in the place of PickScore, whose packages are not everywhere. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RewardError } from '../../errors.ts'
import { rand } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { openHttpReward } from '../kinds/http-reward.ts'

const file = fileURLToPath(new URL('../../../recipes/pickscore-server.py', import.meta.url))
/** The width that a PNG says it has, plus what the prompt is. */
const program = `
import runpy
def score(png, prompt):
    if png[:8] != b"\\x89PNG\\r\\n\\x1a\\n" or prompt == "unreadable":
        raise ValueError("cannot be read")
    return int.from_bytes(png[16:20], "big") + float(prompt)
runpy.run_path(${JSON.stringify(file)})["serve"]({"name": "width", "sha256": "1", "comparable": "within a prompt"}, score, 0)
`
const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'ignore'] })
after(() => child.kill())

test('the Python server of the recipes answers our client', async () => {
  using _scope = tensorScope()
  const [told] = (await once(child.stdout, 'data')) as [Buffer]
  const reward = openHttpReward(told.toString().trim(), { timeoutMs: 60_000, retries: 0, firstWaitMs: 1 })
  assert.deepEqual([reward.server?.name, reward.sha256, reward.isWithinPrompt], ['width', '1', true])
  const pixels = rand([40, 3, 4, 12], new Generator(1))
  const prompts = Array.from({ length: 40 }, (_, i) => String(i / 2))
  assert.deepEqual(
    reward.score(pixels, prompts).toArray(),
    prompts.map((prompt) => 12 + Number(prompt)),
  )
  assert.throws(() => reward.score(pixels.slice(0, 0, 2), ['1', 'unreadable']), {
    name: RewardError.name,
    where: /image 2 of 2 \("unreadable"\)/,
    received: 'cannot be read',
  })
})
