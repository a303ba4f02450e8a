/** Runs readers on many inputs in processes that are watched, and goes on behind an input that ended one. */
import { fork } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reader } from './readers/reader.ts'
import type { Finding } from './try-inputs.ts'

/** Inputs of one reader: `from` to before `to`. */
interface Share {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** What a worker is told. */
export interface Work {
  readonly seed: number
  /** One after the other. */
  readonly shares: readonly Share[]
  /** An empty folder. */
  readonly folder: string
  /** File for the share and the number of the input that is being tried. */
  readonly place: string
}

/** What a worker tells when it is through with a share. */
export interface Told {
  readonly findings: readonly Finding[]
}

const limits = { hangSeconds: 10, memoryBytes: 2 ** 30 } as const
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
    const { left, found } = await watchWork([{ name: reader.name, from, to }], seed, untilMs)
    findings.push(...found)
    from = left.length > 0 ? left[0].from : to
  }
  return { tried: from, findings }
}

/** Some inputs of each reader, all in one process as long as none ends it: what takes time is to start one. */
export async function watchReaders(
  readers: readonly Reader[],
  seed: number,
  inputs: number,
): Promise<{ tried: number; findings: Finding[] }> {
  const findings: Finding[] = []
  let shares: readonly Share[] = readers.map(({ name }) => ({ name, from: 0, to: inputs }))
  while (shares.length > 0) {
    const { left, found } = await watchWork(shares, seed, Infinity)
    findings.push(...found)
    shares = left
  }
  return { tried: readers.length * inputs, findings }
}

/** @returns what is left to be tried after the process has ended */
async function watchWork(
  shares: readonly Share[],
  seed: number,
  untilMs: number,
): Promise<{ left: readonly Share[]; found: readonly Finding[] }> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fuzz-'))
  using beside = mkdtempDisposableSync(join(tmpdir(), 'fuzz-progress-'))
  const place = join(beside.path, 'input')
  const child = fork(new URL('worker.ts', import.meta.url), [], {
    execArgv: ['--max-old-space-size=900', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let told = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-4000)))
  const found: Finding[] = []
  let through = 0
  child.on('message', ({ findings }: Told) => {
    found.push(...findings)
    through++
  })
  child.send({ shares, seed, folder: folder.path, place } satisfies Work)
  let [input, since, reason] = ['', 0, '']
  const timer = setInterval(() => {
    const now = placeIn(place)
    if (now?.join() !== input) [input, since] = [now?.join() ?? '', workOf(child.pid)]
    if (now !== undefined && workOf(child.pid) - since > limits.hangSeconds) {
      reason = `no end within ${limits.hangSeconds} s`
    } else if (memoryOf(child.pid) > limits.memoryBytes) reason = 'more than 1 GiB of memory'
    else if (Date.now() > untilMs + 30_000 || (Date.now() > untilMs && now !== undefined)) reason = 'over'
    if (reason !== '') child.kill('SIGKILL')
  }, 100)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  )
  clearInterval(timer)
  if (through === shares.length) return { left: [], found }
  const [at, number] = placeIn(place) ?? [0, shares[0].from]
  const [{ name, to }, ...later] = shares.slice(at)
  if (reason === 'over') return { left: [{ name, from: number, to }, ...later], found }
  const what = reason || `the process ended: ${signal ?? code} ${told}`
  found.push({ reader: name, seed, number, what })
  return { left: number + 1 < to ? [{ name, from: number + 1, to }, ...later] : later, found }
}

/** Which share, and which input of it. */
function placeIn(file: string): readonly [share: number, number: number] | undefined {
  try {
    const bytes = readFileSync(file)
    return [bytes.readDoubleLE(), bytes.readDoubleLE(8)]
  } catch {
    return undefined
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
