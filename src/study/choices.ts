/** Which coefficients a study takes: what the rule says of its own reports, or what a file says of the same candidates. */
import { isDeepStrictEqual } from 'node:util'
import { hashOfJson } from '../content-hash.ts'
import { FormatError } from '../errors.ts'
import type { Found, KnownResults } from './known-results.ts'
import { findingsOf, tuningReport } from './recipes.ts'
import { isDone, type Step } from './steps.ts'
import type { Bench, Coefficients, Tuning } from './study.ts'
import { choose } from './tuning.ts'

/** A tuning with the reports that decide it. */
interface Tuned {
  readonly name: string
  /** Equal ones choose between the same candidates, measured alike. */
  readonly key: string
  readonly candidates: readonly TunedCandidate[]
}
interface TunedCandidate {
  readonly coefficients: Coefficients
  readonly report: Step
}

export function tunedSteps(tuning: Tuning, bench: Bench): Tuned {
  const candidates = tuning.candidates.map((coefficients) => ({
    coefficients,
    report: tuningReport(bench, tuning.name, tuning.train(bench, coefficients)),
  }))
  return { name: tuning.name, key: hashOfJson(candidates.map(({ report }) => report.key)).slice(0, 16), candidates }
}

/**
 * @param failed of candidates that failed nothing is known
 * @returns undefined where not all others are measured yet, and no file knows
 * @throws {FormatError} a file says something that was no candidate
 */
export function choiceOf(
  { name, key, candidates }: Tuned,
  known: KnownResults,
  failed: ReadonlyMap<Step, string> = new Map(),
): Found<Coefficients> | undefined {
  const own = ownChoice(candidates.filter(({ report }) => !failed.has(report)))
  if (own !== undefined) return own
  const found = known.chosen.get(key)
  if (found === undefined || candidates.some(({ coefficients }) => isDeepStrictEqual(coefficients, found.value))) {
    return found
  }
  throw new FormatError({
    where: `${found.file} chosen.${name}`,
    expected: `one of ${candidates.map(({ coefficients }) => JSON.stringify(coefficients)).join(', ')}`,
    received: JSON.stringify(found.value),
    remedy: 'give the file as `study` wrote it',
  })
}

/** By the rule. */
function ownChoice(candidates: readonly TunedCandidate[]): Found<Coefficients> | undefined {
  if (candidates.length === 0 || !candidates.every(({ report }) => isDone(report))) return undefined
  const looks = candidates.map(({ report }) => {
    const of = (policy: string, measure: string) =>
      findingsOf(report, policy).find((finding) => finding.measure === measure)!.interval!
    return {
      reward: of('policy', 'mean-reward'),
      frechet: of('policy', 'frechet').mean,
      base: of('base', 'frechet').mean,
    }
  })
  const { coefficients } = candidates[choose(looks, looks[0].base)]
  return { value: coefficients, steps: candidates.map(({ report }) => report), runs: [] }
}
