import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FileError, FormatError, RunInUseError } from './errors.ts'
import { readRun, startRun, writeFileAtomic } from './run.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-run-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = () => join(root, `run-${made++}`)
const config = { seed: 7, klWeight: 0.01 }
const eventFiles = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('events.out.tfevents.'))

test('a finished run has its config, its metrics and, last, its manifest', () => {
  const folder = fresh()
  using run = startRun({ folder, stage: 'reward train', config, parents: { images: 'runs/images' } })
  run.metrics({ step: 1, loss: 0.5 })
  run.metrics({ step: 2, loss: Number.NaN })
  writeFileAtomic(run.path('head.safetensors'), new Uint8Array([1, 2, 3]))
  mkdirSync(run.path('images'))
  writeFileSync(run.path('images/1.png'), 'png')
  assert.throws(() => readRun(folder), FileError)
  const manifest = run.finish({ auc: 0.9 })
  const [events] = eventFiles(folder)

  assert.deepEqual(readRun(folder), manifest)
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), { stage: 'reward train', ...config })
  const rows = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
  assert.match(rows[0], /^\{"step":1,"at":"\d{4}-\d\d-\d\dT[^"]+Z","loss":0\.5\}$/)
  assert.equal((JSON.parse(rows[1]) as { loss: unknown }).loss, null)
  assert.deepEqual(
    manifest.files.map(({ file }) => file),
    ['config.json', events, 'head.safetensors', 'images/', 'metrics.jsonl'],
  )
  assert.equal(manifest.files[2].sha256, '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
  assert.deepEqual(manifest.files[3], { file: 'images/', bytes: 3, count: 1 })
  assert.deepEqual(manifest.parents, { images: 'runs/images' })
  assert.deepEqual(readdirSync(folder).sort(), [
    'config.json',
    events,
    'head.safetensors',
    'images',
    'manifest.json',
    'metrics.jsonl',
  ])
})

test('a folder that is in use, finished or foreign is refused and left as it was', () => {
  const busy = fresh()
  using run = startRun({ folder: busy, stage: 'report', config })
  assert.throws(() => startRun({ folder: busy, stage: 'report', config }), RunInUseError)
  run.finish()
  assert.throws(() => startRun({ folder: busy, stage: 'report', config }), /holds a finished run/)
  assert.throws(() => startRun({ folder: busy, stage: 'report', config, resume: true }), /holds a finished run/)

  const foreign = fresh()
  mkdirSync(foreign)
  for (const name of ['config.json', 'metrics.jsonl']) writeFileSync(join(foreign, name), '{}')
  assert.throws(
    () => startRun({ folder: foreign, stage: 'report', config }),
    /other files \(config.json, metrics.jsonl\)/,
  )
  assert.deepEqual(readdirSync(foreign).sort(), ['config.json', 'metrics.jsonl'])
})

test('a failed run takes with it what it wrote, and nothing else', () => {
  const folder = fresh()
  {
    using run = startRun({ folder, stage: 'images generate', config })
    writeFileSync(run.path('images.jsonl'), 'half')
    run.metrics({ step: 1, loss: 0.5 })
  }
  assert.equal(existsSync(folder), false)
  {
    using run = startRun({ folder, stage: 'images generate', config })
    writeFileSync(run.path('images.jsonl'), 'half')
    writeFileSync(join(folder, 'notes.txt'), "a person's")
  }
  assert.deepEqual(readdirSync(folder), ['notes.txt'])
})

test('a failed run that keeps something stays, and goes on with the same settings only', () => {
  const options = { folder: fresh(), stage: 'policy dpok', config, resume: false }
  {
    using run = startRun(options)
    run.metrics({ step: 1 })
    writeFileSync(run.path('state.safetensors'), 'state')
    run.keep()
  }
  writeFileSync(join(options.folder, 'metrics.jsonl'), '{"step":2,"lo', { flag: 'a' })
  assert.throws(() => startRun(options), /an unfinished run of policy dpok — go on with it by --resume/)
  const other = { ...options, config: { seed: 8 }, resume: true }
  assert.throws(() => startRun(other), /other settings \(seed 7, not 8; klWeight 0\.01, not nothing\)/)
  assert.throws(() => startRun({ ...options, stage: 'report', resume: true }), /an unfinished run of policy dpok/)
  const later = (given: object) => startRun({ ...options, config: { ...config, ...given }, resume: true })
  assert.throws(() => later({ deterministic: true }), /other settings \(deterministic nothing, not true\)/)
  using run = later({ deterministic: false, policy: null })
  assert.equal(run.resumed, true)
  run.metrics({ step: 2 })
  const steps = readFileSync(run.path('metrics.jsonl'), 'utf8').trimEnd().split('\n')
  assert.deepEqual(
    steps.map((row) => (JSON.parse(row) as { step: number }).step),
    [1, 2],
  )
  assert.equal(readFileSync(run.path('state.safetensors'), 'utf8'), 'state')
  run.finish()
  const [first, second] = eventFiles(options.folder).map((name) => readFileSync(join(options.folder, name)))
  const restart = Buffer.of(0x10, 2, 0x3a, 2, 0x08, 1) // step: 2, session_log: START
  assert.deepEqual([first.includes(restart), second.includes(restart)], [false, true])
})

test('a resumed run that fails takes nothing with it', () => {
  const options = { folder: fresh(), stage: 'images generate', config, resume: true }
  {
    using run = startRun(options)
    writeFileSync(run.path('a.png'), 'first')
    run.keep()
  }
  {
    using run = startRun(options)
    writeFileSync(run.path('a.png'), 'second')
    writeFileSync(run.path('b.png'), 'second')
  }
  assert.deepEqual(readdirSync(options.folder).sort(), ['a.png', 'b.png', 'config.json'])
})

test('what a run folder names is never removed, whatever it names', () => {
  const victim = join(root, 'victim')
  mkdirSync(victim)
  writeFileSync(join(victim, 'letter.txt'), 'dear')
  for (const resume of [undefined, false, true]) {
    const folder = fresh()
    mkdirSync(folder)
    symlinkSync(victim, join(folder, 'link'))
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ stage: 'report', ...config }))
    writeFileSync(join(folder, 'run.files'), `../victim\n${victim}\nlink\nlink/letter.txt\nconfig.json\n`)
    const start = () => startRun({ folder, stage: 'report', config, ...(resume !== undefined && { resume }) }).fail()
    if (resume === true) start()
    else assert.throws(start, RunInUseError)
    assert.equal(readFileSync(join(victim, 'letter.txt'), 'utf8'), 'dear')
    assert.deepEqual(readdirSync(folder).sort(), ['config.json', 'link', 'run.files'])
  }
})

test('what was half-written when a process was killed goes when the run is resumed', () => {
  const options = { folder: fresh(), stage: 'images generate', config, resume: true }
  {
    using run = startRun(options)
    mkdirSync(run.path('images'))
    run.keep()
  }
  const at = (name: string) => join(options.folder, name)
  for (const name of ['images/1.png.0123abcd.partial', 'x.safetensors.00000000.partial', 'run.lock.89abcdef.partial']) {
    writeFileSync(at(name), 'half')
  }
  writeFileSync(at('mine.partial'), "a person's")
  using run = startRun(options)
  assert.deepEqual(readdirSync(options.folder, { recursive: true }).sort(), [
    'config.json',
    'images',
    'mine.partial',
    'run.lock',
  ])
  symlinkSync('nowhere', at('dangling'))
  assert.deepEqual(
    run.finish().files.map(({ file }) => file),
    ['config.json', 'images/', 'mine.partial'],
  )
})

test('what a run depends on is the same when it is resumed', () => {
  const options = { folder: fresh(), stage: 'images generate', config, resume: true }
  {
    using run = startRun(options)
    run.dependsOn({ prompts: 'a', model: 'b' })
    run.keep()
  }
  {
    using run = startRun(options)
    run.dependsOn({ prompts: 'a', model: 'b' })
    assert.throws(() => run.dependsOn({ prompts: 'a', model: 'c' }), /expected the model with which this run began/)
  }
})

async function killedRun(folder: string) {
  const script = `
    import { writeFileSync } from 'node:fs'
    import { startRun } from ${JSON.stringify(new URL('./run.ts', import.meta.url).href)}
    const run = startRun({ folder: ${JSON.stringify(folder)}, stage: 'policy dpok', config: ${JSON.stringify(config)} })
    writeFileSync(run.path('half.png'), 'half')
    console.log('running')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  assert.throws(() => startRun({ folder, stage: 'policy dpok', config }), new RegExp(`process ${child.pid} is writing`))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

test('after kill -9 the lock is taken over by who resumes, and refused to others', async () => {
  const folder = fresh()
  await killedRun(folder)
  assert.throws(() => readRun(folder), /not finished/)
  assert.throws(() => startRun({ folder, stage: 'policy dpok', config }), /which cannot go on — remove it/)
  assert.throws(() => startRun({ folder, stage: 'policy dpok', config, resume: false }), /by --resume/)
  using run = startRun({ folder, stage: 'policy dpok', config, resume: true })
  assert.equal(existsSync(run.path('half.png')), true)
})

test("a later process with a dead owner's number does not keep the lock", () => {
  const folder = fresh()
  mkdirSync(folder)
  const owner = { pid: process.pid, host: 'elsewhere', began: 'before' }
  writeFileSync(join(folder, 'run.lock'), JSON.stringify(owner))
  assert.throws(() => startRun({ folder, stage: 'report', config }), /on elsewhere is writing/)
  if (!existsSync('/proc/self/stat')) return
  const lock = { ...owner, host: readOwnHost() }
  writeFileSync(join(folder, 'run.lock'), JSON.stringify(lock))
  using run = startRun({ folder, stage: 'report', config })
  run.finish()
})

function readOwnHost(): string {
  const folder = fresh()
  using run = startRun({ folder, stage: 'report', config })
  return (JSON.parse(readFileSync(run.path('run.lock'), 'utf8')) as { host: string }).host
}

test('a write that cannot be done is a FileError and leaves nothing', () => {
  const folder = fresh()
  assert.throws(() => writeFileAtomic(join(folder, 'missing', 'a.json'), '{}'), FileError)
  mkdirSync(folder)
  mkdirSync(join(folder, 'a.json'))
  assert.throws(() => writeFileAtomic(join(folder, 'a.json'), '{}'), /a folder where a file should be/)
  assert.deepEqual(readdirSync(folder), ['a.json'])
  if (existsSync('/dev/full')) {
    using run = startRun({ folder: fresh(), stage: 'report', config })
    rmSync(run.path('metrics.jsonl'), { force: true })
    symlinkSync('/dev/full', run.path('metrics.jsonl'))
    assert.throws(() => run.metrics({ step: 1 }), /a full disk/)
  }
})

test('a broken manifest is a FormatError', () => {
  const folder = fresh()
  mkdirSync(folder)
  for (const text of ['{', '{"schema":2}', '[]']) {
    writeFileSync(join(folder, 'manifest.json'), text)
    assert.throws(() => readRun(folder), FormatError)
  }
  assert.throws(() => readRun(fresh()), FileError)
})

test('paths stay inside the run folder', () => {
  using run = startRun({ folder: fresh(), stage: 'report', config })
  for (const name of ['../a', '/etc/a', 'a/../..', '.']) assert.throws(() => run.path(name), FileError)
})
