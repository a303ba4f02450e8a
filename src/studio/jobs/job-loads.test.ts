import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ownerOf } from '../../run-lock.ts'
import { coresBetween, JobLoads, memoryOf, processTree } from './job-loads.ts'
import { recordOf } from './job-record.test-helper.ts'

/** As Linux tells of a process; its name holds what separates the fields. */
function write(root: string, pid: number, { ticks = [0, 0], rss = [0, 0, 0], children = '' }): void {
  const at = (...names: string[]) => join(root, 'proc', String(pid), ...names)
  mkdirSync(at('task', String(pid)), { recursive: true })
  const fields = ['S', 1, pid, pid, 0, -1, 0, 0, 0, 0, 0, ...ticks, 900, 900, 20]
  writeFileSync(at('stat'), `${pid} (a ) (b) ${fields.join(' ')}\n`)
  const [anon, file, shared] = rss
  writeFileSync(
    at('status'),
    `Name:\ta\nVmRSS:\t 9 kB\nRssAnon:\t${anon} kB\nRssFile:\t ${file} kB\nRssShmem:\t${shared} kB\n`,
  )
  writeFileSync(at('task', String(pid), 'children'), children)
}

describe('the load of a job', () => {
  const root = mkdtempSync(join(tmpdir(), 'attune-proc-'))
  after(() => rmSync(root, { recursive: true }))

  test('is that of its process, of those that it has started, and of theirs', () => {
    write(root, 10, { ticks: [100, 50], rss: [1000, 400, 10], children: '11 12 ' })
    write(root, 11, { ticks: [200, 0], rss: [2000, 300, 0], children: '13 ' })
    write(root, 13, { ticks: [10, 0], rss: [30, 0, 0] })
    // 12 has ended meanwhile; 14 is somebody else's.
    write(root, 14, { ticks: [1e6, 0], rss: [1e6, 0, 0] })
    const before = processTree(10, root)
    assert.deepEqual(
      before.map(({ pid, seconds }) => [pid, seconds]),
      [10, 11, 13].map((pid, place) => [pid, [1.5, 2, 0.1][place]]),
    )
    // What they share is counted once.
    assert.equal(memoryOf(before), 1024 * (1000 + 2000 + 30 + 410))
    write(root, 10, { ticks: [150, 100], rss: [1000, 400, 10], children: '11 15' })
    write(root, 15, { ticks: [30, 20], rss: [5, 0, 0] })
    write(root, 11, { ticks: [350, 0], rss: [2000, 300, 0] })
    // 1 s, 1.5 s, and half a second of one that has begun meanwhile, in 2 s.
    assert.equal(coresBetween(before, processTree(10, root), 2), 1.5)
  })

  test('is nothing where no such files are', () => {
    assert.deepEqual(processTree(10, join(root, 'elsewhere')), [])
    assert.equal(memoryOf([]), 0)
  })

  test('is told of a job that runs here, and no more when it does not', { skip: process.platform !== 'linux' }, () => {
    let jobs = [recordOf(1, 'a', { state: 'running', owner: ownerOf(process.pid) })]
    using loads = new JobLoads({ all: () => jobs })
    assert.equal(loads.of('job-1'), null)
    loads.look()
    // What it has done is known from the second look on.
    assert.equal(loads.of('job-1'), null)
    loads.look()
    const load = loads.of('job-1')!
    assert.ok(load.cores >= 0 && load.memoryBytes > 1e7 && load.memoryBytes < load.ofMemoryBytes)
    assert.deepEqual(loads.recent('job-1'), [{ cores: load.cores, memoryBytes: load.memoryBytes }])
    jobs = [recordOf(1, 'a', { state: 'done', owner: ownerOf(process.pid) })]
    loads.look()
    assert.deepEqual([loads.of('job-1'), loads.recent('job-1')], [null, []])
  })

  test('of this process is what it takes', { skip: process.platform !== 'linux' }, () => {
    const [own] = processTree(process.pid)
    assert.ok(own.seconds > 0 && own.ownBytes > 1e6 && own.ownBytes < 1.5 * process.memoryUsage.rss())
  })
})
