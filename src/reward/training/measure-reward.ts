/** How well a reward foretells judgments that it has not seen. */
import { noGrad } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { accuracy, auc, expectedCalibrationError, reliability, type ReliabilityBin } from './classification.ts'
import { davidsonLogits } from './davidson.ts'
import { imageRows, textRows, type Embedded } from '../encoding/embeddings.ts'
import { promptInterval, type Ends } from './prompt-interval.ts'
import { expectTellsApart, hasBothClasses, type RewardExamples } from '../examples/reward-examples.ts'
import { headLogit } from '../heads/reward-head.ts'
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

function onLabels(embedded: Embedded, { head }: FittedReward, { labels }: RewardExamples, seed: number): LabelQuality {
  const none = { accuracy: null, accuracyInterval: null, auc: null, aucInterval: null, clipScoreAuc: null, ece: null }
  if (!hasBothClasses(labels)) return { n: 0, ...none, reliability: [], clipScoreAucInterval: null }
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
  const unknown = { tieShare: null, expectedTieShare: null, comparisonNats: null }
  const none = {
    pairAccuracy: null,
    pairAccuracyInterval: null,
    clipScorePairAccuracy: null,
    clipScorePairAccuracyInterval: null,
    pairReliability: [],
    ...unknown,
  }
  if (comparisons.length === 0) return { comparisons: 0, ...none }
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const texts = textRows(embedded, comparisons.map(({ text }) => text)) // prettier-ignore
  const better = imageRows(embedded, comparisons.map((one) => one.better)) // prettier-ignore
  const worse = imageRows(embedded, comparisons.map((one) => one.worse)) // prettier-ignore
  const logits = [better, worse].map((images) => headLogit(head, images, texts))
  const ahead = logits[0].sub(logits[1]).toArray()
  const cosines = better.sub(worse).mul(texts).sum(1).toArray()
  const rows = comparisons.map(({ text, isTie, weight }, i) => ({ text, isTie, weight, won: wins(ahead[i]), cosineWon: wins(cosines[i]) })) // prettier-ignore
  const decided = rows.filter(({ isTie }) => !isTie)
  const accuracyOf = (part: typeof rows) => weightedMean(part, ({ won }) => won)
  const cosineAccuracyOf = (part: typeof rows) => weightedMean(part, ({ cosineWon }) => cosineWon)
  const base = {
    comparisons: comparisons.length,
    pairAccuracy: decided.length === 0 ? null : accuracyOf(decided),
    pairAccuracyInterval: decided.length === 0 ? null : promptInterval(decided, accuracyOf, seed),
    clipScorePairAccuracy: decided.length === 0 ? null : cosineAccuracyOf(decided),
    clipScorePairAccuracyInterval: decided.length === 0 ? null : promptInterval(decided, cosineAccuracyOf, seed),
    pairReliability: reliabilityOfPairs(comparisons, ahead),
    tieShare: weightedMean(rows, ({ isTie }) => (isTie ? 1 : 0)),
  }
  // A reward of labels alone has no ν: it does not know what is called a tie.
  if (nu === null) return { ...base, expectedTieShare: null, comparisonNats: null }
  const logShares = davidsonLogits(logits[0], logits[1], tensor([Math.log(nu)])).logSoftmax(1)
  const [wonLog, tieLog] = [0, 2].map((column) => logShares.select(1, column).toArray())
  const expected = rows.map((row, i) => ({ ...row, tie: Math.exp(tieLog[i]), nats: -(row.isTie ? tieLog : wonLog)[i] }))
  return {
    ...base,
    expectedTieShare: weightedMean(expected, ({ tie }) => tie),
    comparisonNats: weightedMean(expected, ({ nats }) => nats),
  }
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
