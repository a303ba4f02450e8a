/** Computes the steps of a study, several at once, and goes on past those that fail. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandLanes } from '../command-lanes.ts'
import { ProcessError } from '../errors.ts'
import { clock } from '../progress.ts'
import { manifestName } from '../run-folder.ts'
import { isDone, markDone, secondsOf, writeConfig, type Step } from './steps.ts'

export interface RunStepsOptions {
  /** Steps at once, each a process. */
  readonly processes: number
  /** No step is begun after this moment of `performance.now()`. */
  readonly until?: number
  readonly note?: (text: string) => void
}

/** What became of all steps. */
export interface StepsOutcome {
  /** Steps that ended badly, with their own words. Those that needed them were not begun. */
  readonly failed: ReadonlyMap<Step, string>
  /** Whether time ran out before all were begun. */
  readonly isCutOff: boolean
}

/**
 * Computes what is not done yet, in the order of the list, each as soon as what it needs is there.
 *
 * @param steps those that another needs come before it
 */
export async function runSteps(
  steps: readonly Step[],
  lanes: CommandLanes,
  { processes, until = Infinity, note = () => undefined }: RunStepsOptions,
): Promise<StepsOutcome> {
  const waiting = steps.filter((step) => !isDone(step))
  const total = waiting.length
  const failed = new Map<Step, string>()
  const running = new Map<Step, Promise<void>>()
  const spent = { guessed: 0, measured: 0 }
  const tell = () => {
    const pace = spent.guessed === 0 ? 1 : spent.measured / spent.guessed
    const left = [...waiting, ...running.keys()].reduce((sum, { guess }) => sum + guess, 0) * pace
    const done = total - waiting.length - running.size - failed.size
    note(`study: ${done}/${total} steps, about ${clock(left / processes)} left`)
  }

  while (waiting.length > 0 || running.size > 0) {
    drop(waiting, failed)
    const isOver = performance.now() >= until
    for (let next = nextOf(waiting, running); !isOver && running.size < processes && next >= 0;) {
      const [step] = waiting.splice(next, 1)
      const work = compute(step, lanes)
        .then((seconds) => {
          spent.guessed += step.guess
          spent.measured += seconds
        })
        .catch((error: unknown) => {
          if (!(error instanceof ProcessError)) throw error
          failed.set(step, error.received)
          note(`study: ${step.title} failed: ${error.received}`)
        })
        .finally(() => {
          running.delete(step)
          tell()
        })
      running.set(step, work)
      next = nextOf(waiting, running)
    }
    if (running.size === 0) break
    await Promise.race(running.values())
  }
  return { failed, isCutOff: waiting.length > 0 }
}

/** The first whose needs are all there; -1 without one. */
const nextOf = (waiting: readonly Step[], running: ReadonlyMap<Step, unknown>): number =>
  waiting.findIndex(({ needs }) => needs.every((need) => !running.has(need) && isDone(need)))

/** Takes out what can never begin. */
function drop(waiting: Step[], failed: Map<Step, string>): void {
  for (let i = 0; i < waiting.length;) {
    const lost = waiting[i].needs.find((need) => failed.has(need))
    if (lost === undefined) i++
    else failed.set(waiting.splice(i, 1)[0], `it needs “${lost.title}”, which failed`)
  }
}

/** @returns its wall-clock seconds */
async function compute(step: Step, lanes: CommandLanes): Promise<number> {
  const began = performance.now()
  const { isRun } = step
  const words = ['--config', writeConfig(step), ...(isRun ? ['--resume'] : [])]
  // This process may have been killed after the run was finished.
  if (!isRun || !existsSync(join(step.path, manifestName))) await start(step, words, lanes)
  const seconds = (performance.now() - began) / 1000
  markDone(step, seconds)
  return secondsOf(step)
}

const start = ({ title, program }: Step, words: readonly string[], lanes: CommandLanes): Promise<void> =>
  'command' in program
    ? lanes.run(title, [...program.command.split(' '), ...words])
    : lanes.run(title, words, fileURLToPath(program.script))
