import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose, withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { randn, tensor } from '../../tensor/create.ts'
import { upsampleNearest } from '../../tensor/functional.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { tiled } from './tiles.ts'

useThreads(1)

/** A network that gives 0 for its first tile, 1 for the second, …. */
function counting(): (x: Tensor) => Tensor {
  let tiles = 0
  return (x) => x.mul(0).add(tiles++)
}

describe('a picture in tiles', () => {
  const size = { side: 4, overlap: 2 }

  it('by hand: fades along rows and along columns; a last tile may be smaller than the overlap', () => {
    using _scope = tensorScope()
    const numbers = tensor([7, 7, 7, 7, 7, 7, 7])
    const expected = [0, 0, 0, 0.5, 1, 1.5, 2]
    assertClose(tiled(numbers.reshape(1, 1, 1, 7), size, size, counting()).toArray(), expected)
    assertClose(tiled(numbers.reshape(1, 1, 7, 1), size, size, counting()).toArray(), expected)
  })

  it('fades a tile out of the one above first, then out of the one on its left', () => {
    using _scope = tensorScope()
    const size = { side: 2, overlap: 1 }
    const joined = tiled(tensor([7, 7, 7, 7, 7, 7, 7, 7, 7], [1, 1, 3, 3]), size, size, counting())
    // Every place of a fade of one row or column is the earlier tile's.
    assertClose(joined.toArray(), [0, 0, 1, 0, 0, 1, 3, 3, 4])
  })

  it('is the picture itself where the network keeps or enlarges it', () => {
    using _scope = tensorScope()
    const x = randn([2, 3, 11, 9], new Generator(1))
    const same = tiled(x, size, size, (tile) => tile.clone())
    assertClose(same.toArray(), x.toArray(), 1e-6)
    const large = (tile: Tensor) => upsampleNearest(tile, 2 * tile.shape[2], 2 * tile.shape[3])
    const enlarged = tiled(x, size, { side: 8, overlap: 4 }, large)
    assert.deepEqual(enlarged.shape, [2, 3, 22, 18])
    assert.ok(enlarged.sub(large(x)).abs().flatten().amax(0).item() < 1e-6)
  })

  it('of which tiles share nothing, or which fits into one tile, is only put together', () => {
    using _scope = tensorScope()
    const apart = { side: 2, overlap: 0 }
    assertClose(tiled(tensor([7, 7, 7], [1, 1, 1, 3]), apart, apart, counting()).toArray(), [0, 0, 1])
    assertClose(tiled(tensor([7, 7, 7], [1, 1, 1, 3]), size, size, counting()).toArray(), [0, 0, 0])
  })

  it('leaves no tensors behind', () => {
    withoutLeak(() => void tiled(randn([1, 1, 9, 9], new Generator(1)), size, size, counting()))
  })
})
