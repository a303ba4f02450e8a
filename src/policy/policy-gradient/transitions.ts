/** Single transitions of roll-outs, drawn at random and gathered for the training pass. */
import { alongBatch } from '../../diffusion/per-sample.ts'
import type { Random } from '../../random.ts'
import { cat, tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Rollouts } from '../rollout.ts'

/** One transition: row `rollout` of roll-outs at a step of sampling. */
export interface Place {
  readonly rollout: number
  readonly step: number
}

/** M transitions that are computed at once. */
export interface Transitions {
  readonly texts: readonly string[]
  /** x_0 of the stages before the policy's, [M, …] each. */
  readonly earlier: readonly Tensor[]
  /** Steps in the order of sampling. */
  readonly at: readonly number[]
  readonly xt: Tensor // [M, …]
  readonly xPrev: Tensor // [M, …]
  /** Mean of the action under the policy that drew it, [M, …]. */
  readonly oldMean: Tensor
  readonly advantage: Tensor // [M]
  /** Of the minibatch. */
  readonly share: number
}

/**
 * Minibatches of random transitions, none twice.
 *
 * @param steps      that have an action to be trained on
 * @param perRollout transitions of a roll-out, on average
 * @param updates    among which they are divided; the last minibatches are smaller or missing where there are too few
 */
export function drawMinibatches(
  { texts }: Pick<Rollouts, 'texts'>,
  steps: readonly number[],
  { perRollout, updates, stream }: { readonly perRollout: number; readonly updates: number; readonly stream: Random },
): Place[][] {
  const places = stream.shuffle(texts.flatMap((_, rollout) => steps.map((step): Place => ({ rollout, step }))))
  const size = Math.ceil(Math.min(places.length, texts.length * perRollout) / updates)
  return Array.from({ length: updates }, (_, k) => places.slice(k * size, (k + 1) * size)).filter(
    (minibatch) => minibatch.length > 0,
  )
}

/**
 * The transitions of a minibatch, in parts of as many as are computed at once. The tensors belong to the caller's scope.
 *
 * @param advantages N numbers a step
 * @param device     of the roll-outs and of what is trained
 */
export function gather(
  rollouts: Rollouts,
  advantages: readonly (readonly number[])[],
  minibatch: readonly Place[],
  atOnce: number,
  device: string,
): Transitions[] {
  return Array.from({ length: Math.ceil(minibatch.length / atOnce) }, (_, i) => {
    using scope = tensorScope()
    const part = minibatch.slice(i * atOnce, (i + 1) * atOnce)
    const gathered = (at: (place: Place) => Tensor) => scope.keep(cat(part.map((place) => at(place).unsqueeze(0))))
    const xt = gathered(({ rollout, step }) => rollouts.states[step].select(0, rollout))
    const xPrev = gathered(({ rollout, step }) => rollouts.states[step + 1].select(0, rollout))
    const noise = gathered(({ rollout, step }) => rollouts.noise.select(0, rollout).select(0, step + 1))
    const sigma = gathered(({ rollout, step }) => rollouts.sigmas[step].select(0, rollout))
    return {
      texts: part.map(({ rollout }) => rollouts.texts[rollout]),
      earlier: rollouts.earlier.map((all) => gathered(({ rollout }) => all.select(0, rollout))),
      at: part.map(({ step }) => step),
      xt,
      xPrev,
      oldMean: scope.keep(xPrev.sub(noise.mul(sigma.shape.length === 1 ? alongBatch('sigma', sigma, xt) : sigma))),
      advantage: scope.keep(tensor(part.map(({ rollout, step }) => advantages[step][rollout])).to(device)),
      share: part.length / minibatch.length,
    }
  })
}
