/** Who may begin on which devices, with records alone. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from '../../random.ts'
import { devicesOf } from '../devices/devices.ts'
import { aheadOf, deviceLack, demandOf, turnsOf } from './device-turns.ts'
import type { JobRecord } from './job-record.ts'
import { recordOf } from './job-record.test-helper.ts'

const machine = devicesOf(null, 1, 4)
const [zero, one, two, three] = ['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3']

/** By runs: `{ a: ['cuda:0'] }`. */
function turns(jobs: readonly JobRecord[], devices = machine): Record<string, readonly string[]> {
  const runs = new Map(jobs.map(({ id, run }) => [id, run]))
  return Object.fromEntries([...turnsOf(jobs, devices)].map(([id, on]) => [runs.get(id)!, on]))
}
const waits = (number: number, run: string, devices: string[] | null, change: Partial<JobRecord> = {}) =>
  recordOf(number, run, { devices, ...change })
const runs = (number: number, run: string, on: string[], change: Partial<JobRecord> = {}) =>
  recordOf(number, run, { devices: on, on, state: 'running', ...change })

describe('devices of jobs', () => {
  it('are the first that are free, or those that were named', () => {
    const jobs = [waits(1, 'a', null), waits(2, 'b', null), waits(3, 'c', [three]), waits(4, 'd', ['cpu'])]
    assert.deepEqual(turns(jobs), { a: [zero], b: [one], c: [three], d: ['cpu'] })
    assert.deepEqual(turns([runs(1, 'a', [zero]), waits(2, 'b', null, { workers: 2 })]), { b: [one, two] })
  })

  it('are the CPU where there is no GPU, which one job has at a time unless more are allowed', () => {
    const jobs = [waits(1, 'a', null), waits(2, 'b', null, { workers: 2 }), waits(3, 'c', null)]
    assert.deepEqual(turns(jobs, devicesOf(null, 1, 0)), { a: ['cpu'] })
    assert.deepEqual(turns(jobs, devicesOf(null, 3, 0)), { a: ['cpu'], b: ['cpu'] })
    assert.deepEqual(turns(jobs, devicesOf(null, 4, 0)), { a: ['cpu'], b: ['cpu'], c: ['cpu'] })
    // Of a job with more processes than there are places it takes all of them, and no more.
    assert.deepEqual(turns([waits(1, 'a', null, { workers: 8 })], devicesOf(null, 2, 0)), { a: ['cpu'] })
  })

  it('go to those behind a job that needs others', () => {
    const jobs = [runs(1, 'a', [zero]), waits(2, 'b', [zero]), waits(3, 'c', [one]), waits(4, 'd', null)]
    assert.deepEqual(turns(jobs), { c: [one], d: [two] })
  })

  it('are kept for a job that needs several of them, which others do not pass', () => {
    const busy = runs(1, 'a', [one])
    const jobs = [busy, waits(2, 'b', [zero, one]), waits(3, 'c', [zero]), waits(4, 'd', null), waits(5, 'e', null)]
    assert.deepEqual(turns(jobs), { d: [two], e: [three] })
    const any = [busy, waits(2, 'b', null, { workers: 4 }), waits(3, 'c', null), waits(4, 'd', [three])]
    assert.deepEqual(turns(any), {})
    const ended = any.filter((job) => job !== busy)
    assert.deepEqual(turns(ended), { b: [zero, one, two, three] })
  })

  it('are kept for nobody who still follows another job', () => {
    const jobs = [
      waits(1, 'policy', [zero], { needs: ['reward'] }),
      runs(2, 'reward', ['cpu']),
      waits(3, 'round', [zero]),
      waits(4, 'report', ['cpu'], { needs: ['policy'] }),
    ]
    assert.deepEqual(turns(jobs), { round: [zero] })
    assert.deepEqual(turns(jobs.filter(({ run }) => run !== 'reward')), { policy: [zero] })
  })

  it('are found where a job was stopped and resumed, and stands behind the one that follows it', () => {
    const jobs = [
      waits(1, 'policy', ['cpu'], { needs: ['reward'] }),
      waits(3, 'round', ['cpu']),
      waits(4, 'reward', ['cpu']),
    ]
    assert.deepEqual(turns(jobs), { round: ['cpu'] })
    assert.deepEqual(turns(jobs.slice(0, 1).concat(jobs[2])), { reward: ['cpu'] })
  })

  it('that are not there hold a job, which says so', () => {
    assert.equal(deviceLack({ devices: [zero, 'cpu'], workers: 1 }, machine), null)
    assert.match(
      deviceLack({ devices: ['cuda:7'], workers: 1 }, machine)!,
      /^It asks for cuda:7, and this studio has cuda:0, /,
    )
    assert.match(deviceLack({ devices: null, workers: 5 }, machine)!, /^It asks for 5 GPUs/)
    assert.equal(deviceLack({ devices: null, workers: 5 }, devicesOf(null, 1, 0)), null)
    assert.match(deviceLack({ devices: ['cpu'], workers: 1 }, devicesOf([zero], 1, 1))!, /has cuda:0: start/)
    // One that runs goes on where the studio was started again with fewer of them.
    assert.deepEqual(turns([runs(1, 'a', ['cuda:7']), waits(2, 'b', null)]), { b: [zero] })
  })

  it('come to every job in the end, and none has two jobs at a time, whatever is asked for', () => {
    for (let seed = 0; seed < 40; seed++) {
      const draws = random(seed)
      const below = (count: number) => draws.integer(0, count - 1)
      const devices = devicesOf(null, 1 + below(3), below(5))
      const names = devices.map(({ id }) => id)
      let jobs = Array.from({ length: 30 }, (_, i): JobRecord => {
        const named = draws.shuffle(names.filter((id) => id !== 'cpu')).slice(0, 1 + below(3))
        const asked = below(3) === 0 || named.length === 0 ? [null, ['cpu']][below(2)] : named
        const workers = asked === null ? 1 + below(Math.max(1, names.length - 1)) : asked.length
        return waits(i + 1, `run-${i}`, asked, { workers, needs: i > 2 && below(4) === 0 ? [`run-${i - 2}`] : [] })
      })
      while (jobs.length > 0) {
        for (const [id, on] of turnsOf(jobs, devices)) {
          jobs = jobs.map((job) => (job.id === id ? { ...job, state: 'running', on: [...on] } : job))
        }
        const running = jobs.filter(({ state }) => state === 'running')
        assert.ok(running.length > 0, `seed ${seed}: ${jobs.length} jobs wait for ever`)
        for (const { id, slots } of devices) {
          const taken = running.filter(({ on }) => on.includes(id)).map((job) => demandOf(job, devices).slots)
          assert.ok(taken.reduce((sum, one) => sum + one, 0) <= slots, `${id} of seed ${seed}`)
        }
        // Whoever has waited longest is next where nobody who runs is in its way.
        const [first] = jobs.filter(
          ({ state, needs }) => state === 'waiting' && !jobs.some(({ run }) => needs.includes(run)),
        )
        if (first !== undefined)
          assert.ok(running.some(({ on }) => on.some((id) => demandOf(first, devices).from.includes(id))))
        const [ending] = draws.shuffle(running)
        jobs = jobs.filter((job) => job !== ending)
      }
    }
  })
})

describe('the jobs before another', () => {
  const ahead = (job: JobRecord, all: readonly JobRecord[], devices = machine) =>
    aheadOf(job, all, devices).map(({ run }) => run)

  it('make what it needs, on whatever device and however late they were queued', () => {
    const policy = waits(1, 'dpok-1', ['cpu'], { needs: ['reward-1'] })
    const report = waits(2, 'report-1', [zero], { needs: ['dpok-1'] })
    const round = waits(3, 'round-2', ['cpu'])
    // It was stopped and resumed, and so stands last.
    const reward = waits(4, 'reward-1', ['cpu'])
    const all = [policy, report, round, reward]
    assert.deepEqual(ahead(policy, all), ['reward-1'])
    assert.deepEqual(ahead(report, all), ['dpok-1', 'reward-1'])
    assert.deepEqual(ahead(round, all), [])
    assert.deepEqual(ahead(reward, all), ['round-2'])
  })

  it('have a device that it could take, or come before it there', () => {
    const all = [
      runs(1, 'a', [zero]),
      runs(2, 'b', ['cpu']),
      waits(3, 'c', [zero], { needs: ['a'] }),
      waits(4, 'd', [one]),
      waits(5, 'e', [zero]),
      waits(6, 'f', null),
      waits(7, 'g', [one]),
    ]
    assert.deepEqual(ahead(all[4], all), ['a', 'c'])
    assert.deepEqual(ahead(all[6], all), ['d', 'f'])
    assert.deepEqual(ahead(all[3], all), [])
  })
})
