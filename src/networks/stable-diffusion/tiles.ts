/** A picture in overlapping tiles, so that memory does not grow with it; as diffusers' `enable_tiling`. */
import { arange, cat } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** In rows and columns of a network's input, or of its output. */
export interface TileSize {
  /** Height and width. */
  readonly side: number
  /** What two neighbours share. */
  readonly overlap: number
}

/**
 * `network` over tiles of x [B, C, H, W], put together again: where tiles overlap, values fade linearly from the earlier
 * tile to the later. Not equal to the network of the whole picture, whose norms and attention see all of it. A picture
 * that fits into one tile goes through whole.
 *
 * @param input   the tiles of x
 * @param output  what the network makes of a tile of full size
 */
export function tiled(x: Tensor, input: TileSize, output: TileSize, network: (tile: Tensor) => Tensor): Tensor {
  using scope = tensorScope()
  const [, , height, width] = x.shape
  if (height <= input.side && width <= input.side) return scope.keep(network(x))
  const [step, outputStep] = [input.side - input.overlap, output.side - output.overlap]
  const rows: Tensor[] = []
  let above: readonly Tensor[] = []
  for (let top = 0; top < height; top += step) {
    const row: Tensor[] = []
    const strip = x.slice(2, top, top + input.side)
    for (let left = 0; left < width; left += step) {
      const [over, before] = [above.at(row.length), row.at(-1)]
      let one = network(strip.slice(3, left, left + input.side))
      if (over !== undefined) one = fade(over, one, output.overlap, 2)
      if (before !== undefined) one = fade(before, one, output.overlap, 3)
      row.push(one)
    }
    const inside = row.map((one) => one.slice(2, 0, outputStep).slice(3, 0, outputStep))
    rows.push(cat(inside, 3))
    above = row
  }
  return scope.keep(cat(rows, 2))
}

/** `later`, whose first rows (dim 2) or columns (dim 3) come out of the last ones of `earlier`. */
function fade(earlier: Tensor, later: Tensor, overlap: number, dim: 2 | 3): Tensor {
  using scope = tensorScope()
  const [from, to] = [earlier.shape[dim], later.shape[dim]]
  const extent = Math.min(overlap, from, to)
  const share = arange(0, extent, 'float32', later.device).div(extent).to(later.dtype)
  const ramp = dim === 2 ? share.unsqueeze(1) : share
  const ending = earlier.slice(dim, from - extent, from)
  const mixed = ending.mul(ramp.neg().add(1)).add(later.slice(dim, 0, extent).mul(ramp))
  return scope.keep(cat([mixed, later.slice(dim, extent, to)], dim))
}
