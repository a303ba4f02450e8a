/** What a training is given, by shapes alone: to find what it takes before it begins. */
import { zeros } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { hollow, type Change } from '../networks/weights.ts'
import type { Reward } from '../reward/reward.ts'
import type { TrainableChange } from './trainable.ts'

/** The same parameters and the change that they make; they belong to the scope in force. */
export function hollowTrainable({ parameters, change }: TrainableChange): TrainableChange {
  const made = new Map<Tensor, Tensor>([...parameters.values()].map((own) => [own, hollow(own)]))
  const of = (own: Tensor) => made.get(own) ?? hollow(own)
  const { trained, adapters } = change
  const hollowed: Change = {
    trained: new Map([...(trained ?? [])].map(([name, own]) => [name, of(own)])),
    adapters: new Map(
      [...(adapters ?? [])].map(([name, { down, up, scale }]) => [name, { down: of(down), up: of(up), scale }]),
    ),
  }
  return { parameters: new Map([...parameters].map(([name, own]) => [name, of(own)])), change: hollowed }
}

/** Of a reward that computes with other things than an encoder, nothing is foretold: it takes no part. */
export function hollowReward(reward: Reward): Reward {
  return reward.hollow?.() ?? weightlessReward(reward)
}

/** A reward that takes no memory. */
export function weightlessReward({ name, sha256, range }: Pick<Reward, 'name' | 'sha256' | 'range'>): Reward {
  const nothing = (pixels: Tensor) => zeros([pixels.shape[0], 1])
  return {
    ...{ name, sha256, range, embedImages: nothing, features: nothing },
    score: (pixels) => zeros([pixels.shape[0]]),
    scoreWithGradient: (pixels) => pixels.flatten(1).mean(1),
  }
}
