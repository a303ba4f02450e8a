import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { hostMemory } from './host-memory.ts'

const temporary = mkdtempSync(join(tmpdir(), 'attune-memory-'))
after(() => rmSync(temporary, { recursive: true, force: true }))
let count = 0

/** A root of file systems with these files. */
function rootOf(files: Readonly<Record<string, string>>): string {
  const root = join(temporary, String(count++))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const machine = {
  'proc/meminfo':
    'MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    9000 kB\nSwapFree:        1000 kB\n',
}

describe('memory that is free on the host', () => {
  test('is what the machine calls available, with its swap', () => {
    assert.deepEqual(hostMemory(rootOf(machine)), { free: 10_240_000, total: 16_384_000, limit: 'the machine' })
  })

  test('is that of the tightest cgroup of version 2, whose pages of files count as free', () => {
    const root = rootOf({
      ...machine,
      'proc/self/cgroup': '0::/slurm/job_7/step:0\n',
      'sys/fs/cgroup/slurm/memory.max': '9000000\n',
      'sys/fs/cgroup/slurm/memory.current': '1000000\n',
      'sys/fs/cgroup/slurm/job_7/memory.max': '8000000\n',
      'sys/fs/cgroup/slurm/job_7/memory.current': '5000000\n',
      'sys/fs/cgroup/slurm/job_7/memory.stat': 'anon 2000000\ninactive_file 1000000\nactive_file 500\n',
      'sys/fs/cgroup/slurm/job_7/step:0/memory.max': 'max\n',
      'sys/fs/cgroup/slurm/job_7/step:0/memory.current': '5000000\n',
    })
    assert.deepEqual(hostMemory(root), { free: 4_000_000, total: 8_000_000, limit: 'a cgroup' })
  })

  test('is that of a container, which sees its own cgroup as the root', () => {
    const root = rootOf({
      ...machine,
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.max': '3000000\n',
      'sys/fs/cgroup/memory.current': '4000000\n',
    })
    assert.deepEqual(hostMemory(root), { free: 0, total: 3_000_000, limit: 'a cgroup' })
  })

  test('is that of a cgroup of version 1, whose largest number is none', () => {
    const limited = (most: string) =>
      rootOf({
        ...machine,
        'proc/self/cgroup': '12:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n1:name=systemd:/docker/ab\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': `${most}\n`,
        'sys/fs/cgroup/memory/memory.usage_in_bytes': '1000000\n',
        'sys/fs/cgroup/memory/memory.stat': 'inactive_file 1\ntotal_inactive_file 200000\n',
      })
    assert.deepEqual(hostMemory(limited('2000000')), { free: 1_200_000, total: 2_000_000, limit: 'a cgroup' })
    assert.equal(hostMemory(limited('9223372036854771712')).limit, 'the machine')
  })

  test('is what `ulimit -v` leaves', () => {
    const root = rootOf({
      ...machine,
      'proc/self/limits':
        'Limit                     Soft Limit           Hard Limit           Units\nMax address space         5120000              unlimited            bytes\n',
      'proc/self/status': 'VmPeak:\t 4000 kB\nVmSize:\t 3000 kB\n',
    })
    assert.deepEqual(hostMemory(root), { free: 2_048_000, total: 5_120_000, limit: '`ulimit -v`' })
  })

  test('is what Node says where no file does, as on a Mac', () => {
    const { free, total, limit } = hostMemory(rootOf({ 'proc/none': '' }))
    assert.ok(free > 0 && free <= total)
    assert.equal(limit, 'the machine')
  })

  test('is something here', () => {
    const { free, total } = hostMemory()
    assert.ok(free > 0 && free < 2 ** 50 && total > 0)
  })
})
