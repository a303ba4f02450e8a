/** Resizing as feature networks were given their images. */
import { indexOf, tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/**
 * Bilinear interpolation as TensorFlow 1 did it, without antialiasing: output i stands at input i · size / side, not at the
 * centre of its pixel. What is made smaller aliases.
 *
 * @param x [B, C, H, W]
 * @returns [B, C, side, side]
 */
export function resizeLikeTensorFlow1(x: Tensor, side: number): Tensor {
  using scope = tensorScope()
  return scope.keep(alongDimension(alongDimension(x, 3, side), 2, side))
}

function alongDimension(x: Tensor, dim: 2 | 3, side: number): Tensor {
  const size = x.shape[dim]
  // In float32, as the places were computed.
  const scale = Math.fround(size / side)
  const places = Array.from({ length: side }, (_, i) => Math.fround(i * scale))
  const at = (index: readonly number[]) => x.indexSelect(dim, indexOf(index, x.device))
  const below = places.map(Math.floor)
  const low = at(below)
  const high = at(below.map((place) => Math.min(place + 1, size - 1)))
  const shares = places.map((place, i) => place - below[i])
  const share = tensor(shares, dim === 3 ? [1, 1, 1, side] : [1, 1, side, 1]).to(x.device)
  return low.add(high.sub(low).mul(share))
}
