import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { full, tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectedOf, readJson } from './fixture.test-helper.ts'
import { preprocess, PreprocessorConfig } from './preprocess.ts'

useThreads(1)

const config = PreprocessorConfig.parse(readJson('clip/preprocessor_config.json'))
const pixelsOf = (bytes: Tensor) => bytes.to('float32').div(127.5).sub(1).permute(2, 0, 1).unsqueeze(0)

describe('preprocessing', () => {
  const pictures = [
    { index: 0, what: 'wider than high' },
    { index: 1, what: 'higher than wide' },
    { index: 2, what: 'enlarged' },
  ]
  for (const { index, what } of pictures) {
    it(`is that of CLIPImageProcessor, but for one level at three values in a thousand: ${what}`, () => {
      withoutLeak(() => {
        const expected = expectedOf('clip')
        const ours = preprocess(pixelsOf(expected(`clip.image.${index}`)), config)
        const theirs = expected(`clip.pixel_values.${index}`)
        assert.deepEqual(ours.shape, theirs.shape)
        const levels = ours
          .sub(theirs)
          .mul(tensor(config.deviation, [3, 1, 1]))
          .mul(255)
          .abs()
          .toArray()
        assert.ok(Math.max(...levels) < 1.001, `${Math.max(...levels)}`)
        const differing = levels.filter((level) => level > 1e-3).length
        assert.ok(differing <= 0.003 * levels.length, `${differing} of ${levels.length}`)
      })
    })
  }

  it('by hand: an image of one colour, clamped, in every size', () => {
    withoutLeak(() => {
      const plain = { shortestSide: 4, crop: 2, mean: [0.5, 0, 1], deviation: [1, 0.5, 2] } as const
      for (const [height, width] of [
        [4, 4],
        [9, 5],
        [2, 3],
      ]) {
        const white = preprocess(full([1, 3, height, width], 1.5), plain)
        assert.deepEqual(white.toArray(), [...Array<number>(4).fill(0.5), ...Array<number>(4).fill(2), 0, 0, 0, 0])
      }
    })
  })

  it('cuts out the middle', () => {
    withoutLeak(() => {
      const plain = { shortestSide: 2, crop: 2, mean: [0, 0, 0], deviation: [1, 1, 1] } as const
      const row = [-1, 1, -1, 1, 1]
      const wide = preprocess(
        tensor([...row, ...row])
          .reshape(1, 1, 2, 5)
          .expand(1, 3, 2, 5),
        plain,
      )
      assert.deepEqual(wide.select(1, 0).toArray(), [1, 0, 1, 0])
      const high = preprocess(tensor(row).reshape(1, 1, 5, 1).expand(1, 3, 5, 2), plain)
      assert.deepEqual(high.select(1, 2).toArray(), [1, 1, 0, 0])
    })
  })
})

describe('pixels that are none', () => {
  it('are refused', () => {
    withoutLeak(() => assert.throws(() => preprocess(full([1, 1, 4, 4], 0), config), ShapeError))
  })
})

describe('the preprocessor config', () => {
  it('has both of its forms, and CLIP’s defaults', () => {
    const newer = PreprocessorConfig.parse({
      size: { shortest_edge: 32 },
      crop_size: { height: 32, width: 32 },
      rescale_factor: 0.00392156862745098,
    })
    assert.deepEqual(newer, config)
    assert.deepEqual(PreprocessorConfig.parse({}), { ...config, shortestSide: 224, crop: 224 })
  })

  it('is refused by the field that does not fit', () => {
    const complaints = (file: unknown) => PreprocessorConfig.safeParse(file).error?.issues.map(({ path }) => path[0])
    assert.deepEqual(complaints({ resample: 2 }), ['resample'])
    assert.deepEqual(complaints({ do_center_crop: false }), ['do_center_crop'])
    assert.deepEqual(complaints({ rescale_factor: 1 }), ['rescale_factor'])
    assert.deepEqual(complaints({ size: { height: 224, width: 224 } }), ['size'])
    assert.deepEqual(complaints({ crop_size: { height: 224, width: 200 } }), ['crop_size'])
    assert.deepEqual(complaints({ size: 200 }), ['crop_size'])
    assert.deepEqual(complaints({ image_mean: [0.5] }), ['image_mean'])
  })
})
