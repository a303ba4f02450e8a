import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { endedFromOutside } from './errors.ts'
import { partLaunch, type LaunchConfig } from './launch.ts'
import { placeVariables } from './place-in-group.ts'
import { native } from './tensor/library.ts'

const cli = fileURLToPath(new URL('cli.ts', import.meta.url))
const launchFile = new URL('launch.ts', import.meta.url).href
const member = fileURLToPath(new URL('tensor/group-member.test-helper.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-launch-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = native().openStore === undefined && 'this libtorch has no Gloo'

/** Of a shell that no scheduler has started. */
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !placeVariables.includes(name as never))),
  ...more,
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function ended(child: ChildProcess, onStderr: (text: string) => void = () => undefined): Promise<Ended> {
  return new Promise((resolve) => {
    const texts = { stdout: '', stderr: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      texts.stderr += text
      onStderr(texts.stderr)
    })
    child.on('close', (code) => resolve({ code, ...texts }))
  })
}

const attune = (...words: string[]) => ended(spawn(process.execPath, [cli, ...words], { env: environment() }))

/** A launch of processes that do what `deed` says in `group-member.test-helper.ts`. */
function start(deed: string, settings: Partial<LaunchConfig>, more: NodeJS.ProcessEnv = {}): ChildProcess {
  const config = { processes: 3, nodes: null, nodeRank: null, rendezvous: null, maxRestarts: 0, ...settings }
  const what = { script: member, command: [deed] }
  const program = `
    const { launch } = await import(${JSON.stringify(launchFile)})
    try {
      process.exitCode = await launch(${JSON.stringify(config)}, ${JSON.stringify(what)})
    } catch (error) {
      process.stderr.write(error.message + '\\n')
      process.exitCode = error.exitCode
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', program], { env: environment(more) })
}

test('words behind launch are its flags up to the stage, and that stage’s from there on', () => {
  const command = ['policy', 'dpok', '--out', 'runs/x', '--help']
  assert.deepEqual(partLaunch(['--processes', '4', '--nodes=2', ...command]), {
    own: ['--processes', '4', '--nodes=2'],
    command,
  })
  assert.deepEqual(partLaunch(['--help']), { own: ['--help'], command: [] })
  assert.deepEqual(partLaunch(command).own, [])
})

test('images are the same bytes whatever the number of processes', { skip }, async () => {
  const prompts = join(folder, 'prompts.txt')
  writeFileSync(prompts, 'two red circles\ncrosses\n')
  const words = ['images', 'generate', '--prompts', prompts, '--per-prompt', '5', '--batch-size', '3', '--steps', '2']
  const out = (name: string) => ['--output-latents', '--out', join(folder, name)]
  const files = (name: string) =>
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'manifest.json')
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file.slice(join(folder, name).length), readFileSync(file).toString('base64')])
  const one = await attune(...words, ...out('one'))
  assert.equal(one.code, 0, one.stderr)
  const two = await attune('launch', '--processes', '2', ...words, ...out('two'))
  assert.equal(two.code, 0, two.stderr)
  assert.equal(two.stdout, `${join(folder, 'two')}\n`)
  assert.doesNotMatch(two.stderr, /^\[1\]/m)
  assert.match(two.stderr, /^\[0\] images: 10 images in/m)
  assert.deepEqual(files('two'), files('one'))
})

test('without a GPU there is a process a core, as far as memory goes', { skip }, async () => {
  const { code, stdout, stderr } = await ended(start('all', { processes: null }, { CUDA_VISIBLE_DEVICES: '' }))
  assert.equal(code, 0, stderr)
  const { size } = JSON.parse(stdout) as { size: number }
  assert.ok(size >= 1 && size <= availableParallelism())
  assert.match(stderr, new RegExp(`^launch: ${size} process(es)?, since there is no GPU`, 'm'))
})

test('when a process dies, all end, and it is said which and of what', { skip }, async () => {
  const { code, stderr } = await ended(start('dies', {}))
  assert.equal(code, 1)
  assert.match(stderr, /^\[[01]\] process [01] of 3: .*process 2 \(pid \d+ on .*\) is gone/m)
  assert.match(stderr, /^launch: process 2: expected an end with 0, received SIGKILL — .*\n$/m)
})

test(
  'the complaint of the process that failed first is the last line, and its exit code the launch’s',
  { skip },
  async () => {
    const { code, stderr } = await ended(start('fails', {}))
    assert.equal(code, 2)
    assert.match(stderr, /\nprocess 1: disk: expected space, received none — make some\n$/)
  },
)

test(
  'with --max-restarts all start again with --resume; a fault of the user’s is not tried again',
  { skip },
  async () => {
    const once = await ended(start('diesOnce', { maxRestarts: 1 }))
    assert.equal(once.code, 0, once.stderr)
    assert.match(once.stderr, /^launch: process 1 ended with SIGKILL; all start again \(1 of 1\)$/m)
    assert.deepEqual(JSON.parse(once.stdout), { words: ['diesOnce', '--resume'], sum: [3] })
    const wrong = await ended(start('fails', { maxRestarts: 3 }))
    assert.equal(wrong.code, 2)
    assert.doesNotMatch(wrong.stderr, /start again/)
  },
)

test(
  'a scheduler’s SIGTERM reaches all processes, and the launch ends with what asks for another try',
  { skip },
  async () => {
    const child = start('waits', { maxRestarts: 3 })
    const end = await ended(child, (stderr) => {
      if (stderr.match(/here/g)?.length === 3) child.kill('SIGTERM')
    })
    assert.equal(end.code, endedFromOutside)
    assert.doesNotMatch(end.stderr, /start again/)
  },
)

/** Launches on two machines, here both this one, that meet at a port. */
let meetings = 0
function twoMachines(deed: string, settings: Partial<LaunchConfig> = {}) {
  const rendezvous = `127.0.0.1:${20_000 + ((process.pid * 8 + meetings++) % 10_000)}`
  return (nodeRank: number, more: NodeJS.ProcessEnv = {}) =>
    start(deed, { processes: 1, nodes: 2, nodeRank, rendezvous, ...settings }, more)
}

test('two machines meet at the address of the first', { skip }, async () => {
  const machine = twoMachines('all')
  const [first, second] = await Promise.all([machine(0), machine(1)].map((one) => ended(one)))
  assert.equal(first.code, 0, first.stderr)
  assert.equal(second.code, 0, second.stderr)
  assert.equal((JSON.parse(first.stdout) as { size: number }).size, 2)
})

for (const gone of [0, 1]) {
  test(`when machine ${gone} of two is gone, the other one ends and says so`, { skip }, async () => {
    const machine = twoMachines('works')
    const machines = [machine(0), machine(1)]
    let here = 0
    const isHere = (text: string) => {
      if (text.endsWith('here\n') && ++here === 2) machines[gone].kill('SIGKILL')
    }
    const ends = await Promise.all(machines.map((one) => ended(one, isHere)))
    const other = ends[1 - gone]
    assert.equal(other.code, endedFromOutside, other.stderr)
    assert.match(other.stderr, new RegExp(`process ${gone} \\(pid \\d+ on .*\\) is gone`))
  })

  test(`two machines both start again when a process of machine ${gone} dies`, { skip }, async () => {
    const machine = twoMachines('diesOnce', { maxRestarts: 2 })
    const env = { DIES: String(gone) }
    const [first, second] = await Promise.all([machine(0, env), machine(1, env)].map((one) => ended(one)))
    assert.equal(first.code, 0, first.stderr)
    assert.equal(second.code, 0, second.stderr)
    assert.deepEqual(JSON.parse(first.stdout), { words: ['diesOnce', '--resume'], sum: [2] })
    for (const { stderr } of [first, second]) assert.match(stderr, /all start again \(1 of 2\)/)
  })
}

test('a machine that was started anew meets one that has started its processes again', { skip }, async () => {
  const machine = twoMachines('worksOnce', { maxRestarts: 2 })
  const [first, second] = [machine(0), machine(1)]
  const anew = new Promise<Ended>((resolve) => {
    let here = 0
    const isHere = (text: string) => {
      if (text.endsWith('here\n') && ++here === 2) second.kill('SIGKILL')
    }
    void ended(second, isHere).then(() => resolve(ended(machine(1, { AGAIN: 'yes' }))))
    void ended(first, isHere).then(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(stdout), { sum: [2] })
    })
  })
  const { code, stderr } = await anew
  assert.equal(code, 0, stderr)
})

test('what cannot be launched is refused before anything starts', async () => {
  const refused = async (message: RegExp, ...words: string[]) => {
    const { code, stderr } = await attune('launch', ...words)
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
  }
  await refused(/^launch: expected a stage .*images generate.*, received nothing — /, '--processes', '2')
  await refused(/^launch: .*received feedback import — /, '--processes', '2', 'feedback', 'import')
  await refused(/^launch: .*received images upload — /, '--processes', '2', 'images', 'upload')
  await refused(/^--processes: /, '--processes', '0', 'images', 'generate')
  await refused(/^--rendezvous: .*received nothing/, '--processes', '2', '--nodes', '2', 'images', 'generate')
  await refused(/^--node-rank: /, '--processes', '2', '--nodes', '2', '--node-rank', '2', 'images', 'generate')
})
