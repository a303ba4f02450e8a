/** Numbers per sample beside tensors of samples. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * [B] as [B, 1, …] with as many dimensions as `like`, in its element type and on its device: ready to broadcast against
 * it.
 * @throws {ShapeError}
 */
export function alongBatch(name: string, perSample: Tensor, like: Tensor): Tensor {
  expectPerSample(name, perSample, like)
  const cast = perSample.to(like.dtype).to(like.device)
  return cast.reshape(like.shape[0], ...like.shape.slice(1).fill(1))
}

/**
 * Checks that there is one number per sample, and that samples have at least one dimension of their own.
 * @throws {ShapeError}
 */
export function expectPerSample(name: string, perSample: Tensor, samples: Tensor): void {
  const { shape } = samples
  if (shape.length >= 2 && perSample.shape.length === 1 && perSample.shape[0] === shape[0]) return
  throw new ShapeError({
    where: name,
    expected: 'shape [B] beside samples [B, …]',
    received: `[${perSample.shape.join(', ')}] beside [${shape.join(', ')}]`,
    remedy: 'give one number per sample, and samples at least one dimension besides the batch',
  })
}
