/** What a policy gradient minimises of transitions: a surrogate of the return, and nearness to the pre-trained model. */
import type { Sampler, Transition } from '../../diffusion/process.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Transitions } from './transitions.ts'
import { clampedPerElement, clippedSurrogate } from './trust-region.ts'

/** What a model says of M transitions: its guided prediction, and the action that follows from it. */
export interface Act {
  readonly prediction: Tensor // [M, …]
  readonly action: Transition
}

/** Transitions as the policy under training sees them, and the pre-trained model. */
interface Evaluated {
  readonly transitions: Transitions
  /** With the graph of its gradients. */
  readonly policy: Act
  readonly reference: Act
  /** Δ = log p_θ − log p_old, summed, nats [M]. */
  readonly delta: Tensor
  /** KL(p_θ ‖ p_pre), summed, nats [M]. */
  readonly kl: Tensor
}

export interface Objective {
  /** A loss whose gradient at θ = θ_old is that of −advantage · log p_θ, bounded by a trust region: [M]. */
  surrogate(seen: Evaluated): Tensor
  /** Distance to the pre-trained model: [M]. */
  distance(seen: Evaluated): Tensor
  /** What means over random transitions are multiplied by: their number in a trajectory makes them the sums over t. */
  readonly scale: number
}

/**
 * Eq. 9 of Fan et al. 2023: log-densities and KL summed over elements and over the steps of a trajectory, with PPO's bound
 * on the ratio in nats.
 *
 * @param steps that are trained, of a trajectory
 */
export const summedObjective = (clipRange: number, steps: number): Objective => ({
  surrogate: ({ delta, transitions }) => clippedSurrogate(delta, transitions.advantage, clipRange),
  distance: ({ kl }) => kl,
  scale: steps,
})

/**
 * The public code of Fan et al. 2023: means over elements and transitions, the mean squared difference of ε in the place of
 * the KL, and a bare clamp of the ratio.
 *
 * @param clipRange nats of a summed log-density, of which an element has its share
 */
export const publishedObjective = (clipRange: number, sampler: Sampler): Objective => ({
  surrogate({ delta, transitions: { advantage, xt } }) {
    const elements = xt.numel / xt.shape[0]
    return clampedPerElement(delta, advantage, elements, clipRange / elements)
  },
  distance({ policy, reference, transitions: { xt, steps } }) {
    const epsilonOf = ({ prediction }: Act) => sampler.parts(prediction, xt, steps).epsilon
    return epsilonOf(policy).sub(epsilonOf(reference)).square().flatten(1).mean(1)
  },
  scale: 1,
})
