/** Jobs that run beside each other, and jobs of several processes, with real processes of the embedded model. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openFeedback } from '../../feedback/store/store.ts'
import { readImageList } from '../../images/image-run.ts'
import { devicesOf } from '../devices/devices.ts'
import { openWorkspace, type Workspace } from '../workspace.ts'
import { JobQueue, type JobOrder } from './job-queue.ts'
import { readJobs } from './job-record.ts'
import { JobViews } from './job-view.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-beside-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function workspaceOf(name: string): Workspace {
  const workspace = openWorkspace(join(folder, name))
  writeFileSync(workspace.at('prompts', 'p.txt'), 'two red circles\nthree crosses\n')
  return workspace
}

function drawing(run: string, perPrompt: number, change: Partial<JobOrder> = {}): JobOrder {
  const config = { prompts: 'prompts/p.txt', perPrompt, batchSize: 2, steps: 10, out: `runs/${run}` }
  const asked = { devices: ['cpu'], workers: 1, needs: [], settings: { perPrompt } }
  return { stage: 'images generate', run, purpose: 'round', ...asked, config, ...change }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 4800 && !isSo(); look++) await wait(50)
  assert.ok(isSo(), 'waited for four minutes')
}
const listed = (workspace: Workspace, run: string) => {
  const file = workspace.at('runs', run, 'images.jsonl')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}
const isGone = (pid: number) => {
  try {
    process.kill(-pid, 0)
    return false
  } catch {
    return true
  }
}

test('several jobs at once are each followed, stopped and taken up again, and their images reach the store together', async () => {
  const workspace = workspaceOf('three')
  await using store = await openFeedback(workspace.at('feedback.sqlite'))
  const done: string[] = []
  const onDone = async ({ run }: { run: string }) => {
    done.push(run)
    const records = readImageList(workspace.at('runs', run, 'images.jsonl'))
    await store.addImages(records, workspace.at('runs', run))
  }
  const devices = devicesOf(null, 2, 1)
  const first = new JobQueue(workspace, devices, { everyMs: 50, onDone })
  // Different prompts, or the images were the same.
  const ids = ['a', 'b', 'c'].map((run, i) => {
    const order = drawing(run, 24, { devices: i === 2 ? ['cuda:0'] : ['cpu'] })
    return first.add({ ...order, config: { ...order.config, seed: i } }).id
  })
  const order = drawing('late', 1, { needs: ['a', 'c'] })
  const late = first.add({ ...order, config: { ...order.config, seed: 3 } })
  await until(() => ['a', 'b', 'c'].every((run) => listed(workspace, run) > 0))
  assert.deepEqual(
    first.all().map(({ state, on }) => [state, ...on]),
    [['running', 'cpu'], ['running', 'cpu'], ['running', 'cuda:0'], ['waiting']],
  )
  first.stop(ids[1])
  first[Symbol.dispose]()

  using second = new JobQueue(workspace, devices, { everyMs: 50, onDone })
  await until(() => second.get(ids[1]).state === 'stopped')
  second.resume(ids[1], { ...drawing('b', 24).config, seed: 1 })
  await until(() => second.all().every(({ state }) => state === 'done'))
  assert.deepEqual(done.toSorted(), ['a', 'b', 'c', 'late'])
  assert.ok(second.get(late.id).startedAt! >= second.get(ids[2]).finishedAt!)
  assert.equal((await store.counts()).images, 3 * 48 + 2)
})

test('a job of two processes is launched, stopped as one, found again and ends as one process would', async () => {
  const workspace = workspaceOf('launched')
  const devices = devicesOf(null, 1, 0)
  const first = new JobQueue(workspace, devices, { everyMs: 50 })
  const { id } = first.add(drawing('a', 40, { devices: null, workers: 2 }))
  const views = new JobViews(workspace, first)
  await until(() => views.brief(first.get(id)).progress !== null)
  assert.equal(views.brief(first.get(id)).progress?.label, 'images')
  const { owner } = first.get(id)
  first[Symbol.dispose]()

  // As if the server had been killed between the start and its record: the run folder names a process of the launch.
  const file = workspace.at('jobs', id, 'job.json')
  writeFileSync(file, JSON.stringify({ ...readJobs(workspace).jobs[0], owner: null }))
  using second = new JobQueue(workspace, devices, { everyMs: 50 })
  if (existsSync('/proc')) assert.deepEqual(second.get(id).owner, owner)
  second.stop(id)
  await until(() => second.get(id).state === 'stopped')
  await until(() => isGone(owner!.pid))
  const before = listed(workspace, 'a')
  assert.ok(before > 0 && before < 80, `${before} images`)

  second.resume(id, drawing('a', 40).config)
  await until(() => listed(workspace, 'a') > before)
  // The launch alone is killed: what it had started goes with it, and the job can go on at once.
  const { pid } = second.get(id).owner!
  process.kill(pid, 'SIGKILL')
  await until(() => second.get(id).state === 'failed')
  await until(() => isGone(pid))
  second.resume(id, drawing('a', 40).config)
  await until(() => second.get(id).state === 'done')

  const alone = second.add(drawing('b', 40))
  await until(() => second.get(alone.id).state === 'done')
  const bytes = (run: string) =>
    readImageList(workspace.at('runs', run, 'images.jsonl')).map(({ sha256, index }) => [index, sha256])
  assert.deepEqual(bytes('a'), bytes('b'))
})

test('what a job of two processes complains of is told as that of one', async () => {
  const workspace = workspaceOf('complains')
  using queue = new JobQueue(workspace, devicesOf(null, 1, 0), { everyMs: 50 })
  const config = { prompts: 'prompts/none.txt', out: 'runs/a' }
  const { id } = queue.add({ ...drawing('a', 1, { workers: 2 }), config })
  await until(() => queue.get(id).state === 'failed')
  assert.match(queue.get(id).error ?? '', /prompts\/none.txt: expected a file/)
})

test('a job that asks for a device that is not there is held, and begins where the studio has it again', async () => {
  const workspace = workspaceOf('missing')
  const order = drawing('a', 1, { devices: ['cuda:0'] })
  {
    using queue = new JobQueue(workspace, devicesOf(null, 1, 0), { everyMs: 50 })
    const { id } = queue.add(order)
    assert.equal(queue.get(id).state, 'held')
    assert.match(queue.get(id).error ?? '', /^It asks for cuda:0, and this studio has cpu: start the studio/)
    assert.throws(() => queue.resume(id, order.config), /one that is held/)
    assert.equal(new JobViews(workspace, queue).brief(queue.get(id)).can.resume, false)
  }
  using queue = new JobQueue(workspace, devicesOf(null, 1, 1), { everyMs: 50 })
  await until(() => queue.all()[0].state === 'done')
  assert.deepEqual(queue.all()[0].on, ['cuda:0'])
})

test('jobs of version 0.1 have the device that they named', () => {
  const workspace = workspaceOf('earlier')
  using queue = new JobQueue(workspace, devicesOf(null, 1, 0), { objection: () => 'not now' })
  for (const run of ['a', 'b', 'c']) queue.add(drawing(run, 1))
  const earlier = [
    { device: 'cpu', settings: {} },
    { device: 'cuda', settings: { device: 'cuda:1' } },
    { device: 'cuda', settings: { device: null }, state: 'running' },
  ]
  for (const [i, { devices: _devices, workers: _workers, on: _on, ...job }] of readJobs(workspace).jobs.entries()) {
    writeFileSync(workspace.at('jobs', job.id, 'job.json'), JSON.stringify({ ...job, ...earlier[i] }))
  }
  assert.deepEqual(
    readJobs(workspace).jobs.map(({ devices, on, workers }) => [devices, on, workers]),
    [
      [['cpu'], ['cpu'], 1],
      [['cuda:1'], ['cuda:1'], 1],
      [null, ['cuda:0'], 1],
    ],
  )
})

test('a GPU that somebody beside the jobs has is given up for one that waits, and not before', async () => {
  const workspace = workspaceOf('guest')
  let gpu: string | undefined = 'cuda:0'
  const asked: string[] = []
  const guest = { gpu: () => gpu, giveUp: () => void asked.push('give up') }
  using queue = new JobQueue(workspace, devicesOf(null, 1, 1), { everyMs: 50, guest })
  queue.look()
  assert.deepEqual(asked, [])
  const { id } = queue.add(drawing('a', 1, { devices: ['cuda:0'] }))
  assert.equal(queue.get(id).state, 'waiting')
  assert.deepEqual(queue.usersOf('cuda:0'), { has: [], wait: ['a'] })
  assert.ok(asked.length > 0)
  gpu = undefined
  queue.look()
  assert.deepEqual(queue.usersOf('cuda:0'), { has: ['a'], wait: [] })
  queue.stop(id)
  await until(() => queue.get(id).state !== 'stopping')
})
