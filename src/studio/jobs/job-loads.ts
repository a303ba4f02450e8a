/** What running jobs take of the machine, as /proc tells it: cores and memory of all their processes. On other systems nothing is told. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { hostMemory } from '../../host-memory.ts'
import type { JobLoad } from '../schemas/jobs.ts'
import { runsHere } from './job-process.ts'
import type { JobQueue } from './job-queue.ts'
import { isActive } from './queue-order.ts'

/** Three small files a process. */
const everyMs = 2000
/** Of which three minutes are kept. */
const mostKept = 90
/** Linux tells times in these, whatever its clock does. */
const ticksPerSecond = 100

interface Process {
  readonly pid: number
  readonly seconds: number
  /** Its own, and what it may share with the others: files, such as libtorch. */
  readonly ownBytes: number
  readonly sharedBytes: number
}

/**
 * A process and all that it has started, and these.
 *
 * @param root of the file system that tells; other than `/` in tests
 */
export function processTree(pid: number, root = '/'): Process[] {
  const text = (name: string) => readFileSync(join(root, 'proc', String(pid), name), 'utf8')
  try {
    const stat = text('stat')
    // After the name of the program, which may hold spaces: user and system time are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const bytes = new Map([...text('status').matchAll(/^(Rss\w+):\s+(\d+) kB/gm)].map(([, name, kB]) => [name, 1024 * Number(kB)])) // prettier-ignore
    const of = (name: string) => bytes.get(name) ?? 0
    const own: Process = {
      pid,
      seconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      ownBytes: of('RssAnon'),
      sharedBytes: of('RssFile') + of('RssShmem'),
    }
    const children = text(`task/${pid}/children`).split(' ').filter(Boolean).map(Number)
    return [own, ...children.flatMap((child) => processTree(child, root))]
  } catch {
    // It has ended in this moment, or this system has no such files.
    return []
  }
}

/** Pages that several processes share are counted once. */
export const memoryOf = (tree: readonly Process[]): number =>
  tree.reduce((sum, { ownBytes }) => sum + ownBytes, 0) + Math.max(0, ...tree.map(({ sharedBytes }) => sharedBytes))

/** Cores that a tree has kept busy on average since an earlier look, `seconds` ago. */
export function coresBetween(before: readonly Process[], now: readonly Process[], seconds: number): number {
  const earlier = new Map(before.map((one) => [one.pid, one.seconds]))
  const spent = now.reduce((sum, one) => sum + Math.max(0, one.seconds - (earlier.get(one.pid) ?? 0)), 0)
  return spent / seconds
}

interface Watched {
  at: number
  tree: readonly Process[]
  cores: number | null
  readonly recent: { readonly cores: number; readonly memoryBytes: number }[]
}

export class JobLoads implements Disposable {
  readonly #queue: Pick<JobQueue, 'all'>
  readonly #watched = new Map<string, Watched>()
  #memoryBytes = 0
  readonly #timer: NodeJS.Timeout

  constructor(queue: Pick<JobQueue, 'all'>) {
    this.#queue = queue
    this.#timer = setInterval(() => this.look(), everyMs).unref()
  }

  /** Looks at the processes of jobs that run here. Called by a timer. */
  look(): void {
    const running = this.#queue.all().filter(isActive).filter(runsHere)
    const isOpen = new Set(running.map(({ id }) => id))
    for (const id of this.#watched.keys()) if (!isOpen.has(id)) this.#watched.delete(id)
    if (running.length > 0) this.#memoryBytes = hostMemory().total
    for (const { id, owner } of running) this.#see(id, processTree(owner.pid))
  }

  /** Null of a job that does not run here, and before it was seen for a moment. */
  of(id: string): JobLoad | null {
    const seen = this.#watched.get(id)
    if (seen === undefined || seen.cores === null) return null
    return {
      cores: seen.cores,
      ofCores: availableParallelism(),
      memoryBytes: memoryOf(seen.tree),
      ofMemoryBytes: this.#memoryBytes,
    }
  }

  /** The last minutes of it, the oldest first. */
  recent(id: string): readonly { readonly cores: number; readonly memoryBytes: number }[] {
    return this.#watched.get(id)?.recent ?? []
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #see(id: string, tree: readonly Process[]): void {
    const now = performance.now()
    const before = this.#watched.get(id)
    if (tree.length === 0) return
    if (before === undefined) {
      this.#watched.set(id, { at: now, tree, cores: null, recent: [] })
      return
    }
    before.cores = coresBetween(before.tree, tree, (now - before.at) / 1000)
    before.at = now
    before.tree = tree
    before.recent.push({ cores: before.cores, memoryBytes: memoryOf(tree) })
    if (before.recent.length > mostKept) before.recent.shift()
  }
}
