/** How much memory this process can still take of the machine: of its RAM, within the limits that it was started with. */
import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'

/** Bytes of the tightest limit. */
export interface Memory {
  readonly free: number
  readonly total: number
  /** What limits, for messages: `the machine`, `a cgroup`. */
  readonly limit: string
}

/**
 * The tightest of what the machine has, of its cgroups (containers, SLURM) and of `ulimit -v`. Pages that only hold files
 * count as free.
 *
 * @param root of the file systems that tell; other than `/` in tests
 */
export function hostMemory(root = '/'): Memory {
  const limits = [ofMachine(root), ...ofCgroups(root), ...ofAddresses(root)]
  return limits.reduce((tightest, one) => (one.free < tightest.free ? one : tightest))
}

function ofMachine(root: string): Memory {
  const kilobytes = fieldsOf(textOf(root, 'proc/meminfo'))
  const total = kilobytes.get('MemTotal')
  const free = kilobytes.get('MemAvailable')
  const swap = kilobytes.get('SwapFree') ?? 0
  const known = total !== undefined && free !== undefined
  return {
    free: known ? 1024 * (free + swap) : freemem(),
    total: known ? 1024 * total : totalmem(),
    limit: 'the machine',
  }
}

/** Of the process and of all that contain it, of version 2 and of version 1. */
function ofCgroups(root: string): Memory[] {
  const own = (textOf(root, 'proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  return own.flatMap(([number, controllers = '', ...path]) => {
    const isNew = number === '0' && controllers === ''
    if (!isNew && !controllers.split(',').includes('memory')) return []
    const names = path.join(':').split('/').filter(Boolean)
    const mount = isNew ? 'sys/fs/cgroup' : 'sys/fs/cgroup/memory'
    // Where a container sees its own group as the root of all, the path leads nowhere, and the mount is its own.
    return Array.from({ length: names.length + 1 }, (_, depth) => join(mount, ...names.slice(0, depth))).flatMap(
      (folder) => ofCgroup(root, folder, isNew),
    )
  })
}

function ofCgroup(root: string, folder: string, isNew: boolean): Memory[] {
  const numberIn = (name: string) => Number(textOf(root, join(folder, name)) ?? Number.NaN)
  const total = numberIn(isNew ? 'memory.max' : 'memory.limit_in_bytes')
  const used = numberIn(isNew ? 'memory.current' : 'memory.usage_in_bytes')
  // "max", and version 1's largest number of pages, are no limit.
  if (!(total < 2 ** 60) || Number.isNaN(used)) return []
  const stat = fieldsOf(textOf(root, join(folder, 'memory.stat')))
  const files = stat.get(isNew ? 'inactive_file' : 'total_inactive_file') ?? 0
  return [{ free: Math.max(0, total - used + files), total, limit: 'a cgroup' }]
}

/** `ulimit -v`: of addresses, of which a process takes more than of memory. */
function ofAddresses(root: string): Memory[] {
  const [, most] = /^Max address space\s+(\d+)/m.exec(textOf(root, 'proc/self/limits') ?? '') ?? []
  const taken = fieldsOf(textOf(root, 'proc/self/status')).get('VmSize')
  if (most === undefined || taken === undefined) return []
  const total = Number(most)
  return [{ free: Math.max(0, total - 1024 * taken), total, limit: '`ulimit -v`' }]
}

/** `MemTotal:  24576 kB`, `inactive_file 4096` */
function fieldsOf(text = ''): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^(\w+):?\s+(\d+)/gm)].map(([, name, number]) => [name, Number(number)]))
}

function textOf(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}
