/** What roll-outs and updates from their transitions take, by trying both on hollow networks. */
import type { Sampler } from '../../diffusion/process.ts'
import type { AtOnce } from '../../images/at-once.ts'
import { mostDrawn } from '../../images/drawing-memory.ts'
import { policyOf, type GenerativeModel } from '../../networks/generative-model.ts'
import type { Reward } from '../../reward/reward.ts'
import { policyStreams } from '../../streams.ts'
import { alone } from '../../tensor/group.ts'
import { mostHeld } from '../../tensor/memory.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { below } from '../../tensor/training-state.ts'
import type { HollowGiven } from '../algorithm.ts'
import type { TrainableChange } from '../trainable.ts'
import { PolicyOptimiser } from '../policy-optimiser.ts'
import { rollOut, type Rollouts } from '../rollout.ts'
import { transitionsBeside, type RolloutSettings } from './fields.ts'
import { summedObjective } from './objective.ts'
import { PolicyGradient } from './policy-gradient.ts'
import { predictedFeatures } from './value.ts'

/** All of hollow networks. */
interface TriedPolicy {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly reward: Reward
  /** Of a step or two, of which one has an action. */
  readonly sampler: Sampler
  readonly guidance: number
  /** Whether a value function looks at states, and whether the pre-trained model is asked about them. */
  readonly value: boolean
  readonly isCompared: boolean
}

const rolled = (tried: TriedPolicy, count: number): Rollouts => {
  const { model, trainable, reward, sampler, guidance, value } = tried
  const policy = model.with(trainable.change)
  const texts = new Array<string>(count).fill('')
  return rollOut(policy, reward, texts, (i) => policyStreams.rollout(0, 0, i), {
    sampler,
    guidance,
    batchSize: count,
    ...(value && { observer: predictedFeatures(policy, reward, sampler) }),
  })
}

/** @returns bytes that are held at the most beside the model while `count` roll-outs are drawn at once */
const rolloutBytes = (tried: TriedPolicy, count: number): number => mostHeld(() => rolled(tried, count))

/** @returns bytes that are held at the most beside the model while `count` transitions are trained on at once */
function transitionBytes(tried: TriedPolicy, count: number, gradientCheckpointing: boolean): number {
  using _scope = tensorScope()
  const { model, trainable, sampler } = tried
  const rollouts = rolled(tried, count)
  const steps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
  const minibatch = rollouts.texts.map((_, rollout) => ({ rollout, step: steps[0] }))
  const advantages = sampler.steps.map(() => rollouts.texts.map(() => 0))
  return mostHeld(() => {
    const optimiser = new PolicyOptimiser(model, trainable, { learningRate: 1, maxGradNorm: 1 }, { text: 1, lora: 1 })
    const gradient = new PolicyGradient({
      ...tried,
      ...{ optimiser, objective: summedObjective(1), rewardWeight: 1, klWeight: 1, clipRange: 1 },
      ...{ ignoreRounding: true, atOnce: count, gradientCheckpointing, group: alone },
    })
    gradient.learn(rollouts, advantages, [minibatch], 1)
    for (const moment of below('optimiser', new Map(optimiser.state())).values()) moment.dispose()
  })
}

/** Bytes of the states and the noise of so many roll-outs, which are kept until their iteration ends. */
function keptBytes(model: GenerativeModel, count: number, steps: number): number {
  const elements = policyOf(model).stateShape.reduce((product, side) => product * side, 1)
  return 4 * count * (2 * steps + 2) * elements
}

/** More transitions at once are hardly faster on any device. */
const mostTransitions = 16

/** How many roll-outs and transitions a method computes at once. */
export function onlineAtOnce(
  tried: HollowGiven<'prompts' | 'reward', RolloutSettings>,
  uses: Pick<TriedPolicy, 'value' | 'isCompared'>,
): AtOnce[] {
  const { model, settings, steps, sampler } = tried
  // There is nothing to try, and the trainer says so of the sampler as it will be.
  if (!sampler.steps.some(({ stochastic }) => stochastic)) return []
  const policy = { ...tried, ...uses }
  const usual = model.defaults.batchSize
  const { batchSize, transitionsAtOnce, rolloutsPerIteration, transitionsPerRollout, gradientSteps } = settings
  const size = tried.group?.size ?? 1
  const rollouts = Math.min(rolloutsPerIteration, settings.imagesDrawn)
  const update = Math.ceil((rollouts * Math.min(transitionsPerRollout, steps)) / gradientSteps)
  const beside = batchSize === null ? undefined : transitionsBeside(batchSize, model.weights.dtype)
  const kept = keptBytes(model, rolloutsPerIteration, steps)
  return [
    {
      field: 'batchSize',
      what: 'roll-outs',
      given: batchSize ?? undefined,
      usual,
      most: Math.max(usual, mostDrawn),
      all: Math.ceil(rollouts / size),
      bytes: (count) => kept + rolloutBytes(policy, count) + keptBytes(model, count, steps),
    },
    {
      field: 'transitionsAtOnce',
      what: 'transitions',
      given: transitionsAtOnce ?? beside,
      usual: transitionsBeside(usual, model.weights.dtype),
      most: Math.max(usual, mostTransitions),
      all: Math.ceil(update / size),
      bytes: (count, checkpoints) => kept + transitionBytes(policy, count, checkpoints),
    },
  ]
}
