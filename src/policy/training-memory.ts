/** How many a training computes at once: tried on hollow networks, chosen by what is free, and kept by the run. */
import { samplerOf } from '../images/draw.ts'
import { chooseAtOnce, type AtOnce, type Room } from '../images/at-once.ts'
import type { GenerativeModel, Sampling } from '../networks/generative-model.ts'
import type { Reward } from '../reward/reward.ts'
import type { Run } from '../run.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { AnyAlgorithm } from './algorithm.ts'
import { hollowReward, hollowTrainable } from './hollow.ts'
import type { TrainableChange } from './trainable.ts'

/** Of what a trainer is made from, what decides how much memory it takes. */
export interface Tried {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly reward?: Reward
  readonly settings: Readonly<Record<string, unknown>>
}

/** Steps that are tried: each takes the same. */
const triedSteps = 2

/** The settings of what is computed at once; none of a model that has no hollow form. Call it in a scope of tensors. */
export function trainedAtOnce(algorithm: AnyAlgorithm, given: Tried, sampling: Sampling): readonly AtOnce[] {
  const model = given.model.hollow?.()
  if (model === undefined || algorithm.atOnce === undefined) return []
  const steps = Math.min(triedSteps, sampling.steps)
  return algorithm.atOnce({
    ...given,
    ...{ model, trainable: hollowTrainable(given.trainable), reward: given.reward && hollowReward(given.reward) },
    ...{ sampler: samplerOf(model, { ...sampling, steps }), guidance: sampling.guidance, steps: sampling.steps },
  } as never)
}

/**
 * The settings of a training, with those that were left open chosen: by an earlier process of the run, or now.
 *
 * @throws {OutOfMemoryError} not even one at a time fits
 */
export function chooseTrained<S extends Tried['settings']>(
  run: Run,
  algorithm: AnyAlgorithm,
  given: Tried & { readonly settings: S },
  sampling: Sampling,
  room: Room,
): S {
  using _scope = tensorScope()
  const open = trainedAtOnce(algorithm, given, sampling)
  const counts = chooseAtOnce(open, room)
  const chosen = open.map(({ field, settingFor = (count) => count }, place) => [field, settingFor(counts[place])])
  const values = Object.fromEntries(chosen.filter(([field]) => given.settings[field as string] === null)) as Partial<S>
  run.choose(values)
  return { ...given.settings, ...values }
}
