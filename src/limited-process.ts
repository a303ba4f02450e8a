/**
 * What reads files of strangers, in a process of its own: however much memory or time a file takes, the one that asked
 * goes on. The child is watched from outside, since one that is busy cannot watch itself.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { AttuneError, errorOf, FormatError, ProcessError, type Complaint } from './errors.ts'

export interface Limits {
  /** Of the process: what it really occupies, without what it only reserves. */
  readonly memoryBytes: number
  /** Of work without a sign of life, such as between two images. */
  readonly stalledSeconds: number
  /** Of work in all. */
  readonly seconds?: number
}

interface LimitedOptions {
  /** What is read, for the complaint: the name of a file. */
  readonly where: string
  readonly limits: Limits
  /** Files and folders that are removed when the child is ended, where they were not there before. */
  readonly made?: readonly string[]
}

/** For files of any size: 1 GiB, and of a large file 16 times its size, which JSON can take. */
export function importLimits(file: string): Limits {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  return { memoryBytes: Math.max(2 ** 30, 16 * size), stalledSeconds: 60 }
}

type Message<R> =
  | { readonly result: R }
  | { readonly complaint: Pick<Complaint, 'where' | 'expected' | 'received' | 'remedy'>; readonly code: string }

/**
 * Runs one task in a process that executes `script`, which calls {@link serveLimited}. Task and result travel as structured clones.
 *
 * @throws {FormatError} it took more memory or time than it may, or broke down
 * @throws {AttuneError} what the child complained of
 */
export async function runLimited<T, R>(script: URL, task: T, options: LimitedOptions): Promise<R> {
  const child = limitedFork(script, [], options.limits)
  let answer: Message<R> | undefined
  child.on('message', (message: Message<R> | { readonly alive: true }) => {
    if (!('alive' in message)) answer = message
  })
  child.send({ task })
  const { code, signal } = await watched(child, options)
  if (answer !== undefined && 'result' in answer) return answer.result
  if (answer !== undefined) throw errorOf(answer.code, answer.complaint)
  throw new ProcessError({
    where: options.where,
    expected: 'a process that ends with a result',
    received: signal ?? `exit code ${code}`,
    remedy: 'see its messages above, and please report it',
  })
}

/**
 * Runs the command line of this program once more, within limits; what it prints is printed.
 *
 * @returns what it ended with
 * @throws {FormatError} it took more memory or time than it may, or broke down
 */
export async function runLimitedCommand(
  script: URL,
  argv: readonly string[],
  options: LimitedOptions,
): Promise<number> {
  const { code } = await watched(limitedFork(script, argv, options.limits), options)
  return code ?? 1
}

const marker = 'ATTUNE_LIMITED'

/** Whether this process is the child of {@link runLimitedCommand}: then it shows that it is alive, and ends with its parent. */
export function isLimited(): boolean {
  if (process.env[marker] === undefined || process.send === undefined) return false
  showLife()
  process.channel?.unref()
  process.once('disconnect', () => process.exit())
  return true
}

/** The other side of {@link runLimited}: waits for the task, runs it, sends its result and lets the process end. */
export function serveLimited<T, R>(run: (task: T) => Promise<R>): void {
  showLife()
  const tell = (message: Message<R>) => new Promise<void>((sent) => process.send?.(message, () => sent()))
  process.once('message', ({ task }: { task: T }) => {
    void (async () => {
      try {
        await tell({ result: await run(task) })
      } catch (error) {
        if (!(error instanceof AttuneError)) throw error
        const { where, expected, received, remedy, code } = error
        await tell({ complaint: { where, expected, received, remedy }, code })
      }
      process.disconnect()
    })()
  })
  process.once('disconnect', () => process.exit())
}

function showLife(): void {
  setInterval(() => process.send?.({ alive: true }), 500).unref()
}

function limitedFork(script: URL, argv: readonly string[], { memoryBytes }: Limits): ChildProcess {
  // V8 keeps its heap below this by collecting more often; the rest is for what lies outside of it.
  const heapMegabytes = Math.round(memoryBytes / 2 ** 20 - 256)
  return fork(script, argv, {
    execArgv: [`--max-old-space-size=${heapMegabytes}`],
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, [marker]: '1' },
    serialization: 'advanced',
  })
}

const pollMs = 50
/** How V8 begins what it says of a full heap, which nobody can read. */
const fatal = /\n?<--- Last few GCs|FATAL ERROR|\n?#\s*\n# Fatal/

async function watched(
  child: ChildProcess,
  { where, limits, made = [] }: LimitedOptions,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  const fresh = made.filter((place) => !existsSync(place))
  let isFatal = false
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const at = isFatal ? 0 : text.search(fatal)
    isFatal ||= at >= 0
    process.stderr.write(at < 0 ? text : text.slice(0, at))
  })
  const began = performance.now()
  let aliveAt = 0
  let excess: 'memory' | 'time' | undefined
  child.on('message', () => (aliveAt = workOf(child, began)))
  const timer = setInterval(() => {
    const work = workOf(child, began)
    if (memoryOf(child) > limits.memoryBytes) excess = 'memory'
    else if (work - aliveAt > limits.stalledSeconds || work > (limits.seconds ?? Infinity)) excess = 'time'
    if (excess !== undefined) child.kill('SIGKILL')
  }, pollMs)
  try {
    const ended = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
    const isOurs = excess === undefined && ended.signal === null && ended.code !== 134
    if (isOurs || ['SIGINT', 'SIGTERM', 'SIGHUP'].includes(ended.signal ?? '')) return ended
    for (const place of fresh) {
      for (const ending of ['', '-wal', '-shm']) rmSync(place + ending, { recursive: true, force: true })
    }
    const memory = `${(limits.memoryBytes / 2 ** 30).toFixed(limits.memoryBytes === 2 ** 30 ? 0 : 1)} GiB`
    const isMemory = excess === 'memory' || isFatal || ended.signal === 'SIGKILL' || ended.code === 134
    throw new FormatError({
      where,
      expected: `a file that can be read within ${memory} and ${limits.stalledSeconds} s`,
      received:
        excess === 'time'
          ? 'one that takes longer'
          : isMemory
            ? 'one that takes more memory'
            : `one that ends the process (${ended.signal})`,
      remedy: 'split it, or save it again with the program that it is from; nothing was added',
    })
  } finally {
    clearInterval(timer)
  }
}

/** Seconds that the processors have worked for a child; where the system does not tell, those that have passed. */
function workOf({ pid }: ChildProcess, began: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name of the program, which may hold spaces, the twelfth and thirteenth fields, in 1/100 s.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return (performance.now() - began) / 1000
  }
}

/** Bytes in memory; 0 where the system does not tell: V8's own limit holds there alone. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    const [, kilobytes] = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return 1024 * Number(kilobytes ?? 0)
  } catch {
    return 0
  }
}
