/** What a policy gradient minimises of transitions: a surrogate of the return, and nearness to the pre-trained model. */
import { z } from 'zod'
import { gaussianKl } from '../../diffusion/gaussian.ts'
import type { Sampler, Transition } from '../../diffusion/process.ts'
import { ones } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Transitions } from './transitions.ts'
import {
  clampedPerElement,
  clippedSurrogate,
  divergenceMask,
  maskedSurrogate,
  normalisedLogRatio,
} from './trust-region.ts'

/** What a model says of M transitions: its guided prediction, and the action that follows from it. */
export interface Act {
  readonly prediction: Tensor // [M, …]
  readonly action: Transition
}

/** Transitions as the policy under training sees them. */
interface Evaluated {
  readonly transitions: Transitions
  readonly sampler: Sampler
  /** With the graph of its gradients. */
  readonly policy: Act
  /** Δ = log p_θ − log p_old, summed, nats [M]. */
  readonly delta: Tensor
}

/** The same beside the pre-trained model. */
interface Compared extends Evaluated {
  readonly reference: Act
  /** KL(p_θ ‖ p_pre), summed, nats [M]. */
  readonly kl: Tensor
}

export interface Objective {
  /** What its log-densities are, for the record: a bound on their ratio means nothing without it. */
  readonly logDensity: 'summed over elements, nats' | 'mean over elements, nats'
  /** A loss whose gradient at θ = θ_old is that of −advantage · log p_θ, bounded by a trust region: [M]. */
  surrogate(seen: Evaluated): Tensor
  /** Which transitions the trust region has at its bound: bool [M]. */
  bounded(seen: Evaluated): Tensor
  /** Distance to the pre-trained model: [M]. */
  distance(seen: Compared): Tensor
  /** What means over random transitions of so many trained steps are multiplied by: their number makes them the sums over t. */
  scale(steps: number): number
}

const beyond = (logRatio: Tensor, bound: number) => logRatio.detach().abs().gt(bound)

/**
 * Eq. 9 of Fan et al. 2023: log-densities and KL summed over elements and over the steps of a trajectory, with PPO's bound
 * on the ratio in nats.
 */
export const summedObjective = (clipRange: number): Objective => ({
  logDensity: 'summed over elements, nats',
  surrogate: ({ delta, transitions }) => clippedSurrogate(delta, transitions.advantage, clipRange),
  bounded: ({ delta }) => beyond(delta, clipRange),
  distance: ({ kl }) => kl,
  scale: (steps) => steps,
})

/**
 * The same with the bound of GRPO-Guard: the ratio is normalised, and given in nats of a step of average noise, so that one
 * range fits both. The gradient at θ = θ_old is the plain one times σ_t over the average σ.
 *
 * @param deviation average σ of the sampler's stochastic steps, see {@link averageDeviation}
 */
export function guardedObjective(clipRange: number, deviation: number): Objective {
  const logRatio = ({ transitions: { xPrev, oldMean }, policy: { action } }: Evaluated) =>
    normalisedLogRatio(xPrev, action.mean, oldMean, action.sigma).div(deviation)
  return {
    ...summedObjective(clipRange),
    surrogate: (seen) => clippedSurrogate(logRatio(seen), seen.transitions.advantage, clipRange),
    bounded: (seen) => beyond(logRatio(seen), clipRange),
  }
}

/**
 * The same with the mask of Flow-DPPO: no ratio is bounded; terms are left out whose step-KL is above that at which
 * log-ratios deviate by the clip range, clipRange²/2, and that would lead further away.
 */
export function maskedObjective(clipRange: number): Objective {
  const mask = ({ delta, transitions: { advantage, oldMean }, policy: { action } }: Evaluated) =>
    divergenceMask(
      delta.detach(),
      advantage,
      gaussianKl(action.mean.detach(), oldMean, action.sigma.detach()),
      clipRange ** 2 / 2,
    )
  return {
    ...summedObjective(clipRange),
    surrogate: (seen) => maskedSurrogate(seen.delta, seen.transitions.advantage, mask(seen)),
    bounded: mask,
  }
}

/**
 * The public code of Fan et al. 2023: means over elements and transitions, the mean squared difference of ε in the place of
 * the KL, and a bare clamp of the ratio.
 *
 * @param clipRange nats of a summed log-density, of which an element has its share
 */
export const publishedObjective = (clipRange: number): Objective => ({
  logDensity: 'mean over elements, nats',
  surrogate({ delta, transitions: { advantage, xt } }) {
    const elements = xt.numel / xt.shape[0]
    return clampedPerElement(delta, advantage, elements, clipRange / elements)
  },
  bounded: ({ delta }) => beyond(delta, clipRange),
  distance({ policy, reference, sampler, transitions: { xt, steps } }) {
    const epsilonOf = ({ prediction }: Act) => sampler.parts(prediction, xt, steps).epsilon
    return epsilonOf(policy).sub(epsilonOf(reference)).square().flatten(1).mean(1)
  },
  scale: () => 1,
})

/** Config fields of methods that may choose how an update is bounded. */
export const trustRegionFields = {
  trustRegion: z
    .enum(['clip', 'guard', 'mask'])
    .default('clip')
    .describe(
      'What bounds an update: PPO’s clip of the ratio; guard clips GRPO-Guard’s ratio, normalised so that all steps count alike; mask bounds no ratio, but leaves out what moves further where a step’s KL is above clip range²/2 (Flow-DPPO).',
    ),
  clipRange: z
    .number()
    .positive()
    .default(0.2)
    .describe('Bound on the change of a summed log-density, nats (a published 1e-4 per element is 1e-4 · D nats).'),
  ignoreRounding: z
    .boolean()
    .default(false)
    .describe('Trains although rounding alone moves log-ratios by more than half of the clip range.'),
}
type TrustRegionSettings = z.infer<z.ZodObject<typeof trustRegionFields>>

/** @param sampler with all its steps, also those that a window leaves out at times */
export function boundedObjective({ trustRegion, clipRange }: TrustRegionSettings, sampler: Sampler): Objective {
  switch (trustRegion) {
    case 'clip':
      return summedObjective(clipRange)
    case 'guard':
      return guardedObjective(clipRange, averageDeviation(sampler))
    case 'mask':
      return maskedObjective(clipRange)
  }
}

/** The average σ of a sampler's stochastic steps, latent units. */
function averageDeviation(sampler: Sampler): number {
  using _scope = tensorScope()
  const at = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
  const state = ones([at.length, 1])
  return sampler.transition(state, state, at).sigma.mean().item()
}
