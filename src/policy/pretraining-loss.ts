/** The loss of pre-training as a term beside another one, so that a policy keeps what it knew. */
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import { mapStates, policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { seedOf } from '../random.ts'
import { policyStreams } from '../streams.ts'
import { rand, randn, zeros } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { gradientCheckpoints } from '../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

interface PretrainingTerm {
  readonly source: PretrainingSource
  readonly seed: number
  /** Of the training: each sees images of its own. */
  readonly update: number
  /** Images of an update, of which this process computes some, so many at once. */
  readonly count: number
  readonly own: { readonly from: number; readonly to: number }
  readonly atOnce: number
  readonly weight: number
  readonly gradientCheckpointing: boolean
}

/** Share of prompts that are replaced by the empty one, as in pre-training, so that guidance keeps its other branch. */
const promptDropout = 0.1

/**
 * Adds the gradient of `weight` times the mean denoising loss ‖target − prediction‖² of pre-training images, as far as it
 * comes from the images of this process. What is drawn is drawn for all images, whoever computes them.
 *
 * @returns the loss without its weight, as far as it is of these images, on the policy's device, []
 * @see Xu et al. 2023 (ImageReward, arXiv:2304.05977), Eq. 3
 */
export function addPretrainingGradient(policy: GenerativeModel, term: PretrainingTerm): Tensor {
  using scope = tensorScope()
  const { source, seed, update, count, own, atOnce, weight, gradientCheckpointing } = term
  const stage = policyOf(policy)
  const generator = new Generator(seedOf(...policyStreams.pretrainingNoise(seed, update)))
  const times = stage.process.drawTimes(count, generator)
  const noise = randn([count, ...stage.stateShape], generator)
  const drops = rand([count], generator).toArray()
  let sum = zeros([], 'float32', policy.device)
  for (let from = own.from; from < own.to; from += atOnce) {
    using part = tensorScope()
    using graph = gradientCheckpoints(gradientCheckpointing)
    const to = Math.min(own.to, from + atOnce)
    const { captions, ...states } = source(update * count + from, to - from)
    const { x0, earlier } = mapStates(states, (each) => each.to(policy.device))
    const texts = captions.map((text, i) => (drops[from + i] < promptDropout ? '' : text))
    const t = times.slice(0, from, to)
    const epsilon = noise.slice(0, from, to).to(policy.device)
    const xt = stage.process.noised(x0, epsilon, t)
    const predict = guidedPredictor(stage, encodePrompts(policy, texts), { texts, earlier }, 1)
    const prediction = predict(xt, t.to(policy.device))
    const loss = denoisingLoss(stage.process, { prediction, x0, epsilon, t }).sum().div(count)
    graph.backward(loss.mul(weight))
    sum = part.keep(sum.add(loss.detach()))
  }
  return scope.keep(sum)
}
