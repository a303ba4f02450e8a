/** What a check of a machine finds of one thing. */
import { AttuneError } from '../errors.ts'

export interface Finding {
  /** What was looked at: `machine`, `resume`. */
  readonly name: string
  readonly state: 'pass' | 'fail' | 'not tried'
  /** What is so, or why not, as one line. */
  readonly said: string
  /** What to do; absent of what passes. */
  readonly remedy?: string
  /** Lines of figures. */
  readonly more?: readonly string[]
}

export const pass = (name: string, said: string): Finding => ({ name, state: 'pass', said })
export const fail = (name: string, said: string, remedy: string): Finding => ({ name, state: 'fail', said, remedy })
export const notTried = (name: string, said: string, remedy: string): Finding => ({
  ...{ name, state: 'not tried', said, remedy },
})

/** Of an error with its own words; others pass on. */
export function failedBy(name: string, error: unknown): Finding {
  if (!(error instanceof AttuneError)) throw error
  const { where, expected, received, remedy } = error
  return fail(name, `${where}: expected ${expected}, received ${received}`, remedy)
}

/** `fail       resume       … — do this`, and its figures below. */
export function linesOf({ name, state, said, remedy, more = [] }: Finding): string[] {
  const line = `${state.padEnd(10)} ${name.padEnd(12)} ${said}${remedy === undefined ? '' : ` — ${remedy}`}`
  return [line, ...more.map((figures) => ' '.repeat(24) + figures)]
}

/** `40 minutes`, `7 hours`, `36 days` */
export function durationText(seconds: number): string {
  const [unit, size] = seconds < 7200 ? ['minute', 60] : seconds < 172_800 ? ['hour', 3600] : ['day', 86_400]
  const count = Math.max(1, Math.round(seconds / Number(size)))
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
