/**
 * Paired comparisons with ties (Davidson 1970, On Extending the Bradley–Terry Model to Accommodate Ties in Paired
 * Comparison Experiments, JASA 65). Of two images with strengths π = eᵘ, where u is the logit of the reward:
 *
 *   P(i ≻ j) = π_i / (π_i + π_j + ν √(π_i π_j)),   P(tie) = ν √(π_i π_j) / (π_i + π_j + ν √(π_i π_j))
 *
 * ν > 0 says how readily raters call images equal: two equal ones tie with probability ν / (2 + ν). For ν → 0 this is
 * Bradley & Terry 1952. (Rao & Kupper 1967 have ties too; in Davidson's model the odds of a decided comparison stay
 * π_i : π_j, so that pairs with ties and pairs without train the same reward.)
 */
import { stack, tensor } from '../../tensor/create.ts'
import { crossEntropy } from '../../tensor/functional.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/**
 * Divided by √(π_i π_j) the three probabilities are the softmax of ((u_i − u_j)/2, (u_j − u_i)/2, log ν).
 *
 * @param first  u of the first images [B]
 * @param second u of the second images [B]
 * @param logNu  log ν [1]
 * @returns      [B, 3] whose softmax are the probabilities that the first is better, that the second is, and of a tie
 * @throws {ShapeError}
 */
export function davidsonLogits(first: Tensor, second: Tensor, logNu: Tensor): Tensor {
  expectShape('second', second, first.shape)
  expectShape('logNu', logNu, [1])
  const half = first.sub(second).mul(0.5)
  return stack([half, half.neg(), logNu.expand(...first.shape)], 1)
}

/** What came of a comparison, as a column of {@link davidsonLogits}. */
export const outcomes = { first: 0, second: 1, tie: 2 } as const
export type Outcome = keyof typeof outcomes

/**
 * Negative log-likelihood of comparisons, Σ_k w_k (−log P_k) / Σ_k w_k.
 *
 * @param logits  [B, 3], those of {@link davidsonLogits}
 * @param results what came of them, B
 * @param weights w, B, > 0
 * @returns       scalar, nats, averaged by weight
 * @throws {ShapeError}
 */
export function davidsonLoss(logits: Tensor, results: readonly Outcome[], weights: readonly number[]): Tensor {
  expectShape('logits', logits, [results.length, 3])
  const classes = tensor(
    results.map((result) => outcomes[result]),
    [results.length],
    'int64',
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shares = tensor(
    weights.map((weight) => weight / total),
    [weights.length],
    logits.dtype,
  )
  return crossEntropy(logits, classes).mul(shares).sum()
}
