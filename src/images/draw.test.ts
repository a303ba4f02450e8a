import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { policyOf, type GenerativeModel, type Sampling } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { gaussianModel, shiftsFrom } from '../policy/gaussian-model.test-helper.ts'
import { shapesModel } from '../shapes/model.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { full } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { drawImages, type DrawRequest } from './draw.ts'

useThreads(1)

const prompts = ['two red circles', '', 'a blue background with one ring', 'crosses', 'four green triangles']
const requests: DrawRequest[] = prompts.map((text, i) => ({ text, seed: 11, index: i }))
const sampling: Sampling = { steps: 3, eta: 1, guidance: 2 }

/** Random weights, amplified: their images fill the range of bytes, so that a difference would be seen. */
function freshModel(): GenerativeModel {
  const weights = Weights.fresh(6)
  const model = shapesModel(weights, '')
  withoutGrad(() => {
    policyOf(model).predict(full([1, 3, 24, 24], 0), full([1], 5, 'int64'), model.encodeText(['']))
    weights.parameter('unet.out.weight', [12, 32, 3, 3], 'zeros').mul_(10)
  })
  return model
}

describe('an image', () => {
  let model: GenerativeModel
  before(() => (model = freshModel()))

  const draw = (asked: readonly DrawRequest[], batchSize?: number) =>
    drawImages(model, asked, sampling, batchSize === undefined ? {} : { batchSize })

  /** Sums in another order move a level by one at most, where it lies on the edge of two. */
  function assertSame(found: readonly { bytes: Uint8Array }[], expected: readonly { bytes: Uint8Array }[]): void {
    assert.equal(found.length, expected.length)
    let moved = 0
    found.forEach(({ bytes }, i) =>
      bytes.forEach((level, k) => {
        const difference = Math.abs(level - expected[i].bytes[k])
        assert.ok(difference <= 1, `image ${i} byte ${k}: ${level}, ${expected[i].bytes[k]}`)
        moved += difference
      }),
    )
    assert.ok(moved <= 0.001 * found.length * found[0].bytes.length, `${moved} levels moved`)
  }

  it('does not depend on the batch it is drawn in', () => {
    using _scope = tensorScope()
    const together = draw(requests)
    const spread = together.map(({ bytes }) => Math.max(...bytes) - Math.min(...bytes))
    assert.ok(Math.min(...spread) > 60, `${spread}`)
    assertSame(draw(requests, 1), together)
    assertSame(draw(requests, 2), together)
    assertSame(draw(requests.toReversed()).toReversed(), together)
    assertSame(draw([requests[3]]), [together[3]])
  })

  it('is the same every time, byte for byte', () => {
    using _scope = tensorScope()
    assert.deepEqual(draw(requests), draw(requests))
  })

  it('depends on seed, index and prompt', () => {
    using _scope = tensorScope()
    const [request] = requests
    const changed = [request, { ...request, seed: 12 }, { ...request, index: 9 }, { ...request, text: 'crosses' }]
    const images = draw(changed).map(({ bytes }) => bytes.join())
    assert.equal(new Set(images).size, 4)
  })

  it('is of the stated size, and batches are heard of', () => {
    const counts: number[] = []
    using _scope = tensorScope()
    const before = livingTensors()
    const pictures = drawImages(model, requests, sampling, { batchSize: 2, onBatch: (count) => counts.push(count) })
    assert.deepEqual(counts, [2, 2, 1])
    assert.deepEqual(
      pictures.map(({ width, height, bytes }) => [width, height, bytes.length]),
      requests.map(() => [24, 24, 1728]),
    )
    assert.ok(livingTensors() <= before)
    assert.deepEqual(draw([]), [])
  })
})

describe('a guided image', () => {
  it('follows prompt and scale: up to w = 1 it is the prompt’s own', () => {
    using _scope = tensorScope()
    const base = gaussianModel()
    const shifts = [new Array(4).fill(-0.3), new Array(4).fill(0.2), new Array(4).fill(0)]
    const policy = base.with(shiftsFrom(shifts).change)
    // the toy's state is grey; its one channel is shown as three
    const colored: GenerativeModel = new Proxy(policy, {
      get: (model, name) =>
        name === 'decode' ? ([x0]: readonly Tensor[]) => x0.expand(-1, 3, -1, -1) : Reflect.get(model, name),
    })
    const at = (text: string, guidance: number) =>
      drawImages(colored, [{ text, seed: 1, index: 1 }], { steps: 4, eta: 1, guidance })[0].bytes.join()
    assert.equal(at('low', 0), at('low', 1))
    assert.notEqual(at('low', 1), at('', 1))
    assert.notEqual(at('low', 1), at('low', 2))
    assert.equal(at('', 1), at('', 5))
  })
})
