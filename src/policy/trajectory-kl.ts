/** How far a policy has moved from the pre-trained model, in nats of whole trajectories. */
import { gaussianKl } from '../diffusion/gaussian.ts'
import type { Sampler } from '../diffusion/process.ts'
import { sampleTrajectories } from '../diffusion/sample.ts'
import { drawEarlier, noiseOf } from '../images/draw.ts'
import { watchingStates } from '../images/finite.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import type { StreamPath } from '../streams.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'

/**
 * Σ_t KL(p_θ(x_{t−1}|x_t, z) ‖ p_pre(x_{t−1}|x_t, z)) on fresh roll-outs of the policy: an unbiased estimate of the KL
 * between the two distributions of trajectories, and of the bound of Fan et al. 2023, Lemma 4.2.
 *
 * @param noisePath the stream of trajectory i; choose one that training did not use
 * @returns         nats, one number a text
 */
export function trajectoryKl(
  policy: GenerativeModel,
  texts: readonly string[],
  noisePath: (index: number) => StreamPath,
  {
    sampler,
    guidance,
    batchSize = Math.min(64, policy.defaults.batchSize),
  }: { readonly sampler: Sampler; readonly guidance: number; readonly batchSize?: number },
): number[] {
  using _noGrad = noGrad()
  // In a narrower element type the KL of a policy near its reference is rounding.
  const exact = policy.in('float32')
  const reference = exact.with({})
  const totals: number[] = []
  for (let from = 0; from < texts.length; from += batchSize) {
    using _scope = tensorScope()
    const batch = texts.slice(from, from + batchSize)
    const paths = batch.map((_, i) => noisePath(from + i))
    const prompts = encodePrompts(exact, batch)
    const rows = { texts: batch, earlier: drawEarlier(exact, { prompts, texts: batch, paths }) }
    const noise = noiseOf(exact, policyOf(exact), paths, sampler.steps.length)
    const predict = guidedPredictor(policyOf(exact), prompts, rows, guidance)
    const { states, predictions } = watchingStates((watch) => sampleTrajectories({ predict, sampler, noise, watch }))
    const referencePredict = guidedPredictor(policyOf(reference), encodePrompts(reference, batch), rows, guidance)
    const sums = new Array<number>(batch.length).fill(0)
    for (const { index, stochastic } of sampler.steps) {
      if (!stochastic) continue
      using _step = tensorScope()
      const at = sampler.place(new Array<number>(batch.length).fill(index), policy.device)
      const mean = sampler.transition(predictions[index], states[index], at)
      const times = sampler.times(at, policy.device)
      const prediction = referencePredict(states[index], times)
      const { mean: referenceMean } = sampler.transition(prediction, states[index], at)
      gaussianKl(mean.mean, referenceMean, mean.sigma)
        .toArray()
        .forEach((kl, i) => (sums[i] += kl))
    }
    totals.push(...sums)
  }
  return totals
}

/**
 * KL of best-of-n to the distribution it picks from: log n − (n − 1)/n, nats. Of the image, not of the trajectory.
 * @see Stiennon et al. 2020 (arXiv:2009.01325), App. G.3
 */
export function bestOfNKl(n: number): number {
  return Math.log(n) - (n - 1) / n
}
