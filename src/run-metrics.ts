/** The numbers of a run, a row a step: `metrics.jsonl`, and beside it event files of TensorBoard with the same. */
import { appendFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { sync, writeFileAtomic, writing } from './files.ts'
import type { ProgressStream } from './progress.ts'
import { appendScalars, eventFileName, startEventFile } from './tensorboard.ts'

export const metricsName = 'metrics.jsonl'

/** A row as it is written: the step, and its numbers by their names. */
export type MetricsRow = Readonly<{ step: number } & Record<string, unknown>>

export class RunMetrics {
  readonly #folder: string
  readonly #file: string
  readonly #resumed: boolean
  /** The event file of this process. */
  #events: string | undefined
  #isSynced = true

  constructor(folder: string, resumed: boolean) {
    this.#folder = folder
    this.#file = join(folder, metricsName)
    this.#resumed = resumed
  }

  /** Names of the files that this process has begun. */
  get files(): readonly string[] {
    return [metricsName, ...(this.#events === undefined ? [] : [this.#events])]
  }

  /** @throws {FileError} */
  append({ step, ...rest }: MetricsRow): void {
    const at = new Date()
    const row = JSON.stringify({ step, at: at.toISOString(), ...rest })
    writing(this.#file, () => appendFileSync(this.#file, `${row}\n`))
    if (this.#events === undefined) {
      this.#events = eventFileName(readdirSync(this.#folder), at)
      startEventFile(join(this.#folder, this.#events), at, this.#resumed ? step : undefined)
    }
    appendScalars(join(this.#folder, this.#events), at, step, rest)
    this.#isSynced = false
  }

  /** Puts the rows on the disk. @throws {FileError} */
  sync(): void {
    if (this.#isSynced) return
    for (const name of this.files) sync(join(this.#folder, name))
    sync(this.#folder)
    this.#isSynced = true
  }

  /**
   * Keeps the rows up to a step, whole ones alone, in order and each once. Half a row at the end, and rows of later steps,
   * are what a killed process leaves; what else is wrong, and which steps up to this one have no row, is told.
   *
   * @returns the numbers of the last row that is kept
   * @throws {FileError}
   */
  rewind(step: number, stderr: ProgressStream = process.stderr): Readonly<Record<string, unknown>> {
    const text = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : ''
    const lines = text.split('\n')
    const isTorn = lines.pop() !== ''
    const rows = new Map<number, string>()
    const broken: number[] = []
    lines.forEach((line, place) => {
      const found = stepOf(line)
      if (found === undefined) broken.push(place + 1)
      else if (found <= step && !rows.has(found)) rows.set(found, line)
    })
    const steps = [...rows.keys()].sort((a, b) => a - b)
    const kept = steps.map((one) => `${rows.get(one)}\n`).join('')
    if (isTorn || kept !== text) writeFileAtomic(this.#file, kept)
    const missing = Number.isFinite(step) ? missingSteps(steps, step) : []
    const tell = (told: string) => stderr.write(`note: ${this.#file}: ${told}\n`)
    if (broken.length > 0) tell(`removed what is no row, in line ${listed(broken)}`)
    if (missing.length > 0)
      tell(`there is no row of step ${listed(missing)}: curves have a gap there, the training has none`)
    const { at: _at, ...last } = JSON.parse(rows.get(steps.at(-1) ?? -1) ?? '{}') as Record<string, unknown>
    return last
  }
}

/** The step of a row; undefined where it is no row. */
function stepOf(line: string): number | undefined {
  try {
    const { step } = Object(JSON.parse(line)) as { step?: unknown }
    return Number.isSafeInteger(step) && (step as number) >= 0 ? (step as number) : undefined
  } catch {
    return undefined
  }
}

/** Training has a row for each of its steps, from 1 on. */
function missingSteps(sorted: readonly number[], last: number): number[] {
  const known = new Set(sorted)
  const missing: number[] = []
  for (let step = 1; step <= last; step++) if (!known.has(step)) missing.push(step)
  return missing
}

/** `3, 5 to 9, 12 …` */
function listed(numbers: readonly number[]): string {
  const spans: [number, number][] = []
  for (const one of numbers) {
    const span = spans.at(-1)
    if (span?.[1] === one - 1) span[1] = one
    else spans.push([one, one])
  }
  const shown = spans.slice(0, 5).map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`))
  return shown.join(', ') + (spans.length > shown.length ? ' …' : '')
}
