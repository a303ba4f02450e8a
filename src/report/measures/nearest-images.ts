/** The neighbourhoods of a set's images and of true ones, which four measures share. */
import { tensorScope } from '../../tensor/scope.ts'
import type { Interval, ValuesByPrompt } from '../interval.ts'
import { bootstrapMean } from '../interval.ts'
import { neighbourhoods, type Neighbourhoods } from '../neighbourhoods.ts'
import { isJudged, referenceOf } from '../report-facts.ts'
import type { Report } from '../schema.ts'
import { bootstrapOf, type EvaluatedSet, type Measure } from './measure.ts'

/** As Naeem et al. 2020 have it. */
export const neighbours = 5

const found = new WeakMap<EvaluatedSet, Neighbourhoods>()

/** Each set is looked at once. */
function neighbourhoodsOf(set: EvaluatedSet): Neighbourhoods {
  const earlier = found.get(set)
  if (earlier !== undefined) return earlier
  using _scope = tensorScope()
  const now = neighbourhoods(set.features, set.wanted, neighbours)
  found.set(set, now)
  return now
}

/** What precision, recall, density and coverage are said of. */
export const trueImagesOf = (report: Report): string =>
  isJudged(report) ? 'true renders of the prompts, the same for every policy' : referenceOf(report)

/** The mean over images of one of them, with the interval over prompts (of true images from elsewhere, over these). */
export function nearestImages(
  which: keyof Neighbourhoods,
): Pick<Measure, 'of' | 'lack'> & { of(set: EvaluatedSet): Interval } {
  const isOfTrueImages = which === 'recall' || which === 'coverage'
  return {
    lack({ features, wanted }) {
      const least = Math.min(features.shape[0], wanted.shape[0])
      return least > neighbours
        ? undefined
        : `it takes more than ${neighbours} images of each kind, and there are ${least}`
    },
    of(set) {
      const values = neighbourhoodsOf(set)[which]
      const hasPrompts = !isOfTrueImages || set.measuredBy === 'judge'
      return bootstrapMean(hasPrompts ? byPrompt(set, values) : [values], bootstrapOf(set))
    },
  }
}

function byPrompt({ prompts }: EvaluatedSet, values: readonly number[]): ValuesByPrompt {
  const perPrompt = values.length / prompts.length
  return prompts.map((_, p) => values.slice(p * perPrompt, (p + 1) * perPrompt))
}
