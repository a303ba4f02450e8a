/**
 * Of several processes on one workspace one leads: it runs the jobs and answers admins, of whose work much is in memory.
 * The lead is a lock on the folder of the jobs, which names the process that has it; when that has ended, another one
 * takes it over, and takes up the jobs as after a restart.
 */
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { RunInUseError } from '../../errors.ts'
import { isAlive, lockName, readOwner, takeLock } from '../../run-lock.ts'
import type { Workspace } from '../workspace.ts'

/** Between looks at the process that leads. */
const lookEveryMs = 250

/**
 * Waits until this process leads.
 *
 * @param signal  ends the waiting
 * @returns gives the lead up
 */
export async function takeLead({ at }: Workspace, signal?: AbortSignal): Promise<() => void> {
  const lock = at('jobs', lockName)
  for (;;) {
    const leader = readOwner(lock)
    if (leader === undefined || !isAlive(leader)) {
      try {
        takeLock(at('jobs'))
        return () => rmSync(lock, { force: true })
      } catch (error) {
        // Another one was faster.
        if (!(error instanceof RunInUseError)) throw error
      }
    }
    await pause(lookEveryMs, undefined, { signal, ref: false })
  }
}
