import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { cat, zeros } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { useThreads } from '../../tensor/library.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import { ClipConfig } from './config.ts'
import { assertNear, expectedOf, hollow, readJson, weightsOf } from './fixture.test-helper.ts'
import { projectImage, visionModel } from './vision-model.ts'

useThreads(1)

const { vision, projection } = ClipConfig.parse(readJson('clip/config.json'))
const featuresOf = (weights: Weights, pixels: Tensor) =>
  projectImage(weights, vision, projection, visionModel(weights, vision, pixels))

describe('the vision model', () => {
  const compare = (dtype: Dtype, tolerance: number) => {
    withoutLeak(() => {
      const expected = expectedOf('clip')
      const pixels = cat([0, 1, 2].map((i) => expected(`clip.pixel_values.${i}`)))
      assertNear(featuresOf(weightsOf('clip', dtype), pixels), expected('clip.image_features'), tolerance)
    })
  }
  it('gives the numbers of transformers', () => compare('float32', 1e-5))
  it('gives them to the precision of bfloat16', () => compare('bfloat16', 0.08))

  it('has the shape of its result without elements', () => {
    withoutLeak(() => {
      const weights = hollow(weightsOf('clip'))
      assert.deepEqual(featuresOf(weights, zeros([2, 3, 32, 32], 'float32', 'meta')).shape, [2, projection])
      assert.deepEqual(
        weights.unasked().filter((name) => !name.startsWith('text_')),
        ['logit_scale'],
      )
    })
  })

  it('refuses pixels of another size', () => {
    withoutLeak(() => {
      assert.throws(() => visionModel(weightsOf('clip'), vision, zeros([1, 3, 40, 40])), ShapeError)
    })
  })
})
