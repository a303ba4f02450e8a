/**
 * The loss of Lee et al. 2023 (arXiv:2302.12192), Eq. 1:
 *
 *   L = E[(y − r(x, z))²] + λ E_{y=1}[CE(P(·|x), i)],  P(z_j | x) = exp(r(x, z_j)/T) / Σ_k exp(r(x, z_k)/T)
 *
 * The second term looks at good images only: among the true prompt and distractors, the reward must pick the true one.
 */
import { tensor } from '../../tensor/create.ts'
import { crossEntropy } from '../../tensor/functional.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** @param rewards [B], @param labels [B], 1 good and 0 bad → scalar, averaged */
export function squaredError(rewards: Tensor, labels: Tensor): Tensor {
  expectShape('labels', labels, rewards.shape)
  return rewards.sub(labels).square().mean()
}

/**
 * @param rewards     [G, N] of G good images for N prompts each, the true one in column 0
 * @param temperature T
 * @returns           scalar, nats, averaged over images
 */
export function promptClassification(rewards: Tensor, temperature: number): Tensor {
  expectShape('rewards', rewards, [-1, -1])
  const truth = tensor(new Array<number>(rewards.shape[0]).fill(0), [rewards.shape[0]], 'int64')
  return crossEntropy(rewards.div(temperature), truth).mean()
}
