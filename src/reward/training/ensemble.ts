/**
 * How unsure a reward is of an image: several heads are fitted to resampled judgments, and where they differ more data
 * would have led elsewhere (the bootstrap of Efron 1979; deep ensembles, Lakshminarayanan et al. 2017, arXiv:1612.01474).
 *
 * What is drawn with replacement are prompts, each with all that was said about its images: a reward has to hold for
 * other prompts, and judgments of one prompt are no independent evidence of that. A member has not seen the third of the
 * prompts that it did not draw, so of nearly every image there are members that foretell it instead of remembering it.
 */
import { sampleStandardDeviation } from 'simple-statistics'
import { noGrad } from '../../tensor/autograd.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { random, seedOf } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { textRows, type Embedded } from '../encoding/embeddings.ts'
import { promptsOf, tellsApart, type RewardExamples } from '../examples/reward-examples.ts'
import { headScore, type RewardHead } from '../heads/reward-head.ts'
import type { ShownTexts } from '../examples/shown-texts.ts'
import { fitHead, type FitOptions, type FittedReward } from './fit-head.ts'
import type { RewardFit } from './reward-fit.ts'

export interface Member extends FittedReward {
  /** Prompts of which it has seen judgments. */
  readonly seen: ReadonlySet<string>
}

/** Few prompts may leave a draw without a difference to learn from: others are tried, and then all are taken. */
const mostDraws = 20

/** What a member is fitted to, and from which first weights. */
interface MemberPlan {
  readonly examples: RewardExamples
  readonly seed: number
  readonly label: string
}

/** The members of an ensemble before they are fitted, each with other first weights. */
export const planEnsemble = (examples: RewardExamples, seed: number, members: number): MemberPlan[] =>
  Array.from({ length: members }, (_, member) => ({
    examples: resample(examples, seedOf(...rewardStreams.memberPrompts(seed, member))),
    seed: seedOf(...rewardStreams.member(seed, member)),
    label: `ensemble ${member + 1} of ${members}`,
  }))

/**
 * Fits the members.
 * @returns members whose tensors belong to the caller's scope
 */
export function fitEnsemble(
  embedded: Embedded,
  examples: RewardExamples,
  shown: ShownTexts,
  fit: RewardFit,
  { head, seed, members }: Pick<FitOptions, 'head' | 'seed'> & { readonly members: number },
): Member[] {
  return planEnsemble(examples, seed, members).map(({ examples: drawn, ...plan }) => ({
    ...fitHead(embedded, drawn, shown, fit, { head, ...plan }),
    seen: new Set(promptsOf(drawn)),
  }))
}

/** As many prompts, drawn with replacement, with all their examples. */
export function resample(examples: RewardExamples, seed: number): RewardExamples {
  const prompts = promptsOf(examples)
  const labels = Map.groupBy(examples.labels, ({ text }) => text)
  const comparisons = Map.groupBy(examples.comparisons, ({ text }) => text)
  for (let draw = 0; draw < mostDraws; draw++) {
    const stream = random(...rewardStreams.memberDraw(seed, draw))
    const drawn = prompts.map(() => stream.pick(prompts))
    const resampled = {
      labels: drawn.flatMap((text) => labels.get(text) ?? []),
      comparisons: drawn.flatMap((text) => comparisons.get(text) ?? []),
    }
    if (tellsApart(resampled)) return resampled
  }
  return examples
}

/** Images at a time: 1,024 hidden units of 4,096 images are 16 MB. */
const chunk = 4096

/**
 * Scores of all embedded images.
 * @param prompts theirs, which were embedded too
 * @returns       in [0, 1], in their order
 */
export function scoresOf(
  embedded: Embedded,
  head: RewardHead,
  prompts: readonly { readonly text: string }[],
): number[] {
  using _noGrad = noGrad()
  return Array.from({ length: Math.ceil(prompts.length / chunk) }, (_, i) => {
    using _scope = tensorScope()
    const part = prompts.slice(i * chunk, (i + 1) * chunk).map(({ text }) => text)
    const images = embedded.images.slice(0, i * chunk, i * chunk + part.length)
    return headScore(head, images, textRows(embedded, part)).toArray()
  }).flat()
}

/**
 * How far the members are apart: the standard deviation of their scores of each image, √(Σ (s_k − s̄)²/(K − 1)).
 * @param scores [K][n], K ≥ 2
 * @returns      n, in units of the reward
 */
export const deviations = (scores: readonly (readonly number[])[]): number[] =>
  scores[0].map((_, i) => sampleStandardDeviation(scores.map((member) => member[i])))
