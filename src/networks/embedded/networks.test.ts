import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose, withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { noGrad, withoutGrad } from '../../tensor/autograd.ts'
import { full, randn, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { timeFeatures } from './blocks.ts'
import { embeddingWidth, imageEmbedding, textEmbedding } from './clip.ts'
import { pixelUnet } from './pixel-unet.ts'
import { encodeText, type TextEncoderSize } from './text-encoder.ts'
import { Weights } from '../weights.ts'

useThreads(1)

const size: TextEncoderSize = { vocabulary: 9, length: 5, width: 16, layers: 2 }
const ids = (...rows: number[][]) => tensor(rows.flat(), [rows.length, size.length], 'int64')
const pictures = (batch: number, seed = 1) => randn([batch, 3, 8, 8], new Generator(seed))
const steps = (...t: number[]) => tensor(t, [t.length], 'int64')

function unet(weights: Weights, x: Tensor, t: Tensor, rows: Tensor): Tensor {
  return pixelUnet(weights.at('unet'), x, t, encodeText(weights.at('text'), rows, size), size.width)
}

/** Fresh weights live on; everything else that a network makes ends with the scope. */
function withoutLeakOnceDrawn(body: () => void): void {
  {
    using _scope = tensorScope()
    body()
  }
  withoutLeak(body)
}

const texts = () => ids([3, 4, 0, 0, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0])

describe('the text encoder', () => {
  it('gives tokens, a pooled vector and a mask', () => {
    const weights = Weights.fresh(1)
    withoutLeakOnceDrawn(() => {
      const { tokens, pooled, mask } = encodeText(weights, texts(), size)
      assert.deepEqual(
        [tokens.shape, pooled.shape, mask.shape],
        [
          [3, 5, 16],
          [3, 16],
          [3, 1, 1, 5],
        ],
      )
      assert.deepEqual(mask.toArray(), [0, 0, -1e4, -1e4, -1e4, ...new Array(10).fill(0)])
    })
  })

  it('takes nothing from padding: another padding token gives the same words', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    const encoded = (): number[][] => {
      const { tokens, pooled } = encodeText(weights, texts(), size)
      return [
        tokens.select(0, 0).slice(0, 0, 2).toArray(),
        pooled.select(0, 0).toArray(),
        pooled.select(0, 2).toArray(),
      ]
    }
    const [words, pooled, empty] = encoded()
    weights.parameter('token', [9, 16], 'zeros').slice(0, 0, 1).mul_(-3)
    const [wordsAfter, pooledAfter, emptyAfter] = encoded()
    assert.deepEqual([wordsAfter, pooledAfter], [words, pooled])
    assert.notDeepEqual(emptyAfter, empty)
  })

  it('reads the order of words, and other words', () => {
    using _scope = tensorScope()
    const pooled = encodeText(Weights.fresh(1), ids([3, 4, 0, 0, 0], [4, 3, 0, 0, 0], [3, 5, 0, 0, 0]), size).pooled
    const rows = [0, 1, 2].map((row) => pooled.select(0, row).toArray().join())
    assert.equal(new Set(rows).size, 3)
  })

  it('gives finite numbers and gradients for the empty text', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    withoutGrad(() => encodeText(weights, texts(), size))
    for (const parameter of weights.tensors().values()) parameter.requireGrad()
    const { tokens, pooled } = encodeText(weights, ids([0, 0, 0, 0, 0]), size)
    assert.ok([...tokens.toArray(), ...pooled.toArray()].every(Number.isFinite))
    tokens.square().sum().add(pooled.sum()).backward()
    for (const [name, { grad }] of weights.tensors())
      assert.ok(grad === undefined || Number.isFinite(grad.norm().item()), name)
  })
})

describe('the UNet', () => {
  it('predicts in the shape of its input, alike in any batch', () => {
    const weights = Weights.fresh(1)
    withoutLeakOnceDrawn(() => {
      using _noGrad = noGrad()
      const x = pictures(3)
      const found = unet(weights, x, steps(5, 500, 990), texts())
      assert.deepEqual(found.shape, [3, 3, 8, 8])
      const alone = unet(weights, x.slice(0, 1, 2), steps(500), ids([1, 2, 3, 4, 5]))
      assertClose(alone.toArray(), found.slice(0, 1, 2).toArray(), 1e-5)
    })
  })

  it('sees time, text and state', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    const [x] = [pictures(1)]
    const base = [x, steps(500), ids([1, 2, 0, 0, 0])] as const
    const sum = (...[a, b, c]: readonly [Tensor, Tensor, Tensor]) => unet(weights, a, b, c).square().sum().item()
    const reference = sum(...base)
    for (const changed of [
      [pictures(1, 2), base[1], base[2]],
      [base[0], steps(100), base[2]],
      [base[0], base[1], ids([1, 3, 0, 0, 0])],
    ] as const) {
      assert.ok(Math.abs(sum(...changed) - reference) > 1e-5)
    }
  })

  it('takes nothing from the padding of its text', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    const predict = () => unet(weights, pictures(1), steps(500), ids([3, 4, 0, 0, 0])).toArray()
    const prediction = predict()
    weights.parameter('text.token', [9, 16], 'zeros').slice(0, 0, 1).mul_(-3)
    assert.deepEqual(predict(), prediction)
  })

  it('has the gradient of finite differences, along the gradient of a parameter', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(2)
    const [x, t, rows] = [pictures(2), steps(30, 700), ids([3, 4, 0, 0, 0], [0, 0, 0, 0, 0])]
    const direction = randn([2, 3, 8, 8], new Generator(3))
    const loss = () => unet(weights, x, t, rows).mul(direction).sum()
    withoutGrad(loss)
    for (const parameter of weights.tensors().values()) parameter.requireGrad()
    loss().backward()
    for (const name of [
      'unet.in.weight',
      'unet.time1.weight',
      'unet.down.0.film.weight',
      'unet.middle.3.conv2.weight',
      'unet.attention.1.self.to_q.weight',
      'unet.attention.0.cross.to_k.weight',
      'unet.attention.2.mlp.up.weight',
      'unet.position',
      'unet.outNorm.bias',
      'text.token',
      'text.layer.0.attention.to_v.weight',
    ]) {
      const parameter = weights.tensors().get(name)!
      const gradient = parameter.grad!.clone()
      const slope = gradient.norm().item()
      assert.ok(slope > 1e-4, `${name} has the gradient ${slope}`)
      const difference = withoutGrad(() => {
        // A step that moves the parameter by a hundredth of its own size.
        const step = 0.01 * parameter.norm().item() || 0.01
        const at = (by: number) => {
          const kept = parameter.clone()
          parameter.add_(gradient.mul(by / slope))
          const value = loss().item()
          parameter.copy_(kept)
          return value
        }
        return (at(step) - at(-step)) / (2 * step)
      })
      assert.ok(Math.abs(difference / slope - 1) < 0.03, `${name}: ${difference} by differences, ${slope}`)
    }
  })

  it('has fresh weights of another seed, the same of the same seed', () => {
    using _scope = tensorScope()
    const predict = (seed: number) => unet(Weights.fresh(seed), pictures(1), steps(5), ids([1, 0, 0, 0, 0])).toArray()
    assert.deepEqual(predict(1), predict(1))
    assert.notDeepEqual(predict(1), predict(2))
  })
})

describe('time features', () => {
  it('by hand: sines, then cosines, of t · 10000^(−i/half)', () => {
    using _scope = tensorScope()
    const expected = [Math.sin(3), Math.sin(0.03), Math.cos(3), Math.cos(0.03)]
    assertClose(timeFeatures(steps(3), 4).toArray(), expected, 1e-6)
  })
})

describe('the CLIP-like encoders', () => {
  it('give unit vectors of one width for images and texts', () => {
    const weights = Weights.fresh(1)
    withoutLeakOnceDrawn(() => {
      const pixels = randn([3, 3, 24, 24], new Generator(1))
      for (const embedded of [imageEmbedding(weights, pixels), textEmbedding(weights, texts(), size)]) {
        assert.deepEqual(embedded.shape, [3, embeddingWidth])
        assertClose(embedded.square().sum(1).toArray(), [1, 1, 1], 1e-5)
      }
    })
  })

  it('stay finite for a blank image', () => {
    using _scope = tensorScope()
    const blank = imageEmbedding(Weights.fresh(1), full([1, 3, 24, 24], 0)).toArray()
    assert.ok(blank.every(Number.isFinite))
  })
})
