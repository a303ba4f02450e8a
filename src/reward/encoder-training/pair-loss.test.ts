import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../../errors.ts'
import { expectedOf, fixtures } from '../../networks/clip/fixture.test-helper.ts'
import { openClip } from '../../networks/clip/clip-encoder.ts'
import { changeOf, downSuffix, upSuffix } from '../../networks/adapters.ts'
import type { Picture } from '../../images/png.ts'
import { gradients } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { preferenceKl } from './pair-loss.ts'
import { lossOf } from './train-encoder.ts'
import { logScaleName, trainedEncoder, type ShownPair, type TrainedEncoder } from './trained-encoder.ts'

describe('preferenceKl', () => {
  const [better, worse] = [
    [2, 0.3, -1],
    [1, 0.3, 4],
  ]
  const isTie = [false, true, true]
  /** By hand: Σ p log(p / p̂). */
  const kl = (a: number, b: number, tie: boolean) => {
    const won = 1 / (1 + Math.exp(b - a))
    return tie ? 0.5 * Math.log(0.5 / won) + 0.5 * Math.log(0.5 / (1 - won)) : -Math.log(won)
  }

  it('is the divergence of what was said from the softmax of both scores, and 0 of a tie of equals', () => {
    using _scope = tensorScope()
    const losses = preferenceKl(tensor(better), tensor(worse), isTie).toArray()
    losses.forEach((loss, i) => assert.ok(Math.abs(loss - kl(better[i], worse[i], isTie[i])) < 1e-6))
    assert.ok(Math.abs(losses[1]) < 1e-7)
    const [equal] = preferenceKl(tensor([5]), tensor([5]), [false]).toArray()
    assert.ok(Math.abs(equal - Math.LN2) < 1e-6)
  })

  it('has the gradient of finite differences', () => {
    using _scope = tensorScope()
    const x = tensor(Float64Array.from(better)).requireGrad()
    const of = (values: Tensor) => preferenceKl(values, tensor(Float64Array.from(worse)), isTie).sum()
    const [slope] = gradients([of(x)], [x])
    for (const i of better.keys()) {
      const moved = (by: number) => tensor(Float64Array.from(better, (value, place) => value + (place === i ? by : 0)))
      const difference = (of(moved(1e-5)).item() - of(moved(-1e-5)).item()) / 2e-5
      assert.ok(Math.abs(difference - slope!.toArray()[i]) < 1e-6)
    }
  })

  it('stays finite where scores are far apart, and refuses other shapes', () => {
    using _scope = tensorScope()
    const losses = preferenceKl(tensor([-500, 500]), tensor([500, -500]), [false, true]).toArray()
    assert.ok(Math.abs(losses[0] - 1000) < 1e-3 && Math.abs(losses[1] - (500 - Math.LN2)) < 1e-3, losses.join())
    assert.throws(() => preferenceKl(tensor([1, 2]), tensor([1]), [true, false]), ShapeError)
  })
})

describe('the loss of a batch, as PyTorch has it', () => {
  const clip = openClip(`${fixtures}/clip`, { dtype: 'float32', device: 'cpu' })
  const prompts = ['a red apple on a table', '', 'The quick brown fox, 12 times over the lazy dog; '.repeat(8)]
  const settings = { rank: 2, loraAlpha: 3 }
  const expected = expectedOf('pickscore')
  const numbers = (key: string) => {
    using _scope = tensorScope()
    return expected(key).toArray()
  }
  const [pairs, texts, ties, weights] = ['pairs', 'texts', 'ties', 'weights'].map(numbers)
  const batch = texts.map((text, i): ShownPair => {
    const [better, worse] = pairs.slice(2 * i, 2 * i + 2)
    return { better, worse, shown: prompts[text], isTie: ties[i] === 1, weight: weights[i] }
  })
  const total = weights.reduce((sum, one) => sum + one, 0)
  const pictureOf = (image: number): Picture => {
    using _scope = tensorScope()
    const stored = expectedOf('clip')(`clip.image.${image}`)
    const [height, width] = stored.shape
    return { height, width, bytes: Uint8Array.from(stored.toArray()) }
  }

  /** @returns the loss; gradients lie in `grad` */
  function backward(trained: TrainedEncoder, parts: readonly (readonly ShownPair[])[], isCheckpointed = false): number {
    return parts.reduce((sum, part) => {
      using graph = gradientCheckpoints(isCheckpointed)
      const loss = lossOf(trained, part, total, pictureOf)
      graph.backward(loss)
      return sum + loss.item()
    }, 0)
  }

  function assertGradient(name: string, own: Tensor | undefined, key: string): void {
    const want = expected(key).to('float32').flatten()
    const largest = want.abs().amax(0).item()
    const apart = own === undefined ? largest : own.flatten().sub(want).abs().amax(0).item()
    // Pictures are resized by other code, which rounds to other bytes here and there.
    assert.ok(apart <= 6e-3 * largest + 2e-6, `${name}: a gradient of up to ${largest} is ${apart} apart`)
  }

  for (const [title, parts, isCheckpointed] of [
    ['at once', [batch], false],
    ['pair by pair', batch.map((pair) => [pair]), false],
    ['with gradient checkpoints', [batch], true],
  ] as const) {
    it(`of all weights, and its gradients, ${title}`, () => {
      using _scope = tensorScope()
      const trained = trainedEncoder(clip.tuning!, { ...settings, trainEncoder: 'all' }, 0)
      const loss = backward(trained, parts, isCheckpointed)
      assert.ok(Math.abs(loss - expected('all.loss').item()) < 2e-4, `${loss}`)
      assert.equal(trained.parameters.size, clip.tuning!.weights.tensors().size)
      for (const [name, one] of trained.parameters) {
        assertGradient(name, one.grad, `all.gradient.${name === logScaleName ? 'logit_scale' : name}`)
      }
    })
  }

  it('of adapters, and their gradients', () => {
    using _scope = tensorScope()
    const trained = trainedEncoder(clip.tuning!, { ...settings, trainEncoder: 'lora' }, 0)
    const keyOf = (name: string) =>
      name.replace(`.weight${downSuffix}`, '.lora_A.weight').replace(`.weight${upSuffix}`, '.lora_B.weight')
    const adapters = [...trained.parameters].filter(([name]) => name !== logScaleName)
    assert.equal(adapters.length, 2 * 2 * 2 * 6)
    const parameters = new Map(trained.parameters)
    for (const [name] of adapters) parameters.set(name, expected(`lora.${keyOf(name)}`).requireGrad())
    const change = changeOf(new Map([...parameters].filter(([name]) => name !== logScaleName)), 1.5)
    const loss = backward({ parameters, encoder: clip.tuning!.with(change) }, [batch])
    assert.ok(Math.abs(loss - expected('lora.loss').item()) < 2e-3, `${loss}`)
    for (const [name] of adapters) assertGradient(name, parameters.get(name)!.grad, `lora.gradient.${keyOf(name)}`)
  })
})
