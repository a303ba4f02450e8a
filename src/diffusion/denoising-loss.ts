import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { NoiseProcess } from './process.ts'

/**
 * weight(t) · mean over elements of (prediction − target)², with weight and target of the noise process. Pairs with its
 * `noised`, which makes the network's input. With ε and no weight: L_simple per sample.
 *
 * @param process  what x0 was noised by
 * @param of       prediction [B, …]; x0 [B, …], latent units; epsilon [B, …], the noise that was added; t [B], times as the
 *                 process draws them, on the CPU
 * @returns        [B], averaged over the elements of a sample, never over the batch; the difference is taken in the
 *                 wider element type of prediction and target
 * @throws {ShapeError}
 * @see Ho et al. 2020 (DDPM, arXiv:2006.11239), Eq. 14
 */
export function denoisingLoss(
  process: NoiseProcess,
  {
    prediction,
    x0,
    epsilon,
    t,
  }: { readonly prediction: Tensor; readonly x0: Tensor; readonly epsilon: Tensor; readonly t: Tensor },
): Tensor {
  expectShape('x0', x0, prediction.shape)
  expectShape('epsilon', epsilon, prediction.shape)
  expectShape('t', t, [prediction.shape[0]])
  const loss = prediction
    .sub(process.target(x0, epsilon, t))
    .square()
    .flatten(1)
    .mean(1)
  const weight = process.weight(t)
  return weight === undefined ? loss : loss.mul(weight.to(loss.dtype).to(loss.device))
}
