/**
 * DPOK (Fan et al. 2023, arXiv:2305.16381), Algorithm 1: policy gradient on the reward with KL regularisation to the
 * pre-trained model and value learning. Objective (Eq. 8), with all densities and divergences summed over elements:
 *
 *   min_θ E_z [ −α E_{p_θ}[r(x_0, z)] + β Σ_t E_{p_θ(x_t|z)} KL(p_θ(x_{t−1}|x_t, z) ‖ p_pre(x_{t−1}|x_t, z)) ]
 *
 * Departures from the paper:
 * 1. The policy is the guided sampler, and gradients pass through both branches (as in the public code).
 * 2. The bound on the importance ratio is given in nats of the summed log-density; the public code's 1e-4 on the mean
 *    over D elements is 1e-4 · D nats. PPO's pessimistic minimum is used, with a second bound for negative advantages.
 * 3. V sees a state as the reward would see the predicted clean image (see policy-gradient/value.ts), and an advantage uses V as it was
 *    fitted before the roll-out was seen. It is an exponentially weighted sum of changes of V (λ = 1 is the paper's
 *    r − V; see policy-gradient/advantages.ts). Advantages are not normalised.
 * 4. Transitions are drawn from the latest roll-outs only; the public code also keeps those of the iteration before.
 * 5. The learning rate decays linearly to zero; the paper's is constant.
 * 6. Steps with σ = 0 belong to the environment: they have no log-density and no KL.
 * 7. Roll-outs may compute in bf16 or fp16; the training pass (policy, reference and old density) is always in float32,
 *    over the same weights: near the reference the ratio of a narrower type is rounding, and its KL nats of nothing
 *    (docs/benchmarks.md). The old log-density is then not that of the roll-out but is computed again, by the batches of the
 *    training pass and before the first update.
 *
 * `published` switches to the public code's choices: mean over elements instead of sum, mean squared difference of ε as
 * the "KL", and a bare clamp of the ratio.
 */
import { z } from 'zod'
import { expectPolicy } from '../../diffusion/process.ts'
import { FormatError } from '../../errors.ts'
import type { AtOnce } from '../../images/at-once.ts'
import { mostDrawn } from '../../images/drawing-memory.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import { random, type Random } from '../../random.ts'
import { expectFiniteScores, expectTeaching, isConstant } from '../../reward/teaching-scores.ts'
import { policyStreams } from '../../streams.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { numbersOf, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Given, HollowGiven } from '../algorithm.ts'
import { tellNote } from '../../notes.ts'
import { rewardAdvantages, type Advantages } from '../policy-gradient/advantages.ts'
import { expectEnoughTransitions, rolloutFields, transitionsBeside } from '../policy-gradient/fields.ts'
import { keptBytes, rolloutBytes, transitionBytes } from '../policy-gradient/memory.ts'
import { publishedObjective, summedObjective } from '../policy-gradient/objective.ts'
import { PolicyGradient } from '../policy-gradient/policy-gradient.ts'
import { drawMinibatches } from '../policy-gradient/transitions.ts'
import { lowerValueRate, ValueAdvantages, valueFields } from '../policy-gradient/value-advantages.ts'
import { valueName } from '../policy-gradient/value.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { drawPrompts } from '../prompt-groups.ts'
import { rollOut, type Rollouts } from '../rollout.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { farAndWorse, type RewardRow } from '../training-warnings.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }

const fields = {
  ...rolloutFields,
  rewardWeight: z.number().nonnegative().default(1).describe('Weight α of the reward.'),
  klWeight: z.number().nonnegative().default(0.01).describe('Weight β of the KL to the pre-trained model, per nat.'),
  clipRange: z
    .number()
    .positive()
    .default(0.2)
    .describe('Bound on the change of a summed log-density, nats (the published 1e-4 per element is 1e-4 · D nats).'),
  ignoreRounding: z
    .boolean()
    .default(false)
    .describe('Trains although rounding alone moves log-ratios by more than half of the clip range.'),
  ...policyOptimiserFields(usualRates),
  ...valueFields,
  published: z
    .boolean()
    .default(false)
    .describe('Uses the public code’s choices: means over elements, mean-ε KL, bare clamp.'),
}
/** What DPOK is trained with. */
export const DpokSettings = z.object(fields)
export type DpokSettings = z.infer<typeof DpokSettings>

/** What one iteration reports; the names are those of `metrics.jsonl`. */
export interface DpokMetrics extends StepMetrics {
  readonly images_drawn: number
  readonly updates: number
  readonly reward_mean: number
  readonly reward_std: number
  readonly policy_loss: number
  readonly kl_loss: number
  /** Σ_t KL_t of the trained steps, nats a trajectory. */
  readonly kl: number
  /** 0.5 · mean(Δ²). */
  readonly approx_kl: number
  readonly clipfrac: number
  /** Largest |Δ| before the first update, nats; rounding alone. */
  readonly first_delta: number
  /** What rounding alone moves a log-ratio by, in both passes; see policy-gradient/rounding.ts, nats a transition. */
  readonly noise_nats: number
  readonly grad_norm: number
  readonly lr: number
  readonly value_loss?: number
  /** Of V, and of the running per-prompt mean reward, on roll-outs that neither has seen. */
  readonly explained_variance?: number
  readonly explained_variance_prompt_mean?: number
}

/** What DPOK is trained on. */
export type DpokOptions = Given<'prompts' | 'reward', DpokSettings>

/** The trainer of DPOK: each step is an iteration that rolls out, judges and learns. */
export class Dpok implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly #options: DpokOptions
  /** Steps of a trajectory that have an action. */
  readonly #steps: readonly number[]
  readonly #optimiser: PolicyOptimiser
  readonly #gradient: PolicyGradient
  readonly #advantages: Advantages
  #iteration = 0
  /** Iterations up to now in which all roll-outs had one reward. */
  #constant = 0

  /**
   * @throws {ScheduleError} a sampler without a stochastic step
   * @throws {ConfigError} fewer transitions than updates
   */
  constructor(options: DpokOptions) {
    const { model, trainable, sampler, settings } = options
    expectPolicy(sampler)
    expectEnoughTransitions(settings)
    this.#options = options
    this.total = Math.ceil(settings.imagesDrawn / settings.rolloutsPerIteration)
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.#steps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, options.group)
    const { published, clipRange, ignoreRounding, rewardWeight, klWeight, gradientCheckpointing } = settings
    const steps = this.#steps
    this.#gradient = new PolicyGradient({
      ...options,
      optimiser: this.#optimiser,
      objective: published ? publishedObjective(clipRange, sampler) : summedObjective(clipRange, steps.length),
      rewardWeight,
      klWeight,
      clipRange,
      ignoreRounding,
      steps,
      atOnce: settings.transitionsAtOnce ?? transitionsBeside(this.#batchSize, model.weights.dtype),
      gradientCheckpointing,
    })
    this.#advantages = settings.value
      ? new ValueAdvantages({ ...options, policy: this.policy, actionSteps: this.#steps })
      : rewardAdvantages
    if (!settings.value && options.reward.isWithinPrompt) tellNote(withoutBaseline(options.reward.name))
  }

  get done(): number {
    return this.#iteration
  }

  get isSound(): boolean {
    return this.#gradient.isSound && this.#constant === 0
  }

  get #batchSize(): number {
    return this.#options.settings.batchSize ?? this.#options.model.defaults.batchSize
  }

  /** One round of Algorithm 1: roll out, take advantages, update the policy, fit V. */
  step(): DpokMetrics {
    using _scope = tensorScope()
    const { seed, settings } = this.#options
    const stream = random(...policyStreams.choices(seed, this.#iteration))
    const rollouts = this.#rollOut(stream)
    const { advantages, figures } = this.#advantages.judge(rollouts)
    const minibatches = drawMinibatches(rollouts, this.#steps, {
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
    return {
      images_drawn: before + rewards.length,
      updates: this.#iteration * settings.gradientSteps,
      reward_mean: rewardMean,
      reward_std: Math.sqrt(mean(rewards.map((reward) => (reward - rewardMean) ** 2))),
      policy_loss: learned.policyLoss,
      kl_loss: learned.klLoss,
      kl: learned.kl,
      approx_kl: learned.approxKl,
      clipfrac: learned.clipped,
      first_delta: learned.firstDelta,
      noise_nats: learned.noiseNats,
      grad_norm: learned.gradNorm,
      lr,
      ...fitted,
      ...figures,
    }
  }

  /** Trajectories of prompts of which each comes equally often. */
  #rollOut(stream: Random): Rollouts {
    const { reward, texts, seed, sampler, guidance, settings, group } = this.#options
    const iteration = this.#iteration
    const left = settings.imagesDrawn - iteration * settings.rolloutsPerIteration
    const count = Math.min(left, settings.rolloutsPerIteration)
    const noise = (i: number) => policyStreams.rollout(seed, iteration, i)
    const rollouts = rollOut(this.policy, reward, drawPrompts(texts, count, stream), noise, {
      sampler,
      guidance,
      batchSize: this.#batchSize,
      observer: this.#advantages.observer,
      group,
    })
    this.#expectTeaching(rollouts.rewards)
    return rollouts
  }

  /** All roll-outs of one iteration may have the same reward by chance, but for the first one: nothing has come of it yet. */
  #expectTeaching(rewards: readonly number[]): void {
    const { name } = this.#options.reward
    expectFiniteScores(name, rewards)
    this.#constant = isConstant(rewards) ? this.#constant + 1 : 0
    if (this.#constant === (this.#iteration === 0 ? 1 : mostConstant)) expectTeaching(name, rewards)
  }

  lowerRates(where: string): Readonly<Record<string, number>> | undefined {
    // The first roll-outs are those of the policy that the run began with.
    if (where.startsWith('drawing') && this.#iteration === 0) return undefined
    if (where.startsWith(valueName)) return lowerValueRate(this.#options.settings)
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, value function, running means, iteration. */
  state(): TrainingState {
    const { tensors, numbers } = this.#advantages.state()
    return {
      tensors: new Map([...this.#optimiser.state(), ...tensors]),
      numbers: { iteration: this.#iteration, constant: this.#constant, ...numbers },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { iteration, constant, value } = numbersOf('dpok', DpokNumbers, state)
    const { settings } = this.#options
    if (iteration > this.total || (iteration > 0 && settings.value !== (value !== undefined))) {
      throw new FormatError({
        where: 'dpok state',
        expected: `one of at most ${this.total} iterations, ${settings.value ? 'with' : 'without'} a value function`,
        received: `one of ${iteration}, ${value === undefined ? 'without' : 'with'} one`,
        remedy: 'was this state saved for another run?',
      })
    }
    this.#optimiser.load(state.tensors)
    this.#advantages.load(state)
    this.#iteration = iteration
    this.#constant = constant
  }
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** What a saved state holds beside its tensors and beside what its advantages have learned. */
const DpokNumbers = z.object({
  iteration: z.int().nonnegative(),
  constant: z.int().nonnegative().default(0),
  value: z.unknown().optional(),
})

const withoutBaseline = (reward: string) =>
  `${reward} compares images of one prompt only, and without --value prompts are weighed against each other by it`

/** Iterations in a row in which a reward that is the same for all roll-outs is no chance any more. */
const mostConstant = 3

/** More transitions at once are hardly faster on any device. */
const mostTransitions = 16

function computedAtOnce(tried: HollowGiven<'prompts' | 'reward', DpokSettings>): AtOnce[] {
  const { model, settings, steps, sampler } = tried
  // There is nothing to try, and the trainer says so of the sampler as it will be.
  if (!sampler.steps.some(({ stochastic }) => stochastic)) return []
  const policy = { ...tried, value: settings.value }
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

/** `policy dpok` */
export const dpok: Algorithm<'policy dpok', typeof fields> = {
  fields,
  changeable: ['valueLearningRate', 'klWeight', 'batchSize', 'transitionsAtOnce', 'ignoreRounding'],
  chosen: ['batchSize', 'transitionsAtOnce'],
  atOnce: computedAtOnce,
  recorded: ['klWeight'],
  checkpointEvery: 20,
  begin: (given) => new Dpok(given),
  // A transition: the policy with gradients, and the reference.
  work: ({ imagesDrawn, transitionsPerRollout }, { steps, passes }) =>
    imagesDrawn * passes * (steps + 4 * Math.min(transitionsPerRollout, steps)),
  note: ({ reward_mean: mean, kl }) => `reward ${mean?.toFixed(3)} KL ${kl?.toFixed(2)} nats`,
  warningOf: (rows) => farAndWorse(rows.filter((row): row is typeof row & RewardRow => 'reward_mean' in row)),
}
