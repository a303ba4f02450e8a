/** Gradients of rewards against those of PyTorch, with respect to pixels and to latents through the codec. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { modelFields, type Open } from '../../images/open-model.ts'
import { distance, expectedOf, fixtures, readJson } from '../../networks/clip/fixture.test-helper.ts'
import { readAutoencoderConfig } from '../../networks/stable-diffusion/autoencoder-config.ts'
import { Codec } from '../../networks/stable-diffusion/codec.ts'
import { gradients } from '../../tensor/autograd.ts'
import { cat, randn } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { openReward } from '../open-reward.ts'

useThreads(1)

const unopened: Open = () => assert.fail('the model is not needed')
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const clip = join(fixtures, 'clip')
const { prompts } = readJson('prompts.json') as { prompts: readonly string[] }
const rewards = {
  clip: await openReward(clip, config, unopened),
  aesthetic: await openReward(join(fixtures, 'aesthetic-mlp.safetensors'), { ...config, encoder: clip }, unopened),
}
const vae = readSafetensors(join(fixtures, 'sd1/vae/diffusion_pytorch_model.safetensors')).tensors
const codecOf = (tiling: boolean) =>
  new Codec(vae, readAutoencoderConfig(readJson('sd1/vae/config.json'), 'sd1'), {
    device: 'cpu',
    dtype: 'float32',
    tiling,
  })

function valueAndGradient(of: (x: Tensor) => Tensor, at: Tensor): { value: number; gradient: Tensor } {
  const x = at.detach().clone().requireGrad()
  const value = of(x).sum()
  return { value: value.item(), gradient: gradients([value], [x])[0]! }
}

function assertSame(actual: ReturnType<typeof valueAndGradient>, value: number, gradient: Tensor): void {
  assert.ok(Math.abs(actual.value - value) < 2e-4, `${actual.value} is not ${value}`)
  const largest = gradient.abs().flatten().amax(0).item()
  const far = distance(actual.gradient, gradient)
  assert.ok(far < 1e-3 * largest, `a gradient of up to ${largest} differs by ${far}`)
}

describe('a gradient of PyTorch', () => {
  for (const [name, reward] of Object.entries(rewards)) {
    for (const [i, size] of ['wider than high', 'higher than wide', 'enlarged'].entries()) {
      it(`${name}: with respect to the pixels of a picture, ${size}`, () => {
        using _scope = tensorScope()
        const expected = expectedOf('reward-gradient')
        const bytes = expectedOf('clip')(`clip.image.${i}`)
        const pixels = bytes.to('float32').div(127.5).sub(1).permute(2, 0, 1).unsqueeze(0)
        const ours = valueAndGradient((x) => reward.scoreWithGradient!(x, [prompts[i]]), pixels)
        assertSame(ours, expected(`${name}.score.${i}`).item(), expected(`${name}.gradient.${i}`))
      })
    }
  }

  it('with respect to latents, through the codec', () => {
    using _scope = tensorScope()
    const expected = expectedOf('reward-gradient')
    const codec = codecOf(false)
    const score = (x: Tensor) => rewards.clip.scoreWithGradient!(codec.decode(x), prompts.slice(0, 2))
    const ours = valueAndGradient(score, expected('latents'))
    assertSame(ours, expected('latents.score').item(), expected('latents.gradient'))
  })
})

describe('a decoded picture', () => {
  for (const tiling of [false, true]) {
    it(`has the gradient of finite differences${tiling ? ', in tiles' : ''}`, () => {
      using _scope = tensorScope()
      const codec = codecOf(tiling)
      const latents = randn([1, 4, 24, 20], new Generator(1))
      const pixels = codec.decode(latents)
      const weighing = randn([...pixels.shape], new Generator(2))
      const value = (x: Tensor) => codec.decode(x).mul(weighing).sum()
      const { gradient } = valueAndGradient(value, latents)
      const along = gradient
        .div(gradient.norm())
        .add(randn([...latents.shape], new Generator(3)).mul(0.01))
        .mul(0.02)
      const slope =
        value(latents.add(along))
          .sub(value(latents.sub(along)))
          .item() / 2
      const expected = gradient.mul(along).sum().item()
      assert.ok(Math.abs(slope - expected) < 0.01 * Math.abs(expected), `${slope} is not ${expected}`)
    })
  }

  it('has the same gradient where its layers are checkpointed', () => {
    using _scope = tensorScope()
    const codec = codecOf(false)
    const latents = randn([2, 4, 8, 8], new Generator(5))
    const score = (x: Tensor) => rewards.clip.scoreWithGradient!(codec.decode(x), prompts.slice(0, 2)).sum()
    const [plain, again] = [false, true].map((wanted) => {
      const x = latents.clone().requireGrad()
      using graph = gradientCheckpoints(wanted)
      graph.backward(score(x))
      return x.grad!
    })
    assert.ok(distance(again, plain) < 1e-5 * plain.abs().flatten().amax(0).item())
  })

  it('scores higher after a few steps along the gradient of its latents', () => {
    using _scope = tensorScope()
    const codec = codecOf(false)
    let latents = randn([2, 4, 8, 8], new Generator(4))
    const texts = prompts.slice(0, 2)
    const plain = () => rewards.clip.score(codec.decode(latents), texts).toArray()
    const before = plain()
    for (let step = 0; step < 5; step++) {
      const { gradient } = valueAndGradient((x) => rewards.clip.scoreWithGradient!(codec.decode(x), texts), latents)
      const each = [0, 1].map((i) => gradient.slice(0, i, i + 1))
      latents = latents.add(cat(each.map((one) => one.div(one.norm()))))
    }
    plain().forEach((score, i) => assert.ok(score > before[i], `${before[i]} → ${score}`))
  })
})
