/** How well a reward foretells judgments that it has not seen. */
import { noGrad } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { accuracy, auc, expectedCalibrationError, reliability, type ReliabilityBin } from './classification.ts'
import { davidsonLogits } from './davidson.ts'
import { imageRows, textRows, type Embedded } from '../encoding/embeddings.ts'
import { promptInterval, type Ends } from './prompt-interval.ts'
import { expectTellsApart, hasBothClasses, type Comparison, type RewardExamples } from '../examples/reward-examples.ts'
import { headLogit, type RewardHead } from '../heads/reward-head.ts'
import type { FittedReward } from './fit-head.ts'

/** Against labels, as recorded; without labels of both classes there are no figures. */
interface LabelQuality {
  /** Labels. */
  readonly n: number
  readonly accuracy: number | null
  readonly accuracyInterval: Ends | null
  readonly auc: number | null
  readonly aucInterval: Ends | null
  /** The CLIP score (cosine of the embeddings) as a judge of the same images. */
  readonly clipScoreAuc: number | null
  readonly ece: number | null
  readonly reliability: readonly ReliabilityBin[]
  readonly clipScoreAucInterval: Ends | null
}

/** Against comparisons, which count by their weight. */
interface ComparisonQuality {
  /** Comparisons, ties too. */
  readonly comparisons: number
  /** Share of those that are no ties in which the better image scores higher; equal scores count half. */
  readonly pairAccuracy: number | null
  readonly pairAccuracyInterval: Ends | null
  /** The same of the CLIP score. */
  readonly clipScorePairAccuracy: number | null
  readonly clipScorePairAccuracyInterval: Ends | null
  /** Of those that are no ties: how often the image of the lower row is expected to be the better one, and was. */
  readonly pairReliability: readonly ReliabilityBin[]
  /** Share of ties. */
  readonly tieShare: number | null
  /** Mean share of ties that the reward expects. */
  readonly expectedTieShare: number | null
  /** Mean −log P(answer); that of an even guess among three answers is log 3 = 1.10. */
  readonly comparisonNats: number | null
}

/** How well a reward agrees with judgments that it was not trained on. */
export interface RewardQuality extends LabelQuality, ComparisonQuality {}

/**
 * @param seed of the intervals
 * @throws {RewardError} labels of one class only, and no comparison with a better image
 */
export function measureReward(
  embedded: Embedded,
  fitted: FittedReward,
  examples: RewardExamples,
  seed = 0,
): RewardQuality {
  expectTellsApart(examples)
  return { ...onLabels(embedded, fitted, examples, seed), ...onComparisons(embedded, fitted, examples, seed) }
}

/** Of a reward that is measured on comparisons alone. */
export const noLabels: LabelQuality = {
  n: 0,
  ...{ accuracy: null, accuracyInterval: null, auc: null, aucInterval: null, clipScoreAuc: null, ece: null },
  reliability: [],
  clipScoreAucInterval: null,
}

function onLabels(embedded: Embedded, { head }: FittedReward, { labels }: RewardExamples, seed: number): LabelQuality {
  if (!hasBothClasses(labels)) return noLabels
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const images = imageRows(embedded, labels.map(({ image }) => image)) // prettier-ignore
  const texts = textRows(embedded, labels.map(({ text }) => text)) // prettier-ignore
  const scores = headLogit(head, images, texts).sigmoid().toArray()
  const cosines = images.mul(texts).sum(1).toArray()
  const isGood = labels.map(({ good }) => good)
  const rows = labels.map((label, i) => ({ ...label, score: scores[i] }))
  const quality =
    (statistic: typeof auc) =>
    (part: typeof rows): number | undefined =>
      hasBothClasses(part)
        ? statistic(part.map(({ score }) => score), part.map(({ good }) => good)) // prettier-ignore
        : undefined
  return {
    n: labels.length,
    accuracy: accuracy(scores, isGood),
    accuracyInterval: promptInterval(rows, quality(accuracy), seed),
    auc: auc(scores, isGood),
    aucInterval: promptInterval(rows, quality(auc), seed),
    clipScoreAuc: auc(cosines, isGood),
    ece: expectedCalibrationError(scores, isGood),
    reliability: reliability(scores, isGood),
    clipScoreAucInterval: promptInterval(
      labels.map((label, i) => ({ ...label, score: cosines[i] })),
      quality(auc),
      seed,
    ),
  }
}

function onComparisons(
  embedded: Embedded,
  { head, nu }: FittedReward,
  { comparisons }: RewardExamples,
  seed: number,
): ComparisonQuality {
  if (comparisons.length === 0) return qualityOfMargins([], { reward: [], clipScore: [] }, seed)
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const { better, worse } = headLogits(embedded, head, comparisons)
  const reward = better.sub(worse).toArray()
  const quality = qualityOfMargins(comparisons, { reward, clipScore: clipScoreMargins(embedded, comparisons) }, seed)
  // A reward of labels alone has no ν: it does not know what is called a tie.
  if (nu === null) return quality
  const logShares = davidsonLogits(better, worse, tensor([Math.log(nu)])).logSoftmax(1)
  const [wonLog, tieLog] = [0, 2].map((column) => logShares.select(1, column).toArray())
  const expected = comparisons.map(({ isTie, weight }, i) => ({
    weight,
    tie: Math.exp(tieLog[i]),
    nats: -(isTie ? tieLog : wonLog)[i],
  }))
  return {
    ...quality,
    expectedTieShare: weightedMean(expected, ({ tie }) => tie),
    comparisonNats: weightedMean(expected, ({ nats }) => nats),
  }
}

/** Logits of both images of comparisons [B]; they belong to the scope in force. */
function headLogits(embedded: Embedded, head: RewardHead, comparisons: readonly Comparison[]) {
  const texts = textRows(embedded, comparisons.map(({ text }) => text)) // prettier-ignore
  const logits = (side: 'better' | 'worse') => headLogit(head, imageRows(embedded, comparisons.map((one) => one[side])), texts) // prettier-ignore
  return { better: logits('better'), worse: logits('worse') }
}

/** By how much the better images score higher by a head, as differences of logits. */
export function headMargins(embedded: Embedded, head: RewardHead, comparisons: readonly Comparison[]): number[] {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const { better, worse } = headLogits(embedded, head, comparisons)
  return better.sub(worse).toArray()
}

/** The same by the cosine. */
export function clipScoreMargins(embedded: Embedded, comparisons: readonly Comparison[]): number[] {
  using _scope = tensorScope()
  const texts = textRows(embedded, comparisons.map(({ text }) => text)) // prettier-ignore
  const [better, worse] = (['better', 'worse'] as const).map((side) => imageRows(embedded, comparisons.map((one) => one[side]))) // prettier-ignore
  return better.sub(worse).mul(texts).sum(1).toArray()
}

/** By how much the better image of each comparison scores higher. */
interface Margins {
  /** Logits: what was said is expected with the probability σ(margin) where it is no tie. */
  readonly reward: readonly number[]
  readonly clipScore: readonly number[]
}

/** Of a reward that is known by its scores of images of one prompt alone; it expects no ties. */
export function qualityOfMargins(
  comparisons: readonly Comparison[],
  { reward, clipScore }: Margins,
  seed: number,
): ComparisonQuality {
  const rows = comparisons.map(({ text, isTie, weight }, i) => ({ text, isTie, weight, won: wins(reward[i]), cosineWon: wins(clipScore[i]) })) // prettier-ignore
  const decided = rows.filter(({ isTie }) => !isTie)
  const isDecided = decided.length > 0
  const accuracyOf = (part: typeof rows) => weightedMean(part, ({ won }) => won)
  const cosineAccuracyOf = (part: typeof rows) => weightedMean(part, ({ cosineWon }) => cosineWon)
  return {
    comparisons: comparisons.length,
    pairAccuracy: isDecided ? accuracyOf(decided) : null,
    pairAccuracyInterval: isDecided ? promptInterval(decided, accuracyOf, seed) : null,
    clipScorePairAccuracy: isDecided ? cosineAccuracyOf(decided) : null,
    clipScorePairAccuracyInterval: isDecided ? promptInterval(decided, cosineAccuracyOf, seed) : null,
    pairReliability: reliabilityOfPairs(comparisons, reward),
    tieShare: rows.length === 0 ? null : weightedMean(rows, ({ isTie }) => (isTie ? 1 : 0)),
    expectedTieShare: null,
    comparisonNats: null,
  }
}

/** Share of pairs in which the better image scores higher, as one reward has it less as another has it. */
export function accuracyGain(
  comparisons: readonly Comparison[],
  own: readonly number[],
  other: readonly number[],
  seed: number,
): { readonly gain: number; readonly gainInterval: Ends | null } | undefined {
  const rows = comparisons.map((one, i) => ({ ...one, gained: wins(own[i]) - wins(other[i]) }))
  const decided = rows.filter(({ isTie }) => !isTie)
  if (decided.length === 0) return undefined
  const gainOf = (part: typeof rows) => weightedMean(part, ({ gained }) => gained)
  return { gain: gainOf(decided), gainInterval: promptInterval(decided, gainOf, seed) }
}

function reliabilityOfPairs(comparisons: RewardExamples['comparisons'], ahead: readonly number[]): ReliabilityBin[] {
  const rows = comparisons.flatMap(({ better, worse, isTie }, i) => {
    const isFirst = better < worse
    return isTie ? [] : [{ isFirst, expected: 1 / (1 + Math.exp(isFirst ? -ahead[i] : ahead[i])) }]
  })
  if (rows.length === 0) return []
  return reliability(
    rows.map(({ expected }) => expected),
    rows.map(({ isFirst }) => isFirst),
  )
}

const wins = (ahead: number) => (ahead > 0 ? 1 : ahead === 0 ? 0.5 : 0)

function weightedMean<T extends { readonly weight: number }>(rows: readonly T[], of: (row: T) => number): number {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0)
  return rows.reduce((sum, row) => sum + row.weight * of(row), 0) / total
}
