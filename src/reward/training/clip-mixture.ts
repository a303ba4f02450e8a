/**
 * How much say a head has beside the CLIP score. A head that was fitted to few labels judges new prompts worse than the CLIP
 * score, which was never fitted to them; one that was fitted to many, better. So the reward is a mixture of both,
 *
 *   logit r(x, z) = a h(x, z) + b cos(x, z) + o,   a ≥ 0, b ≥ 0,
 *
 * whose three numbers (with log ν of Davidson's model where there are comparisons) are found from the answers of people on
 * prompts that h had not seen (folds.ts): stacked generalisation with weights that are not negative (Wolpert 1992; Breiman
 * 1996, Stacked Regressions). A part has a say where it is proven to have one: its most probable weight must be above 0 at the
 * level of 1 %, with a standard error over prompts. Where the head is not, b is the most probable one of the CLIP score alone.
 * Few answers so leave the order of images to the CLIP score, and many take the head nearly as they find it. With the parts
 * scaled to a standard deviation of 1, what is believed before any answer is a = 0 ± 1, b = 1 ± 1/2 and o = 0 ± 1.
 */
import { mean, standardDeviation } from 'simple-statistics'
import { withoutGrad } from '../../tensor/autograd.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { imageRows, textRows, type Embedded } from '../encoding/embeddings.ts'
import type { Comparison, Label, RewardExamples } from '../examples/reward-examples.ts'
import { headLogit, type ClipMixture, type RewardHead } from '../heads/reward-head.ts'
import { fitChoices, standardError, type Choice } from './conditional-logit.ts'
import { outcomes } from './davidson.ts'
import { likelyNu, type FittedReward } from './fit-head.ts'

/** Standard errors that a weight must be above 0. */
const proof = 2.326
/** Lowest b, scaled, where it is alone: the CLIP score never counts against an image. */
const leastClip = 0.1

/** What varies less is rounding. */
const leastSpread = 1e-6

/** Of an image for its prompt. */
interface Parts {
  /** Logit of a head that has not seen the prompt. */
  readonly head: number
  /** Cosine of the embeddings. */
  readonly clip: number
}

/** Examples with what a head, that has not seen them, and the CLIP score say of them. */
export interface Foretold {
  readonly labels: readonly (Parts & Pick<Label, 'text' | 'good'>)[]
  readonly comparisons: readonly (Pick<Comparison, 'text' | 'isTie' | 'weight'> & {
    readonly better: Parts
    readonly worse: Parts
  })[]
}

/** A reward with what the CLIP score has to say in it. */
export interface Mixed extends FittedReward {
  /** Standard deviation of the logit's part of the CLIP score, as a share of the sum of both: 1 where the head says nothing. */
  readonly clipShare: number
}

/** @param head that has not seen them; without it there is the CLIP score alone */
export function foretell(embedded: Embedded, { labels, comparisons }: RewardExamples, head?: RewardHead): Foretold {
  const rows = [
    ...labels,
    ...comparisons.map(({ better, text }) => ({ image: better, text })),
    ...comparisons.map(({ worse, text }) => ({ image: worse, text })),
  ]
  if (rows.length === 0) return { labels: [], comparisons: [] }
  using _scope = tensorScope()
  const images = imageRows(embedded, rows.map(({ image }) => image)) // prettier-ignore
  const texts = textRows(embedded, rows.map(({ text }) => text)) // prettier-ignore
  const logits = head && withoutGrad(() => headLogit(head, images, texts)).toArray()
  const cosines = images.mul(texts).sum(1).toArray()
  const parts = rows.map((_, i) => ({ head: logits?.[i] ?? 0, clip: cosines[i] }))
  const [n, m] = [labels.length, comparisons.length]
  return {
    labels: labels.map(({ text, good }, i) => ({ ...parts[i], text, good })),
    comparisons: comparisons.map(({ text, isTie, weight }, i) => ({
      better: parts[n + i],
      worse: parts[n + m + i],
      text,
      isTie,
      weight,
    })),
  }
}

/**
 * The same head with its say.
 * @param told    by heads of the same settings
 * @param without all examples, with the CLIP score alone, for where nothing could be foretold
 */
export function mixWithClip(fitted: FittedReward, told: readonly Foretold[], without: Foretold): Mixed {
  const all = {
    labels: told.flatMap(({ labels }) => labels),
    comparisons: told.flatMap(({ comparisons }) => comparisons),
  }
  const { mixture, nu, clipShare } = mixtureOf(all.labels.length + all.comparisons.length > 0 ? all : without)
  return { head: { ...fitted.head, mixture }, nu: fitted.nu === null ? null : (nu ?? fitted.nu), clipShare }
}

/** @returns ν null without comparisons */
export function mixtureOf({ labels, comparisons }: Foretold): {
  readonly mixture: ClipMixture
  readonly clipShare: number
  readonly nu: number | null
} {
  const images = [...labels, ...comparisons.flatMap(({ better, worse }) => [better, worse])]
  const [head, clip] = (['head', 'clip'] as const).map((part) => scaleOf(images.map((one) => one[part])))
  const scaled = (parts: Parts) => [head.scaled(parts.head), clip.scaled(parts.clip)]
  const choices: Choice[] = [
    ...labels.map(({ text, good, ...parts }) => ({
      alternatives: [[...scaled(parts), 1, 0], [0, 0, 0, 0]], // prettier-ignore
      chosen: good ? 0 : 1,
      weight: 1,
      group: text,
    })),
    ...comparisons.map(({ better, worse, text, isTie, weight }) => {
      const [first, second] = [scaled(better), scaled(worse)]
      const half = first.map((value, p) => (value - second[p]) / 2)
      return {
        alternatives: [[...half, 0, 0], [...half.map((value) => -value), 0, 0], [0, 0, 0, 1]], // prettier-ignore
        chosen: outcomes[isTie ? 'tie' : 'first'],
        weight,
        group: text,
      }
    }),
  ]
  const priors = [
    { mean: 0, precision: 1 },
    { mean: 1, precision: 4 },
    { mean: 0, precision: 1 },
    { mean: Math.log(likelyNu(comparisons)), precision: 1 },
  ]
  const { theta } = fitChoices(choices, priors)
  const proven = (p: number) => (theta[p] > proof * standardError(choices, priors, theta, p) ? theta[p] : 0)
  const a = proven(0)
  const beside = (clipAt?: number) =>
    fitChoices(choices, [{ ...priors[0], fixedAt: a }, { ...priors[1], fixedAt: clipAt }, ...priors.slice(2)]).theta
  const likely = beside(a > 0 ? proven(1) : undefined)
  const [, b, o, logNu] = a === 0 && likely[1] < leastClip ? beside(leastClip) : likely
  const mixture = { head: a / head.deviation, clip: b / clip.deviation }
  return {
    mixture: { ...mixture, offset: o - mixture.head * head.mean - mixture.clip * clip.mean },
    clipShare: b / (a + b),
    nu: comparisons.length === 0 ? null : Math.exp(logNu),
  }
}

/** To a mean of 0 and a deviation of 1; what never varies stays 0. */
function scaleOf(values: readonly number[]) {
  const centre = mean([...values])
  const spread = standardDeviation([...values])
  const deviation = spread > leastSpread ? spread : Infinity
  return { mean: centre, deviation, scaled: (value: number) => (value - centre) / deviation }
}
