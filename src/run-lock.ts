/** The lock of a run folder: a file that names the process that writes there. */
import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RunInUseError } from './errors.ts'
import { partialName, writing } from './files.ts'

export const lockName = 'run.lock'

/**
 * Takes the lock of a run folder. It is made under another name and linked, so it is never seen half-written and only one
 * process gets it; the lock of a process that has ended is taken over.
 *
 * @throws {RunInUseError} another process has it
 * @throws {FileError} the folder cannot be written
 */
export function takeLock(folder: string): void {
  const lock = join(folder, lockName)
  const mine = `${lock}.${randomUUID().slice(0, 8)}.partial`
  writing(lock, () => writeFileSync(mine, JSON.stringify(ownerOf())))
  try {
    for (;;) {
      try {
        linkSync(mine, lock)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = readOwner(lock)
      if (owner !== undefined && isAlive(owner)) {
        const elsewhere = owner.host === hostname() ? '' : ` on ${owner.host}`
        throw new RunInUseError({
          where: folder,
          expected: 'a run folder that nobody writes',
          received: `one that process ${owner.pid}${elsewhere} is writing`,
          remedy: `wait for it, choose another folder, or remove ${lock} if that process is gone`,
        })
      }
      // Of several processes that see a dead owner only one moves the lock; one that moved a living owner's puts it back.
      const stale = `${mine}.stale`
      try {
        renameSync(lock, stale)
      } catch {
        continue
      }
      const moved = readOwner(stale)
      if (moved !== undefined && isAlive(moved) && !existsSync(lock)) renameSync(stale, lock)
      rmSync(stale, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** Removes what processes have left that were killed while they took the lock. */
export function removeStaleLocks(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(`${lockName}.`) && partialName.test(one))) {
    const owner = readOwner(join(folder, name))
    if (owner === undefined || !isAlive(owner)) rmSync(join(folder, name), { force: true })
  }
}

/** A process, so that it can be told from a later one with the same number. */
export interface Owner {
  readonly pid: number
  readonly host: string
  /** When it began; empty where /proc is missing. */
  readonly began: string
}

/** Who a process is; by default this one. */
export const ownerOf = (pid: number = process.pid): Owner => ({ pid, host: hostname(), began: beginOf(pid) })

function beginOf(pid: number): string {
  try {
    // The 22nd field: start in clock ticks since boot. The second one, a name, may hold spaces and brackets.
    const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? ''
    // It has ended, but nobody has asked for its exit code yet.
    if (after.startsWith('Z')) return 'ended'
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${after.split(' ')[19]}`
  } catch {
    return ''
  }
}

/** A process of another machine counts as alive, since nothing can be known of it. */
export function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return owner.began === '' || beginOf(owner.pid) === owner.began
}

/** The process that a lock names; undefined where there is no lock. */
export function readOwner(lock: string): Owner | undefined {
  try {
    const { pid, host, began } = JSON.parse(readFileSync(lock, 'utf8')) as Partial<Owner>
    const isOwner = Number.isInteger(pid) && Number(pid) > 0 && typeof host === 'string' && typeof began === 'string'
    return isOwner ? ({ pid, host, began } as Owner) : undefined
  } catch {
    return undefined
  }
}
