/** How well a score tells good images from bad ones, and how well a value function tells the reward to come. */
import { mean, variance } from 'simple-statistics'
import { DivergenceError, RewardError, ShapeError } from '../../errors.ts'

/**
 * Share of labels that the score, cut at `threshold`, gets right; a score equal to the threshold counts as good.
 *
 * @param scores  [n], finite
 * @param labels  [n], true = good
 * @throws {ShapeError | DivergenceError}
 */
export function accuracy(scores: readonly number[], labels: readonly boolean[], threshold = 0.5): number {
  expectPairs('accuracy', scores, labels)
  return scores.filter((score, i) => score >= threshold === labels[i]).length / scores.length
}

/**
 * Area under the ROC curve: the probability that a good image scores above a bad one, ties counted half. From midranks
 * R: AUC = (Σ_{good} R − n₊(n₊+1)/2) / (n₊ n₋).
 *
 * @param scores  [n], finite, any unit: only their order counts
 * @param labels  [n], true = good
 * @throws {RewardError} labels of one class only
 * @throws {ShapeError | DivergenceError}
 * @see Mann & Whitney 1947; Hanley & McNeil 1982
 */
export function auc(scores: readonly number[], labels: readonly boolean[]): number {
  expectPairs('auc', scores, labels)
  const good = labels.filter(Boolean).length
  const bad = labels.length - good
  if (good === 0 || bad === 0) {
    throw new RewardError({
      where: 'auc labels',
      expected: 'good and bad labels',
      received: `${good} good and ${bad} bad`,
      remedy: 'hold out more labelled images',
    })
  }
  const order = scores.map((_, i) => i).sort((i, j) => scores[i] - scores[j])
  let goodRanks = 0
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && scores[order[end]] === scores[order[start]]) end++
    const midrank = (start + 1 + end) / 2
    for (let k = start; k < end; k++) if (labels[order[k]]) goodRanks += midrank
    start = end
  }
  return (goodRanks - (good * (good + 1)) / 2) / (good * bad)
}

/** Images whose predicted probability falls into [low, high), the last bin including 1. */
export interface ReliabilityBin {
  readonly low: number
  readonly high: number
  readonly n: number
  /** Mean predicted probability. */
  readonly predicted: number
  /** Share of good labels. */
  readonly observed: number
}

/**
 * Reliability diagram: predictions in bins of equal width over [0, 1]; empty bins are left out.
 *
 * @param probabilities  [n], clamped to [0, 1] (a regressed reward may leave it a little)
 * @param labels         [n], true = good
 * @throws {ShapeError | DivergenceError}
 */
export function reliability(probabilities: readonly number[], labels: readonly boolean[], bins = 10): ReliabilityBin[] {
  expectPairs('reliability', probabilities, labels)
  const clamped = probabilities.map((p) => Math.min(1, Math.max(0, p)))
  const members: number[][] = Array.from({ length: bins }, () => [])
  clamped.forEach((p, i) => members[Math.min(bins - 1, Math.floor(p * bins))].push(i))
  return members.flatMap((bin, b) =>
    bin.length === 0
      ? []
      : [
          {
            low: b / bins,
            high: (b + 1) / bins,
            n: bin.length,
            predicted: mean(bin.map((i) => clamped[i])),
            observed: bin.filter((i) => labels[i]).length / bin.length,
          },
        ],
  )
}

/**
 * Expected calibration error Σ_b (n_b / n) |observed_b − predicted_b| over the bins of {@link reliability}: 0 is
 * perfect, 1 the worst.
 *
 * @throws {ShapeError | DivergenceError}
 * @see Guo et al. 2017 (arXiv:1706.04599), Eq. 3
 */
export function expectedCalibrationError(
  probabilities: readonly number[],
  labels: readonly boolean[],
  bins = 10,
): number {
  return reliability(probabilities, labels, bins).reduce(
    (sum, bin) => sum + (bin.n / labels.length) * Math.abs(bin.observed - bin.predicted),
    0,
  )
}

/**
 * Explained variance 1 − Var(target − predicted) / Var(target): 1 is perfect, 0 what a constant reaches, below 0 worse
 * than that. A constant offset is not punished. Where the targets do not vary it is 1 for a perfect prediction, else 0.
 *
 * @param predicted  [n], finite
 * @param target     [n], finite
 * @throws {ShapeError | DivergenceError}
 */
export function explainedVariance(predicted: readonly number[], target: readonly number[]): number {
  expectPairs('explainedVariance', predicted, target)
  const unexplained = variance(target.map((value, i) => value - predicted[i]))
  const total = variance([...target])
  if (total === 0) return unexplained === 0 ? 1 : 0
  return 1 - unexplained / total
}

function expectPairs(where: string, scores: readonly number[], others: readonly (number | boolean)[]): void {
  if (scores.length !== others.length || scores.length === 0) {
    throw new ShapeError({
      where,
      expected: 'two lists of one length, at least 1',
      received: `${scores.length} and ${others.length}`,
      remedy: 'pass one label for each score',
    })
  }
  for (const value of [...scores, ...others]) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new DivergenceError({
        where,
        expected: 'finite numbers',
        received: `${value}`,
        remedy: 'look for the first non-finite number in the metrics of the run that gave the scores',
      })
    }
  }
}
