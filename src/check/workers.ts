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
    return this.#untilEnding(this.#ending, async (signal) => {
      const [{ result }] = await runTasks<CheckTask, R>(this.#script, [task], { atOnce: 1, signal })
      return result
    })
  }

  /** Kills it as soon as `isTime`. @returns whether it had not ended by then */
  async runAndKill(task: CheckTask, isTime: () => boolean): Promise<boolean> {
    const killing = new AbortController()
    const looking = setInterval(() => {
      if (isTime()) killing.abort()
    }, lookEveryMs)
    try {
      await this.#untilEnding(AbortSignal.any([this.#ending, killing.signal]), (signal) =>
        runTasks(this.#script, [task], { atOnce: 1, signal }),
      )
      return false
    } catch (error) {
      if (killing.signal.aborted && !this.#ending.aborted) return true
      throw error
    } finally {
      clearInterval(looking)
    }
  }

  /** What a process said that was ended says nothing of what it tried: the reason of the end is thrown, which is no error of ours. */
  async #untilEnding<R>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    this.#ending.throwIfAborted()
    try {
      return await work(signal)
    } catch (error) {
      this.#ending.throwIfAborted()
      throw error
    }
  }
}
