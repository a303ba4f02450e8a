/** Runs a reader on many inputs in processes that are watched, and goes on behind an input that ended one. */
import { fork } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reader } from './readers.ts'
import type { Finding } from './try-inputs.ts'

/** What a worker is told. */
export interface Work {
  readonly name: string
  readonly seed: number
  readonly from: number
  readonly to: number
  /** An empty folder. */
  readonly folder: string
  /** File for the number of the input that is being tried. */
  readonly place: string
}

export const limits = { hangSeconds: 10, memoryBytes: 2 ** 30 } as const
const batch = 20_000

/** @returns findings and how many inputs were tried before the time was over */
export async function watchReader(
  reader: Reader,
  seed: number,
  inputs: number,
  untilMs: number,
): Promise<{ tried: number; findings: Finding[] }> {
  const findings: Finding[] = []
  let from = 0
  while (from < inputs && Date.now() < untilMs && findings.length < 200) {
    const to = Math.min(inputs, from + batch)
    const { next, found } = await watchWork(reader, { name: reader.name, seed, from, to }, untilMs)
    findings.push(...found)
    from = next
  }
  return { tried: from, findings }
}

async function watchWork(
  { name }: Reader,
  work: Omit<Work, 'folder' | 'place'>,
  untilMs: number,
): Promise<{ next: number; found: readonly Finding[] }> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fuzz-'))
  using beside = mkdtempDisposableSync(join(tmpdir(), 'fuzz-progress-'))
  const place = join(beside.path, 'input')
  const child = fork(new URL('worker.ts', import.meta.url), [], {
    execArgv: ['--max-old-space-size=900', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let told = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-4000)))
  let findings: readonly Finding[] | undefined
  child.on('message', (message: readonly Finding[]) => (findings = message))
  child.send({ ...work, folder: folder.path, place })
  let [input, since, reason] = [-1, 0, '']
  const timer = setInterval(() => {
    const now = numberIn(place)
    if (now !== input) [input, since] = [now, workOf(child.pid)]
    if (input >= 0 && workOf(child.pid) - since > limits.hangSeconds) reason = `no end within ${limits.hangSeconds} s`
    else if (memoryOf(child.pid) > limits.memoryBytes) reason = 'more than 1 GiB of memory'
    else if (Date.now() > untilMs + 30_000 || (Date.now() > untilMs && input >= 0)) reason = 'over'
    if (reason !== '') child.kill('SIGKILL')
  }, 100)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  )
  clearInterval(timer)
  if (findings !== undefined) return { next: work.to, found: findings }
  const number = Math.max(work.from, numberIn(place))
  if (reason === 'over') return { next: number, found: [] }
  const what = reason || `the process ended: ${signal ?? code} ${told}`
  return { next: number + 1, found: [{ reader: name, seed: work.seed, number, what }] }
}

function numberIn(file: string): number {
  try {
    return readFileSync(file).readDoubleLE()
  } catch {
    return -1
  }
}

/** Seconds that a process has worked; a busy machine may let it wait for longer. */
function workOf(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return performance.now() / 1000
  }
}

function memoryOf(pid: number | undefined): number {
  try {
    return 1024 * Number(/VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
