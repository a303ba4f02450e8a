import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertGradient, withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { cat, randn, zeros } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { inOrder } from '../image-order.ts'
import { Weights } from '../weights.ts'
import { decode, encode, modernKey } from './autoencoder.ts'
import { readAutoencoderConfig, type AutoencoderConfig } from './autoencoder-config.ts'

useThreads(1)

const folder = fileURLToPath(new URL('../../../test/fixtures/stable-diffusion', import.meta.url))
const draw = (seed: number, ...shape: number[]) => randn(shape, new Generator(seed))

/** A tiny checkpoint and what diffusers computes with it. */
function load(name: string) {
  const config = readAutoencoderConfig(JSON.parse(readFileSync(`${folder}/${name}/vae/config.json`, 'utf8')), name)
  const { tensors } = readSafetensors(`${folder}/${name}/vae/diffusion_pytorch_model.safetensors`)
  const { tensors: numbers } = readSafetensors(`${folder}/expected-${name}.safetensors`, {
    only: (key) => key.startsWith('vae.'),
  })
  return { config, tensors, expected: (key: string) => numbers.get(`vae.${key}`)! }
}

function assertNear(actual: Tensor, expected: Tensor, tolerance: number): void {
  assert.deepEqual(actual.shape, expected.shape)
  const difference = actual.to('float64').sub(expected.to('float64')).abs().flatten().amax(0).item()
  assert.ok(difference <= tolerance, `differs by ${difference}, more than ${tolerance}`)
}

const stableDiffusion1 = readAutoencoderConfig(
  {
    _class_name: 'AutoencoderKL',
    block_out_channels: [128, 256, 512, 512],
    down_block_types: Array(4).fill('DownEncoderBlock2D'),
    up_block_types: Array(4).fill('UpDecoderBlock2D'),
    layers_per_block: 2,
    sample_size: 512,
  },
  'Stable Diffusion 1.5',
)

for (const name of ['sd1', 'sd2', 'sdxl']) {
  describe(`the autoencoder of ${name}, as diffusers computes it`, () => {
    it('moments and pictures, of all its parameters', () => {
      using _scope = tensorScope()
      const { config, tensors, expected } = load(name)
      const weights = Weights.of(tensors)
      const { mean, logVariance } = encode(weights, config, expected('pixels'))
      assertNear(mean, expected('mean'), 1e-4)
      assertNear(logVariance, expected('logvar'), 1e-4)
      const drawn = mean.add(logVariance.div(2).exp().mul(expected('noise')))
      assertNear(drawn.mul(config.scalingFactor), expected('latents_drawn'), 1e-4)
      assertNear(decode(weights, config, expected('latents')), expected('decoded'), 1e-4)
      assert.deepEqual(weights.unasked(), [])
      const byPlaces = new Map([...tensors].map(([key, each]) => [key, inOrder(each, 'places')]))
      const placed = Weights.of(byPlaces, { order: 'places' })
      assertNear(encode(placed, config, expected('pixels')).mean, expected('mean'), 1e-4)
      assertNear(decode(placed, config, expected('latents')), expected('decoded'), 1e-4)
    })

    it('a larger picture whole, and in tiles', () => {
      using _scope = tensorScope()
      const { config, tensors, expected } = load(name)
      const weights = Weights.of(tensors)
      const [latents, pixels] = [expected('large_latents'), expected('large_pixels')]
      assertNear(decode(weights, config, latents), expected('large_decoded'), 1e-4)
      assertNear(encode(weights, config, pixels).mean, expected('large_mean'), 1e-4)
      assertNear(decode(weights, config, latents, { tiling: true }), expected('tiled_decoded'), 1e-4)
      const { mean, logVariance } = encode(weights, config, pixels, { tiling: true })
      assertNear(mean, expected('tiled_mean'), 1e-4)
      assertNear(logVariance, expected('tiled_logvar'), 1e-4)
    })

    // Values reach ±3, where neighbours in bfloat16 are 0.016 apart; float32 is 0.04 away.
    it('in bfloat16, within 0.05', () => {
      using _scope = tensorScope()
      const { config, tensors, expected } = load(name)
      const weights = Weights.of(tensors, { dtype: 'bfloat16' })
      const { mean, logVariance } = encode(weights, config, expected('pixels'))
      assert.equal(mean.dtype, 'bfloat16')
      assertNear(mean, expected('mean_bf16'), 0.05)
      assertNear(logVariance, expected('logvar_bf16'), 0.05)
      assertNear(decode(weights, config, expected('latents')), expected('decoded_bf16'), 0.05)
    })
  })
}

describe('a batch of pictures', () => {
  const plain: AutoencoderConfig = Object.freeze({
    latentChannels: 2,
    blockOutChannels: [2, 2],
    layersPerBlock: 1,
    normNumGroups: 1,
    midBlockAddAttention: false,
    useQuantConv: false,
    usePostQuantConv: false,
    scalingFactor: 1,
    forceUpcast: false,
    sampleSize: 128,
    factor: 2,
  })
  const eachAlone = (x: Tensor, of: (one: Tensor) => Tensor) => cat([of(x.slice(0, 0, 1)), of(x.slice(0, 1, 2))])

  it('gives what each picture gives alone; without attention and the convolutions of 1 × 1 here', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    for (const tiling of [false, true]) {
      for (const side of [8, 256]) {
        const latents = draw(1, 2, 2, side / 2, side / 2)
        const decoded = (x: Tensor) => decode(weights, plain, x, { tiling })
        assertNear(decoded(latents), eachAlone(latents, decoded), 1e-5)
        const encoded = (x: Tensor) => encode(weights, plain, x, { tiling }).logVariance
        const pixels = draw(2, 2, 3, side, side)
        assertNear(encoded(pixels), eachAlone(pixels, encoded), 1e-5)
      }
    }
    assert.ok(![...weights.tensors().keys()].some((name) => /attentions|quant_conv/.test(name)))
    for (const weight of weights.tensors().values()) weight.dispose()
  })

  it('gives the same with the channels of a place side by side, whose norms are composed at this size', () => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const wide = { ...plain, blockOutChannels: [64, 64], normNumGroups: 8 }
    const latents = draw(1, 1, 2, 128, 128)
    const fresh = Weights.fresh(1)
    const expected = decode(fresh, wide, latents)
    const kernels = [...fresh.tensors()].map(([name, each]) => [name, inOrder(each, 'places')] as const)
    assertNear(decode(Weights.of(new Map(kernels), { order: 'places' }), wide, latents), expected, 1e-4)
    for (const weight of fresh.tensors().values()) weight.dispose()
  })
})

describe('tiles', () => {
  it('keep the size of the picture where they do not divide into four', () => {
    using _scope = tensorScope()
    const { config, tensors } = load('sd1')
    const weights = Weights.of(tensors)
    for (const sampleSize of [2, 6, 12]) {
      const odd = { ...config, sampleSize }
      assert.deepEqual(decode(weights, odd, draw(1, 1, 4, 7, 11), { tiling: true }).shape, [1, 3, 14, 22])
      assert.deepEqual(encode(weights, odd, draw(1, 1, 3, 14, 22), { tiling: true }).mean.shape, [1, 4, 7, 11])
    }
  })

  it('are not cut where the picture fits into one', () => {
    using _scope = tensorScope()
    const { config, tensors } = load('sd1')
    const weights = Weights.of(tensors)
    const latents = draw(1, 1, 4, 8, 7)
    assertNear(decode(weights, config, latents, { tiling: true }), decode(weights, config, latents), 0)
  })
})

describe('gradients through the autoencoder, against finite differences', () => {
  const float64Weights = (tensors: ReadonlyMap<string, Tensor>) =>
    Weights.of(new Map([...tensors].map(([name, each]) => [name, each.to('float64')])))
  const some = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(3 * i + 1))

  it('of the decoder, whole and in tiles', () => {
    using _scope = tensorScope()
    const { config, tensors } = load('sd1')
    const weights = float64Weights(tensors)
    assertGradient((x) => decode(weights, config, x).square(), some(16), [1, 4, 2, 2])
    const small = { ...config, sampleSize: 8 }
    assertGradient((x) => decode(weights, small, x, { tiling: true }).square(), some(20), [1, 4, 1, 5])
  })

  it('of the encoder', () => {
    using _scope = tensorScope()
    const { config, tensors } = load('sd1')
    const weights = float64Weights(tensors)
    const of = (pixels: Tensor) => {
      const { mean, logVariance } = encode(weights, config, pixels)
      return mean.square().add(logVariance.exp())
    }
    assertGradient(of, some(48), [1, 3, 4, 4])
  })
})

describe('lifetime', () => {
  it('nothing but the result is left', () => {
    withoutLeak(() => {
      const { config, tensors, expected } = load('sd1')
      const weights = Weights.of(tensors)
      const [pixels, latents] = [expected('large_pixels'), expected('large_latents')]
      for (const tiling of [false, true]) {
        const before = livingTensors()
        decode(weights, config, latents, { tiling })
        assert.ok(livingTensors() <= before + 1)
        encode(weights, config, pixels, { tiling })
        assert.ok(livingTensors() <= before + 3)
      }
    })
  })
})

describe('tensors without elements', () => {
  it('have the shapes of Stable Diffusion 1.5, whole and in tiles, and as many parameters', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1, { device: 'meta' })
    const { mean, logVariance } = encode(weights, stableDiffusion1, zeros([1, 3, 512, 512], 'float32', 'meta'))
    assert.deepEqual([mean.shape, logVariance.shape], Array(2).fill([1, 4, 64, 64]))
    const latents = zeros([2, 4, 64, 96], 'float32', 'meta')
    for (const tiling of [false, true]) {
      const pixels = decode(weights, stableDiffusion1, latents, { tiling })
      assert.deepEqual([pixels.shape, pixels.device], [[2, 3, 512, 768], 'meta'])
    }
    const counts = [...weights.tensors().values()].map(({ numel }) => numel)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      83_653_863,
    )
    for (const weight of weights.tensors().values()) weight.dispose()
  })
})

describe('refused tensors', () => {
  const weights = () => Weights.fresh(1, { device: 'meta' })
  const refuses = (run: () => void, where: string, expected: string, received: string) =>
    assert.throws(run, { name: ShapeError.name, where, expected, received })

  it('pictures of other than three channels, or that latents do not divide; latents of other channels', () => {
    using _scope = tensorScope()
    const given = (...shape: number[]) => zeros(shape, 'float32', 'meta')
    refuses(
      () => encode(weights(), stableDiffusion1, given(1, 4, 8, 8)),
      'pixels',
      'shape […, 3, …, …]',
      '[1, 4, 8, 8]',
    )
    for (const [height, width] of [
      [12, 16],
      [16, 12],
    ]) {
      const run = () => encode(weights(), stableDiffusion1, given(1, 3, height, width))
      refuses(run, 'pixels', 'height and width in multiples of 8', `${height} × ${width}`)
    }
    refuses(
      () => decode(weights(), stableDiffusion1, given(1, 3, 8, 8)),
      'latents',
      'shape […, 4, …, …]',
      '[1, 3, 8, 8]',
    )
  })
})

describe('names of parameters in old checkpoints', () => {
  it('become those of today', () => {
    const old = (name: string) => `encoder.mid_block.attentions.0.${name}`
    const pairs = [
      [old('query.weight'), old('to_q.weight')],
      [old('key.bias'), old('to_k.bias')],
      [old('value.weight'), old('to_v.weight')],
      [old('proj_attn.bias'), old('to_out.0.bias')],
      ['mid_block.attentions.0.query.weight', 'mid_block.attentions.0.to_q.weight'],
    ]
    for (const [before, after] of pairs) assert.equal(modernKey(before), after)
  })

  it('of today and of other layers stay', () => {
    using _scope = tensorScope()
    const names = [...load('sd1').tensors.keys(), ...load('sdxl').tensors.keys()]
    for (const name of names) assert.equal(modernKey(name), name)
    assert.equal(modernKey('encoder.query.weight'), 'encoder.query.weight')
    assert.equal(modernKey('mid_block.attentions.0.query.lora'), 'mid_block.attentions.0.query.lora')
  })

  it('lead to the same numbers', () => {
    using _scope = tensorScope()
    const { config, tensors, expected } = load('sd1')
    const names = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' }
    const old = [...tensors].map(([name, each]) => {
      const [today, before] = Object.entries(names).find(([each]) => name.includes(`.${each}.`)) ?? ['', '']
      return [name.replace(today, before), each] as const
    })
    assert.equal(old.filter(([name]) => name.includes('.proj_attn.')).length, 4)
    const weights = Weights.of(new Map(old.map(([name, each]) => [modernKey(name), each])))
    assertNear(decode(weights, config, expected('latents')), expected('decoded'), 1e-4)
    assert.ok(!weights.unasked().some((name) => name.startsWith('decoder.')))
  })
})
