import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CommandLanes } from '../command-lanes.ts'
import { runSteps } from './run-steps.ts'
import { isDone, Steps, type Step, type StepSettings } from './steps.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-steps-'))
after(() => rmSync(folder, { recursive: true }))
const prompts = { key: 'prompts', path: 'p.jsonl' }
const options = { title: 'a step', guess: 1 }

test('equal steps are one; what a step is made from is part of its name', () => {
  const steps = new Steps('s')
  const images = (seed: number) => steps.add({ command: 'images generate' }, { prompts, seed }, options)
  const reward = (from: Step) => steps.add({ command: 'reward train' }, { images: [from], epochs: 2 }, options)
  assert.equal(images(1), images(1))
  assert.equal(reward(images(1)), reward(images(1)))
  assert.notEqual(reward(images(1)).key, reward(images(2)).key)
  assert.deepEqual(reward(images(1)).needs, [images(1)])
  assert.equal(steps.all.length, 4)
  const other = new Steps('elsewhere').add(
    { command: 'images generate' },
    { seed: 1, prompts: { ...prompts, path: 'moved.jsonl' } },
    options,
  )
  assert.equal(other.key, images(1).key, 'neither places nor the order of settings count')
})

test('paths stand in the settings of a command where its sources were named', () => {
  const steps = new Steps('s')
  const policy = steps.add({ command: 'policy dpok' }, { prompts }, options)
  const report = steps.add(
    { command: 'report' },
    { policies: [{ name: 'mine', source: policy }], seen: prompts, seed: 3, scorer: null },
    options,
  )
  assert.deepEqual(report.config, {
    policies: [`mine=${policy.path}`],
    seen: 'p.jsonl',
    seed: 3,
    scorer: null,
    out: join(report.folder, 'run'),
  })
  assert.deepEqual(report.needs, [policy])
})

test('a step with all that it needs, in the order of asking', () => {
  const steps = new Steps('s')
  const add = (command: string, ...from: readonly Step[]) => steps.add({ command }, { from }, options)
  const images = add('images generate')
  const reward = add('reward train', images)
  add('policy dpok', reward)
  const report = add('report', reward)
  assert.deepEqual(steps.withNeeds([report]), [images, reward, report])
  assert.deepEqual(steps.withNeeds([]), [])
})

/** Steps are this file's own children: one writes what it was given, one fails. */
const script = new URL('steps-child.test-helper.ts', import.meta.url)
const adder = (steps: Steps) => (title: string, settings: StepSettings) =>
  steps.add({ script }, { title, ...settings }, { title, guess: 1, writes: ['out', 'made.json'] })

test('steps are computed once, in order; what needs a failed one is left out and told', async () => {
  const steps = new Steps(join(folder, 'steps'))
  const add = adder(steps)
  const first = add('first', {})
  const second = add('second', { from: first })
  const bad = add('bad', { fails: true })
  const after = add('after', { from: bad })
  const last = add('last', { from: after })
  using lanes = new CommandLanes(fileURLToPath(script), folder)
  const { failed, isCutOff } = await runSteps(steps.all, lanes, { processes: 2 })
  assert.deepEqual([...failed.keys()].map(({ title }) => title).sort(), ['after', 'bad', 'last'])
  assert.match(failed.get(bad)!, /told to fail/)
  assert.match(failed.get(last)!, /“after”, which failed/)
  assert.equal(isCutOff, false)
  assert.deepEqual([first, second, bad].map(isDone), [true, true, false])
  const read = (step: Step) => JSON.parse(readFileSync(step.path, 'utf8')) as { from?: string; pid: number }
  assert.equal(read(second).from, first.path)

  const before = read(second).pid
  await runSteps(steps.all.slice(0, 2), lanes, { processes: 2 })
  assert.equal(read(second).pid, before, 'not computed again')
})

test('nothing is begun when time is up', async () => {
  const steps = new Steps(join(folder, 'late'))
  const step = adder(steps)('late', {})
  using lanes = new CommandLanes(fileURLToPath(script), folder)
  const { isCutOff, failed } = await runSteps(steps.all, lanes, { processes: 2, until: performance.now() })
  assert.deepEqual([isCutOff, failed.size, isDone(step)], [true, 0, false])
})
