import { describe, it } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { gradients } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { clampedPerElement, clippedSurrogate } from './trust-region.ts'

useThreads(1)

describe('the clipped surrogate', () => {
  const at = (delta: number, advantage: number, clip = 0.2): [loss: number, gradient: number] => {
    using _scope = tensorScope()
    const x = tensor([delta]).requireGrad()
    const loss = clippedSurrogate(x, tensor([advantage]), clip)
    return [loss.item(), gradients([loss.sum()], [x])[0]!.item()]
  }
  const cases: [what: string, delta: number, advantage: number, loss: number, gradient: number][] = [
    ['no change, good', 0, 2, -2, -2],
    ['no change, bad', 0, -2, 2, 2],
    ['inside, good', 0.1, 2, -2 * Math.exp(0.1), -2 * Math.exp(0.1)],
    ['inside, bad', -0.1, -2, 2 * Math.exp(-0.1), 2 * Math.exp(-0.1)],
    ['good and already likelier: nothing more to gain', 0.5, 2, -2 * Math.exp(0.2), 0],
    ['good but less likely: pulled back', -0.5, 2, -2 * Math.exp(-0.5), -2 * Math.exp(-0.5)],
    ['bad and already less likely: nothing more to gain', -0.5, -2, 2 * Math.exp(-0.2), 0],
    ['bad but likelier: pushed back', 0.5, -2, 2 * Math.exp(0.5), 2 * Math.exp(0.5)],
    ['bad and more than three times as likely: the second bound', 1.5, -2, 6, 0],
    ['far too likely, good', 1000, 2, -2 * Math.exp(0.2), 0],
    ['far too likely, bad', 1000, -2, 6, 0],
    ['far too unlikely, good', -1000, 2, -2 * Math.exp(-20), 0],
    ['far too unlikely, bad', -1000, -2, 2 * Math.exp(-0.2), 0],
    ['no advantage', 0.1, 0, 0, 0],
  ]
  for (const [what, delta, advantage, loss, gradient] of cases) {
    it(what, () => assertClose(at(delta, advantage), [loss, gradient], 1e-6))
  }
})

describe('the bare clamp of the public code', () => {
  const at = (delta: number, advantage: number): [loss: number, gradient: number] => {
    using _scope = tensorScope()
    const x = tensor([delta]).requireGrad()
    const loss = clampedPerElement(x, tensor([advantage]), 4, 0.1)
    return [loss.item(), gradients([loss.sum()], [x])[0]!.item()]
  }
  for (const [what, delta, advantage, loss, gradient] of [
    ['has the gradient of a mean over elements where nothing has changed', 0, 2, -2, -2 / 4],
    ['follows the ratio of one element inside', 0.2, 2, -2 * Math.exp(0.05), (-2 / 4) * Math.exp(0.05)],
    ['has no gradient where a good action is likelier already', 1, 2, -2 * 1.1, 0],
    ['nor where a bad one is likelier, which PPO would push back', 1, -2, 2 * 1.1, 0],
  ] as const) {
    it(what, () => assertClose(at(delta, advantage), [loss, gradient], 1e-6))
  }
})
