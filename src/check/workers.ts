/** Processes of a check, one at a time. */
import { runTasks } from '../child-processes.ts'
import type { CheckTask } from './tasks.ts'

const lookEveryMs = 10

export class Workers {
  readonly #script: URL
  readonly #ending: AbortSignal

  /** @param script calls `serveTask` with `doCheckTask` @param ending ends what is under way */
  constructor(script: URL, ending: AbortSignal) {
    this.#script = script
    this.#ending = ending
  }

  /** @throws {ProcessError} with the words of what went wrong in it */
  async run<R>(task: CheckTask): Promise<R> {
    const [{ result }] = await runTasks<CheckTask, R>(this.#script, [task], { atOnce: 1, signal: this.#ending })
    return result
  }

  /** Kills it as soon as `isTime`. @returns whether it had not ended by then */
  async runAndKill(task: CheckTask, isTime: () => boolean): Promise<boolean> {
    const killing = new AbortController()
    const looking = setInterval(() => {
      if (isTime()) killing.abort()
    }, lookEveryMs)
    try {
      const signal = AbortSignal.any([this.#ending, killing.signal])
      await runTasks(this.#script, [task], { atOnce: 1, signal })
      return false
    } catch (error) {
      if (killing.signal.aborted && !this.#ending.aborted) return true
      throw error
    } finally {
      clearInterval(looking)
    }
  }
}
