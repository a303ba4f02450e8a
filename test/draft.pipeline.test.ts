/** Gradients of a reward on the embedded world, by the real stage: what they learn, and where they are stopped. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { open } from '../src/open.ts'
import { policySchema, trainPolicy } from '../src/policy/train-policy.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-draft-'))
const at = (name: string) => join(root, name)
after(() => rmSync(root, { recursive: true, force: true }))
writeFileSync(at('prompts.txt'), 'two red circles\nfour blue triangles\none green ring\nthree yellow crosses\n')

async function train(name: string, settings: Readonly<Record<string, unknown>>) {
  const schema = await policySchema('policy draft')
  const given = { prompts: at('prompts.txt'), threads: 1, steps: 5, lastSteps: 5, probeEvery: 4 }
  const { results } = await trainPolicy('policy draft', schema.parse({ ...given, ...settings, out: at(name) }), open)
  const lines = readFileSync(join(at(name), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  const rows = lines.map((line) => JSON.parse(line) as Readonly<Record<string, number>> & { readonly alarm?: string })
  return { results, rows, looks: rows.filter((row) => 'probe_reward' in row) }
}

test('a training whose held-out reward does not fall learns, to its end', async () => {
  const { results, looks } = await train('learns', {
    ...{ reward: 'clip-score', heldOutReward: 'brightness', imagesDrawn: 256, pretrainingWeight: 0.5 },
  })
  const [before, last] = [looks[0], looks.at(-1)!]
  assert.ok(last.probe_reward > before.probe_reward + 0.03, `${before.probe_reward} → ${last.probe_reward}`)
  assert.deepEqual([results.alarms, results.updates, results.stoppedAtStep], [[], 16, undefined])
})

test('a training whose held-out reward falls stops by itself, with the policy of the best look before', async () => {
  const { results, rows } = await train('parts', {
    ...{ reward: 'redness', heldOutReward: 'clip-score', imagesDrawn: 640, pretrainingWeight: 0, learningRate: 4e-3 },
  })
  const last = rows.at(-1)!
  assert.match(last.alarm ?? '', /held-out reward .*, which falls while the trained one does not/)
  assert.ok(last.reward_mean > rows[1].reward_mean)
  assert.deepEqual([results.stoppedAtStep, (results.policyOfStep as number) < last.step], [last.step, true])
  assert.ok(last.step < 40)
})

test('there is no training without a held-out reward, nor by a reward without gradients, nor with looks turned off', async () => {
  const schema = await policySchema('policy draft')
  const given = { prompts: at('prompts.txt'), reward: 'redness', out: at('none') }
  assert.equal(schema.safeParse(given).success, false)
  assert.equal(schema.safeParse({ ...given, heldOutReward: null }).success, false)
  assert.match(schema.shape.heldOutReward.description ?? '', /another run of `reward train`.* or clip-score/)
  await assert.rejects(train('jpeg', { reward: 'jpeg-size', heldOutReward: 'clip-score' }), {
    code: 'config',
    where: '--reward',
    expected: /^a reward that has gradients: a run of `reward train`, .*clip-score/,
    received: 'jpeg-size, which has none',
  })
  await assert.rejects(train('blind', { reward: 'redness', heldOutReward: 'clip-score', probeEvery: 0 }), {
    where: '--probe-every',
  })
})
