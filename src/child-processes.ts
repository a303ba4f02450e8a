/**
 * Tasks in processes of their own, a few at once: networks as small as the embedded ones run fastest with one thread a
 * process. A task and its result travel as JSON.
 */
import { fork } from 'node:child_process'
import { AttuneError, ProcessError, type Complaint, type ExitCode } from './errors.ts'
import { endWithParent, withParent } from './parent-watch.ts'
import { placeOfThis, takePlace, type Standing } from './place-in-group.ts'

type Message<R> =
  | { readonly count: number }
  | { readonly result: R; readonly seconds: number }
  | { readonly complaint: Pick<Complaint, 'where' | 'expected' | 'received' | 'remedy'>; readonly exitCode: ExitCode }

interface TaskResult<R> {
  readonly result: R
  /** Wall-clock time of the task, without the start of its process. */
  readonly seconds: number
}

interface TaskOptions {
  /** Processes at once. */
  readonly atOnce: number
  /** Hears of what a task counts: images drawn. */
  readonly onCount?: (count: number) => void
  /** Ends them. */
  readonly signal?: AbortSignal
}

/**
 * Runs each task in a process that executes `script`, which calls {@link serveTask}. Results are in the order of tasks.
 * When one fails, the others are ended; they end as well when this process is gone. Each computes where this process would:
 * on its device, with its share of the cores.
 *
 * @throws {ProcessError} with the task's own words where it complained
 */
export async function runTasks<T, R>(
  script: URL,
  tasks: readonly T[],
  { atOnce, onCount, signal }: TaskOptions,
): Promise<TaskResult<R>[]> {
  const results: TaskResult<R>[] = []
  const failures: unknown[] = []
  const ending = new AbortController()
  signal?.addEventListener('abort', () => ending.abort(), { once: true })
  let next = 0
  const work = async () => {
    while (next < tasks.length && !ending.signal.aborted) {
      const place = next++
      results[place] = await runTask<T, R>(script, tasks[place], ending.signal, onCount)
    }
  }
  const workers = Array.from({ length: Math.min(atOnce, tasks.length) }, () =>
    work().catch((error: unknown) => {
      failures.push(error)
      ending.abort()
    }),
  )
  await Promise.all(workers)
  if (failures.length > 0) throw failures[0]
  return results
}

function runTask<T, R>(script: URL, task: T, ending: AbortSignal, onCount?: (count: number) => void) {
  return new Promise<TaskResult<R>>((resolve, reject) => {
    const child = fork(script, { execArgv: [], serialization: 'json', env: withParent() })
    const end = () => child.kill('SIGKILL')
    ending.addEventListener('abort', end, { once: true })
    let answer: Message<R> | undefined
    child.on('message', (message: Message<R>) => {
      if ('count' in message) onCount?.(message.count)
      else answer = message
    })
    const failed = (received: string, cause?: unknown) =>
      reject(
        new ProcessError({
          where: script.pathname.split('/').at(-1)!,
          expected: 'a process that ends with a result',
          received,
          remedy: 'see its messages above; the system ends a process when memory runs out',
          cause,
        }),
      )
    child.on('error', (cause) => failed(cause.message, cause))
    child.on('exit', (code, signal) => {
      ending.removeEventListener('abort', end)
      if (answer === undefined) failed(signal === null ? `exit code ${code}` : signal)
      else if ('complaint' in answer) reject(new ProcessError(answer.complaint, answer.exitCode))
      else if ('result' in answer) resolve(answer)
    })
    child.send({ task, place: placeOfThis() })
  })
}

/** The other side: waits for one task, runs it, sends its result and lets the process end. */
export function serveTask<T, R>(run: (task: T, count: (more: number) => void) => Promise<R> | R): void {
  endWithParent()
  const tell = (message: Message<R>) => new Promise<void>((sent) => process.send?.(message, () => sent()))
  process.once('message', ({ task, place }: { task: T; place: Standing }) => {
    takePlace(place)
    const began = performance.now()
    void (async () => {
      try {
        const result = await run(task, (count) => void tell({ count }))
        await tell({ result, seconds: (performance.now() - began) / 1000 })
      } catch (error) {
        if (!(error instanceof AttuneError)) throw error
        const { where, expected, received, remedy, exitCode } = error
        await tell({ complaint: { where, expected, received, remedy }, exitCode })
      }
      process.disconnect()
    })()
  })
  process.once('disconnect', () => process.exit())
}
