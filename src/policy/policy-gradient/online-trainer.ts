/**
 * Policy gradient on a reward: what DPOK, GRPO and DDPO are but for their choice of parts. Each step is an iteration: draw
 * roll-outs of prompts, judge them, update the policy by minibatches of their transitions, learn from them.
 */
import { z } from 'zod'
import { expectPolicy, type Sampler } from '../../diffusion/process.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import { random, type Random } from '../../random.ts'
import type { AlgorithmName } from '../../stages.ts'
import { policyStreams } from '../../streams.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { numbersOf, ofAnotherRun, type TrainingState } from '../../tensor/training-state.ts'
import type { Given } from '../algorithm.ts'
import { PolicyOptimiser, type PolicyOptimiserSettings, type UsualRates } from '../policy-optimiser.ts'
import { drawPrompts } from '../prompt-groups.ts'
import { rollOut, type Rollouts } from '../rollout.ts'
import { TeachingRounds } from '../teaching-rounds.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import type { Advantages } from './advantages.ts'
import { expectEnoughTransitions, transitionsBeside, type RolloutSettings } from './fields.ts'
import type { Objective } from './objective.ts'
import { PolicyGradient } from './policy-gradient.ts'
import { drawMinibatches } from './transitions.ts'

/** Settings that all of these methods have. */
interface OnlineSettings extends RolloutSettings, PolicyOptimiserSettings {
  readonly klWeight: number
  readonly clipRange: number
  readonly ignoreRounding: boolean
}

/** What one of these methods is trained with. */
export type OnlineOptions<Settings extends OnlineSettings = OnlineSettings> = Given<'prompts' | 'reward', Settings>

/** What makes one of these methods. */
export interface OnlineParts {
  readonly method: AlgorithmName
  readonly usualRates: UsualRates
  readonly objective: Objective
  /** α of the surrogate. */
  readonly rewardWeight: number
  /** Whether the KL to the pre-trained model is measured. Without it, it cannot be weighed. */
  readonly isCompared: boolean
  /** @param policy as it draws */
  advantages(policy: GenerativeModel): Advantages
  /** Images of a prompt in a row; one without it. */
  readonly groupSize?: number
  /** Whether the images of a group begin with the same noise. */
  readonly startsAlike?: boolean
  /** The sampler of an iteration: the given one without it. */
  samplerOf?(iteration: number, stream: Random): Sampler
}

/** What one iteration reports; the names are those of `metrics.jsonl`. */
export interface OnlineMetrics extends StepMetrics {
  readonly images_drawn: number
  readonly updates: number
  readonly reward_mean: number
  readonly reward_std: number
  readonly policy_loss: number
  /** 0.5 · mean(Δ²). */
  readonly approx_kl: number
  readonly clipfrac: number
  /** Largest |Δ| before the first update, nats; rounding alone. */
  readonly first_delta: number
  /** What rounding alone moves a log-ratio by, in both passes; see rounding.ts, nats a transition. */
  readonly noise_nats: number
  readonly grad_norm: number
  readonly lr: number
}

/** The same of a method that is compared with the pre-trained model. */
export interface ComparedMetrics {
  readonly kl_loss: number
  /** Σ_t KL_t of the trained steps, nats a trajectory. */
  readonly kl: number
}

/** @typeParam Metrics what the parts of a method report beside {@link OnlineMetrics} */
export class OnlineTrainer<Metrics extends OnlineMetrics = OnlineMetrics> implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly #options: OnlineOptions
  readonly #parts: OnlineParts
  readonly #optimiser: PolicyOptimiser
  readonly #gradient: PolicyGradient
  readonly #advantages: Advantages
  readonly #rewards: TeachingRounds
  #iteration = 0

  /**
   * @throws {ScheduleError} a sampler without a stochastic step
   * @throws {ConfigError} fewer transitions than updates
   */
  constructor(options: OnlineOptions, parts: OnlineParts) {
    const { model, trainable, sampler, settings } = options
    expectPolicy(sampler)
    expectEnoughTransitions(settings)
    this.#options = options
    this.#parts = parts
    this.total = Math.ceil(settings.imagesDrawn / settings.rolloutsPerIteration)
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, parts.usualRates, options.group)
    const { objective, rewardWeight, isCompared } = parts
    const { clipRange, ignoreRounding, klWeight, gradientCheckpointing } = settings
    this.#gradient = new PolicyGradient({
      ...options,
      optimiser: this.#optimiser,
      objective,
      rewardWeight,
      klWeight,
      isCompared,
      clipRange,
      ignoreRounding,
      atOnce: settings.transitionsAtOnce ?? transitionsBeside(this.#batchSize, model.weights.dtype),
      gradientCheckpointing,
    })
    this.#advantages = parts.advantages(this.policy)
    this.#rewards = new TeachingRounds(options.reward.name, parts.groupSize)
  }

  get done(): number {
    return this.#iteration
  }

  get results(): Readonly<Record<string, unknown>> {
    return { logDensity: this.#parts.objective.logDensity }
  }

  get isSound(): boolean {
    return this.#gradient.isSound && this.#rewards.constant === 0
  }

  get #batchSize(): number {
    return this.#options.settings.batchSize ?? this.#options.model.defaults.batchSize
  }

  /** One iteration: roll out, take advantages, update the policy, learn what advantages are taken by. */
  step(): Metrics {
    using _scope = tensorScope()
    const { seed, settings } = this.#options
    const stream = random(...policyStreams.choices(seed, this.#iteration))
    const rollouts = this.#rollOut(stream)
    const { advantages, figures } = this.#advantages.judge(rollouts)
    const steps = rollouts.sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
    const minibatches = drawMinibatches(rollouts, steps, {
      perRollout: settings.transitionsPerRollout,
      updates: settings.gradientSteps,
      stream,
    })
    const lr = this.#optimiser.rateAt(this.#iteration, this.total)
    const learned = this.#gradient.learn(rollouts, advantages, minibatches, lr)
    const fitted = this.#advantages.learn(rollouts)

    const { rewards } = rollouts
    const rewardMean = mean(rewards)
    const before = this.#iteration++ * settings.rolloutsPerIteration
    const metrics: OnlineMetrics = {
      images_drawn: before + rewards.length,
      updates: this.#iteration * settings.gradientSteps,
      reward_mean: rewardMean,
      reward_std: Math.sqrt(mean(rewards.map((reward) => (reward - rewardMean) ** 2))),
      policy_loss: learned.policyLoss,
      ...(this.#parts.isCompared && { kl_loss: learned.klLoss, kl: learned.kl }),
      approx_kl: learned.approxKl,
      clipfrac: learned.clipped,
      first_delta: learned.firstDelta,
      noise_nats: learned.noiseNats,
      grad_norm: learned.gradNorm,
      lr,
      ...fitted,
      ...figures,
    }
    return metrics as Metrics
  }

  /** Trajectories of prompts of which each comes equally often. */
  #rollOut(stream: Random): Rollouts {
    const { reward, texts, seed, guidance, settings, group } = this.#options
    const { groupSize = 1, startsAlike = false, samplerOf } = this.#parts
    const iteration = this.#iteration
    const left = settings.imagesDrawn - iteration * settings.rolloutsPerIteration
    const count = Math.min(left, settings.rolloutsPerIteration)
    const sampler = samplerOf?.(iteration, stream) ?? this.#options.sampler
    const noise = (i: number) => policyStreams.rollout(seed, iteration, i)
    const start = (i: number) => policyStreams.groupStart(seed, iteration, Math.floor(i / groupSize))
    const rollouts = rollOut(this.policy, reward, drawPrompts(texts, count, stream, groupSize), noise, {
      sampler,
      guidance,
      batchSize: this.#batchSize,
      observer: this.#advantages.observer,
      ...(startsAlike && { startPath: start }),
      group,
    })
    this.#rewards.expect(rollouts.rewards, iteration)
    return rollouts
  }

  lowerRates(where: string): Readonly<Record<string, number>> | undefined {
    // The first roll-outs are those of the policy that the run began with.
    if (where.startsWith('drawing') && this.#iteration === 0) return undefined
    return this.#advantages.lowerRates?.(where) ?? { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, what advantages are taken by, iteration. */
  state(): TrainingState {
    const { tensors, numbers } = this.#advantages.state()
    return {
      tensors: new Map([...this.#optimiser.state(), ...tensors]),
      numbers: { method: this.#parts.method, iteration: this.#iteration, constant: this.#rewards.constant, ...numbers },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { method } = this.#parts
    const saved = numbersOf(method, OnlineNumbers, state)
    if (saved.method !== method || saved.iteration > this.total) {
      const expected = `one of ${method}, of at most ${this.total} iterations`
      throw ofAnotherRun(`${method} state`, expected, `one of ${saved.method}, of ${saved.iteration}`)
    }
    this.#optimiser.load(state.tensors)
    this.#advantages.load(state)
    this.#iteration = saved.iteration
    this.#rewards.constant = saved.constant
  }
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** What a saved state holds beside its tensors and beside what its advantages have learned. */
const OnlineNumbers = z.object({
  // Checkpoints of version 0.2 do not say it: DPOK was the only one.
  method: z.string().default('dpok' satisfies AlgorithmName),
  iteration: z.int().nonnegative(),
  constant: z.int().nonnegative().default(0),
})
