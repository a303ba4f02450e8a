/** `attune check` as a person runs it, and stops it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const temporary = mkdtempSync(join(tmpdir(), 'attune-check-command-'))
after(() => rmSync(temporary, { recursive: true, force: true }))
const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const tinyCheckpoint = fileURLToPath(new URL('fixtures/stable-diffusion/sd1', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly said: string
  readonly complained: string
}

/** @param stop is shown what was said so far; when it is true, the command gets SIGINT */
async function check(
  words: readonly string[],
  stop: (said: string) => boolean = () => false,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, 'check', ...words], {
    cwd: temporary,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [said, complained, isStopped] = ['', '', false]
  child.stderr.on('data', (chunk) => (complained += String(chunk)))
  child.stdout.on('data', (chunk) => {
    said += String(chunk)
    if (isStopped || !stop(said)) return
    isStopped = child.kill('SIGINT')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said, complained }
}

test('on a checkpoint that would take too long it says how long, and ends with 2', async () => {
  const words = [
    '--model',
    tinyCheckpoint,
    '--resolution',
    '64',
    '--steps',
    '1000',
    '--minutes',
    '0.001',
    '--threads',
    '1',
  ]
  const { code, said, complained } = await check(words)
  assert.equal(code, 2, complained)
  assert.match(said, /^pass +model .* 64 × 64 pixels; .* an image of 1000 steps by itself takes \d+/m)
  assert.match(
    said,
    /^pass +memory .* free beside the model.*\n +64 × 64: images generate takes .* with --batch-size \d/m,
  )
  assert.match(said, /^ +128 × 128: policy dpok takes .* with --batch-size \d+ --transitions-at-once \d+$/m)
  assert.match(said, /^not tried +first ratio +two runs .* about .* — give it --minutes \d+/m)
  assert.match(said, /^not tried +reward +it would take about .* — give it --minutes \d+/m)
  assert.match(complained, /check: expected everything to pass, received not tried: first ratio, resume, reward — /)
  assert.deepEqual(readdirSync(temporary), [])
})

test('on a device that is none it says what a GPU would', async () => {
  const env = {
    ...process.env,
    ATTUNE_ADDON: fileURLToPath(new URL('fake-device/addon.ts', import.meta.url)),
    FAKE_DEVICE_MEMORY: '2000000000',
  }
  const { said, complained } = await check(['--model', tinyCheckpoint, '--minutes', '0.001'], undefined, env)
  assert.match(said, /^pass +gpu +1 GPU .* 2\.0 GB free$/m, complained)
  assert.match(said, /^pass +model .* on cuda:0 in bfloat16, 16 × 16 pixels/m)
  assert.match(said, /^pass +memory +2\.00 GB free .* of the 2\.00 GB of cuda:0\n.* --batch-size 32$/m)
})

test('what is wrong with its settings fails where it is looked at, and the rest is not tried', async () => {
  const { code, said } = await check(['--model', 'no/such-model'])
  assert.equal(code, 2)
  assert.match(said, /^fail +model +no\/such-model: expected .* — download it/m)
  assert.match(said, /^not tried +reward +something before it failed — mend the model or the reward first$/m)
})

test('stopped by ctrl-C it leaves nothing, wherever it stood', async () => {
  for (const line of ['folder', 'memory']) {
    const { code, complained } = await check([], (said) => new RegExp(`^pass +${line}`, 'm').test(said))
    assert.equal(code, 143, complained)
    assert.match(complained, /check: expected to come to its end, received a signal to end — nothing is left of it/)
    assert.equal(existsSync(join(temporary, 'runs')), false)
  }
})
