/** What a study found, as data: pages and tables are made from it alone. */
import { measures } from '../report/measures/index.ts'
import type { Measure } from '../report/measures/measure.ts'
import { decimal, nats, percentagePoints, plainNumber, whole, type Unit } from '../report/format.ts'
import { subsetInterval, type Interval } from '../report/interval.ts'
import type { Split } from '../report/schema.ts'
import type { Claim, ClaimPart, Coefficients, Look, Study } from './study.ts'
import { judge, verdictOfAll, type Verdict } from './verdict.ts'

/** One measured number of one seed. */
export interface Row {
  readonly arm: string
  readonly seed: number
  readonly measure: string
  readonly split?: Split
  readonly value: number
}

export interface StudyResult {
  readonly study: Study
  readonly seeds: readonly number[]
  /** Titles of the arms, by name, in their order; and where they stand in a sweep. */
  readonly arms: ReadonlyMap<string, { readonly title: string; readonly at?: number }>
  readonly rows: readonly Row[]
  readonly chosen: Readonly<Record<string, Coefficients>>
  /** What was not computed, with its seeds, and why. */
  readonly failures: readonly string[]
}

/** Where and when steps were computed. */
export interface Provenance {
  readonly date: string
  readonly machine: string
  readonly torch: string
  readonly version: string
  /** Of all these steps, on one core each. */
  readonly seconds: number
}

export interface Results {
  readonly results: readonly StudyResult[]
  readonly isSmall: boolean
  /** All runs that the results come from. */
  readonly runs: readonly Provenance[]
}

/** What can be said of a measure of a study. */
interface Measured {
  readonly title: string
  readonly unit: Unit
  readonly better: Measure['better']
  /** Of seeds the least is told, not the mean: other work on the machine only adds to it. */
  readonly isLeast?: true
}

const own: Readonly<Record<string, Measured>> = {
  auc: {
    title: 'AUC on prompts without labels',
    unit: { text: '', write: (value) => decimal(value, 3) },
    better: 'higher',
  },
  'images-drawn': { title: 'Images drawn', unit: { text: '', write: whole }, better: undefined },
  wall: { title: 'Training, least of the seeds', unit: { text: 's', write: whole }, better: undefined, isLeast: true },
}
export const measuredOf = (name: string): Measured => own[name] ?? measures.find((measure) => measure.name === name)!
export const measureNames: readonly string[] = [...Object.keys(own), ...measures.map(({ name }) => name)]

/** The values of an arm, in the order of the seeds that have one. */
export const valuesOf = ({ rows }: Pick<StudyResult, 'rows'>, arm: string, measure: string, split?: Split): number[] =>
  rows.filter((row) => row.arm === arm && row.measure === measure && row.split === split).map(({ value }) => value)

/** Mean over seeds with its 95 % interval; of one seed the value alone; undefined of none. */
export function overSeeds(values: readonly number[]): Interval | undefined {
  if (values.length > 1) return subsetInterval(values)
  return values.length === 1 ? { mean: values[0], low: values[0], high: values[0] } : undefined
}

export interface Column {
  readonly measure: string
  readonly split?: Split
}

/** Columns of the table of a study: what its arms were measured by, in the order of the reports. */
export function columnsOf({ rows }: StudyResult): Column[] {
  const seen = new Map(rows.map(({ measure, split }) => [`${measure} ${split}`, { measure, ...(split && { split }) }]))
  // Paired differences are in the claims.
  return [...seen.values()].filter(({ measure }) => measure !== 'difference-to-base')
}

export const units: Readonly<Record<ClaimPart['unit'], Unit>> = {
  points: percentagePoints,
  number: { ...plainNumber, write: (value) => decimal(value, 3) },
  nats,
}

export interface Seeds {
  readonly measured: number
  readonly all: number
}

/** Seeds that have anything of an arm. */
export const seedsOf = ({ rows, seeds }: StudyResult, arm: string): Seeds => ({
  measured: new Set(rows.filter((row) => row.arm === arm).map(({ seed }) => seed)).size,
  all: seeds.length,
})

export interface PartVerdict {
  readonly part: ClaimPart
  readonly verdict: Verdict
  /** Over seeds; undefined where fewer than two seeds have all that it needs. */
  readonly interval?: Interval
  /** That have all that it needs, and that were asked for. */
  readonly seeds: Seeds
}
export interface ClaimVerdict {
  readonly claim: Claim
  readonly verdict: Verdict
  readonly parts: readonly PartVerdict[]
}

class NotMeasured extends Error {}

export const verdictsOf = (result: StudyResult): ClaimVerdict[] =>
  result.study.claims.map((claim) => {
    const parts = claim.parts.map((part) => verdictOf(result, part))
    return { claim, parts, verdict: verdictOfAll(parts.map(({ verdict }) => verdict)) }
  })

function verdictOf({ rows, seeds }: StudyResult, part: ClaimPart): PartVerdict {
  const values = seeds.flatMap((seed) => {
    const look: Look = (arm, measure, split) => {
      const found = rows.find(
        (row) => row.arm === arm && row.seed === seed && row.measure === measure && row.split === split,
      )
      if (found === undefined) throw new NotMeasured()
      return found.value
    }
    try {
      return [part.of(look)]
    } catch (error) {
      if (error instanceof NotMeasured) return []
      throw error
    }
  })
  const of = { part, seeds: { measured: values.length, all: seeds.length } }
  return values.length < 2 ? { ...of, verdict: 'not measured' } : { ...of, ...judge(values, part.bound ?? 0) }
}
