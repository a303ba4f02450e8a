/** Jobs with real processes of the embedded model: they outlive the queue that began them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { StudioError } from '../../errors.ts'
import { readImageList } from '../../images/image-run.ts'
import { devicesOf } from '../devices/devices.ts'
import { openWorkspace, type Workspace } from '../workspace.ts'
import { JobQueue, type JobOrder, type JobQueueOptions } from './job-queue.ts'
import { readJobs, type JobRecord } from './job-record.ts'
import { JobViews } from './job-view.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-jobs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function workspaceOf(name: string): Workspace {
  const workspace = openWorkspace(join(folder, name))
  writeFileSync(workspace.at('prompts', 'p.txt'), 'two red circles\nthree crosses\n')
  return workspace
}
/** Two GPUs that no process looks for, since the embedded model computes on the CPU. */
const machine = devicesOf(null, 1, 2)
const open = (workspace: Workspace, options: JobQueueOptions = {}) =>
  new JobQueue(workspace, machine, { everyMs: 50, ...options })

function drawing(run: string, perPrompt: number): JobOrder {
  const config = { prompts: 'prompts/p.txt', perPrompt, batchSize: 2, steps: 10, out: `runs/${run}` }
  const asked = { devices: ['cpu'], workers: 1, needs: [], settings: { perPrompt } }
  return { stage: 'images generate', run, purpose: 'round', ...asked, config }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 2400 && !isSo(); look++) await wait(50)
  assert.ok(isSo(), 'waited for two minutes')
}
const listed = (workspace: Workspace, run: string) => {
  const file = workspace.at('runs', run, 'images.jsonl')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

test('a job survives a restart, is stopped, resumed and ends as if nothing had been', async () => {
  const workspace = workspaceOf('survives')
  const first = open(workspace)
  const { id } = first.add(drawing('a', 120))
  await until(() => listed(workspace, 'a') > 0)
  first[Symbol.dispose]()

  const done: string[] = []
  using second = open(workspace, { onDone: ({ run }) => Promise.resolve(void done.push(run)) })
  const job = second.get(id)
  assert.equal(job.state, 'running', 'it went on without a server')
  assert.deepEqual(second.get(id).owner, job.owner)
  await until(() => new JobViews(workspace, second).brief(second.get(id)).progress !== null)
  const views = new JobViews(workspace, second)
  const { progress, can } = views.brief(second.get(id))
  assert.deepEqual([progress?.label, progress?.total, progress?.unit], ['images', 240, 'images'])
  assert.deepEqual(can, { stop: true, resume: false, sample: false })
  assert.throws(() => second.sample(id), /a training job that runs/)

  second.stop(id)
  await until(() => second.get(id).state === 'stopped')
  assert.throws(() => second.stop(id), /nothing is left to stop/)
  const before = listed(workspace, 'a')
  assert.ok(before > 0 && before < 240, `${before} images`)
  assert.ok(views.brief(second.get(id)).seconds > 0)

  second.resume(id, drawing('a', 120).config)
  await until(() => listed(workspace, 'a') > before)
  process.kill(-second.get(id).owner!.pid, 'SIGKILL')
  await until(() => second.get(id).state === 'failed')
  assert.match(second.get(id).error ?? '', /without a word/)

  second.resume(id, drawing('a', 120).config)
  await until(() => second.get(id).state === 'done')
  assert.deepEqual(done, ['a'])
  const records = readImageList(workspace.at('runs', 'a', 'images.jsonl'))
  assert.deepEqual(
    records.map(({ index }) => index),
    Array.from({ length: 240 }, (_, i) => i),
  )
  assert.deepEqual(views.detail(second.get(id)).results.images, 240)
  assert.throws(() => second.resume(id, {}), StudioError)
})

test('one after the other on a device, side by side on two', async () => {
  const workspace = workspaceOf('queue')
  using queue = open(workspace)
  const [a, b, c] = [drawing('a', 1), drawing('b', 1), { ...drawing('c', 1), devices: null }].map((order) =>
    queue.add(order),
  )
  assert.deepEqual(
    [a, b, c].map(({ id }) => [queue.get(id).state, queue.ahead(queue.get(id))]),
    [
      ['running', 0],
      ['waiting', 1],
      ['running', 0],
    ],
  )
  const d = queue.add(drawing('d', 1))
  const e = queue.add({ ...drawing('e', 1), devices: ['cuda:1'], needs: ['b'] })
  assert.deepEqual([queue.get(e.id).state, queue.ahead(queue.get(e.id))], ['waiting', 1], 'it is made from b')
  assert.equal(queue.ahead(queue.get(d.id)), 2)
  assert.deepEqual(
    [a, b, c].map(({ id }) => queue.get(id).on),
    [['cpu'], [], ['cuda:0']],
  )
  assert.equal(queue.stop(d.id).state, 'stopped')
  await until(() => queue.all().every(({ state }) => state === 'done' || state === 'stopped'))
  assert.ok(queue.get(b.id).startedAt! >= queue.get(a.id).finishedAt!)
  assert.ok(queue.get(e.id).startedAt! >= queue.get(b.id).finishedAt!)
  assert.throws(() => queue.get('job-99'), /an unknown one/)
})

test('what follows another begins when that has ended well, also where the server was away meanwhile', async () => {
  const workspace = workspaceOf('follows')
  const first = open(workspace)
  const a = first.add(drawing('a', 10))
  const b = first.add({ ...drawing('b', 1), devices: ['cuda:1'], needs: ['a'] })
  assert.deepEqual(first.follows(first.get(b.id)), ['a'])
  await until(() => listed(workspace, 'a') > 0)
  first[Symbol.dispose]()
  await until(() => existsSync(workspace.at('runs', 'a', 'manifest.json')))
  assert.deepEqual(
    readJobs(workspace).jobs.map(({ state }) => state),
    ['running', 'waiting'],
  )
  using second = open(workspace)
  await until(() => second.get(b.id).state === 'done')
  assert.equal(second.get(a.id).state, 'done')
})

test('what follows a job that fails or is stopped is held and says why, until that has come to its end', async () => {
  const workspace = workspaceOf('held')
  const first = open(workspace)
  const a = first.add({ ...drawing('a', 1), config: { prompts: 'prompts/none.txt', out: 'runs/a' } })
  const b = first.add({ ...drawing('b', 1), needs: ['a'] })
  const c = first.add({ ...drawing('c', 1), needs: ['b'] })
  await until(() => first.get(c.id).state === 'held')
  first[Symbol.dispose]()

  using second = open(workspace)
  const views = new JobViews(workspace, second)
  const brief = (id: string) => views.brief(second.get(id))
  assert.equal(second.get(b.id).state, 'held')
  assert.match(
    second.get(b.id).error ?? '',
    /^It is made from a, which has failed \(prompts\/none.txt: expected a file/,
  )
  assert.match(second.get(c.id).error ?? '', /^It is made from b, which is held itself/)
  assert.deepEqual([second.open(), existsSync(workspace.at('runs', 'b'))], [[], false])
  assert.deepEqual(brief(b.id).can, { stop: true, resume: false, sample: false })
  assert.throws(() => second.resume(b.id, {}), /one that is held.*made from a, which has failed/s)
  // Others pass it.
  const d = second.add(drawing('d', 1))
  await until(() => second.get(d.id).state === 'done')

  second.stop(c.id)
  assert.deepEqual([second.get(c.id).state, second.get(c.id).error], ['stopped', null])
  second.resume(a.id, drawing('a', 1).config)
  assert.deepEqual(brief(b.id).follows, ['a'])
  second.stop(a.id)
  await until(() => second.get(a.id).state === 'stopped')
  await until(() => second.get(b.id).state === 'held')
  assert.match(second.get(b.id).error ?? '', /a, which was stopped/)
  second.resume(a.id, drawing('a', 1).config)
  await until(() => second.get(b.id).state === 'done')
  assert.ok(second.get(b.id).startedAt! >= second.get(a.id).finishedAt!)
  assert.equal(second.get(b.id).error, null)
})

test('a job to which there is an objection is held, across restarts, until somebody begins it all the same', async () => {
  const workspace = workspaceOf('objection')
  const objection = ({ run }: JobRecord) => (run === 'b' ? 'a is no better than chance.' : null)
  const first = open(workspace, { objection })
  const b = first.add(drawing('b', 1))
  first[Symbol.dispose]()
  using second = open(workspace, { objection })
  assert.deepEqual([second.get(b.id).state, second.get(b.id).error], ['held', 'a is no better than chance.'])
  assert.ok(second.canResume(second.get(b.id)))
  second.resume(b.id, drawing('b', 1).config)
  await until(() => second.get(b.id).state === 'done')
})

test('a failed job says why, and what comes after a run is done again', async () => {
  const workspace = workspaceOf('fails')
  let attempts = 0
  const onDone = () =>
    attempts++ === 0 ? Promise.reject(new TypeError(`no ${workspace.folder}/x`)) : Promise.resolve()
  using queue = open(workspace, { onDone })
  const wrong = queue.add({ ...drawing('a', 1), config: { prompts: 'prompts/none.txt', out: 'runs/a' } })
  await until(() => queue.get(wrong.id).state === 'failed')
  assert.match(queue.get(wrong.id).error ?? '', /^prompts\/none.txt: expected a file/)

  const { id } = queue.add(drawing('b', 1))
  await until(() => queue.get(id).state === 'failed')
  assert.equal(queue.get(id).error, 'no x')
  queue.resume(id, drawing('b', 1).config)
  await until(() => queue.get(id).state === 'done')
  assert.equal(attempts, 2)
})

test('a process that has the number of an earlier one is not taken for the job, nor ended', async () => {
  const workspace = workspaceOf('strangers')
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
  const { pid } = stranger
  const recorded = (run: string, device: string, owner: object) => {
    const first = open(workspace, { everyMs: 60_000 })
    const { id } = first.add({
      ...drawing(run, 1),
      config: { prompts: 'prompts/none.txt', out: `runs/${run}` },
      devices: [device],
    })
    first[Symbol.dispose]()
    const record = readJobs(workspace).jobs.find((job) => job.id === id)!
    const change = { state: 'stopping', stopAskedAt: '2026-01-01T00:00:00.000Z', owner }
    writeFileSync(workspace.at('jobs', id, 'job.json'), JSON.stringify({ ...record, ...change }))
    return id
  }
  // After a restart of the machine numbers are given anew; in a container it has another name, too.
  const rebooted = recorded('a', 'cuda:0', { pid, host: hostname(), began: 'an-earlier-boot 123' })
  const elsewhere = recorded('b', 'cuda:1', { pid, host: 'an-earlier-container', began: '' })
  using second = open(workspace, { patienceMs: 0 })
  await until(() => [rebooted, elsewhere].every((id) => second.get(id).state === 'stopped'))
  assert.equal(stranger.exitCode ?? stranger.signalCode, null, 'it lives')

  const file = workspace.at('jobs', elsewhere, 'job.json')
  const running = { state: 'running', stopAskedAt: null, owner: { pid, host: 'an-earlier-container', began: '' } }
  writeFileSync(file, JSON.stringify({ ...second.get(elsewhere), ...running }))
  using third = open(workspace)
  await until(() => third.get(elsewhere).state === 'failed')
  assert.match(third.get(elsewhere).error ?? '', /another machine, an-earlier-container: resume it/)
  process.kill(pid!, 'SIGKILL')
})

test('a server that was killed between a start and its record finds the process by its run', async () => {
  const workspace = workspaceOf('adopts')
  const first = open(workspace)
  const { id } = first.add(drawing('a', 100))
  await until(() => listed(workspace, 'a') > 0)
  const { owner } = first.get(id)
  first[Symbol.dispose]()
  const file = workspace.at('jobs', id, 'job.json')
  writeFileSync(file, JSON.stringify({ ...readJobs(workspace).jobs[0], owner: null }))
  using second = open(workspace, { patienceMs: 0 })
  assert.deepEqual(second.get(id).owner, owner)
  second.stop(id)
  await until(() => second.get(id).state === 'stopped')
  appendFileSync(file, '}')
  using third = open(workspace)
  assert.deepEqual([third.all(), third.broken.map(({ name }) => name)], [[], [id]])
  assert.notEqual(third.add({ ...drawing('b', 1), needs: ['a'] }).id, id, 'its number is not given again')
})

test('a report that version 0.1 queued compares the policies that it named', () => {
  const workspace = workspaceOf('earlier')
  using queue = open(workspace, { objection: () => 'not now' })
  const settings = { reward: 'reward-1', rewardWeighted: null, dpok: 'my.dpok', bestOf: 1 }
  queue.add({ ...drawing('report-1', 1), stage: 'report', settings })
  const [{ settings: read }] = readJobs(workspace).jobs
  assert.deepEqual(read, { reward: 'reward-1', policies: ['my.dpok'], bestOf: 1 })
})
