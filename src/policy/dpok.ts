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
 * 3. V sees a state as the reward would see the predicted clean image (see value.ts), and an advantage uses V as it was
 *    fitted before the roll-out was seen. It is an exponentially weighted sum of changes of V (λ = 1 is the paper's
 *    r − V; see advantage.ts). Advantages are not normalised.
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
import { gaussianKl, logDensityDifference } from '../diffusion/gaussian.ts'
import { alongBatch } from '../diffusion/per-sample.ts'
import { expectPolicy, type Sampler, type Transition } from '../diffusion/process.ts'
import { ConfigError, FormatError } from '../errors.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { random } from '../random.ts'
import { explainedVariance } from '../reward/training/classification.ts'
import type { Reward } from '../reward/reward.ts'
import { expectTeaching } from '../reward/teaching-scores.ts'
import { AdamW } from '../tensor/adamw.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { cat, tensor } from '../tensor/create.ts'
import { gradientCheckpoints } from '../tensor/gradient-checkpoints.ts'
import { applyGradients, copyState, loweredRate } from '../tensor/optimise.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, numbersOf, under, type TrainingState } from '../tensor/training-state.ts'
import { advantagesOf, clippedSurrogate } from './advantage.ts'
import { learningRateField, type UsualRates } from './learning-rate.ts'
import { rollOut, type Rollouts } from './rollout.ts'
import { gradientCheckpointingField, type TrainableChange } from './trainable.ts'
import { predictedFeatures, ValueFunction, ValueNumbers } from './value.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }

export const dpokFields = {
  imagesDrawn: z
    .int()
    .positive()
    .max(100_000_000)
    .default(9600)
    .describe('Roll-outs in all; a hundred million take years on any machine.'),
  rolloutsPerIteration: z
    .int()
    .positive()
    .max(16_384)
    .default(96)
    .describe('Roll-outs drawn with one policy before it is updated; the states of all their steps are in memory.'),
  gradientSteps: z
    .int()
    .positive()
    .max(10_000)
    .default(3)
    .describe('Updates per iteration, each on its own minibatch of transitions.'),
  transitionsPerRollout: z
    .int()
    .positive()
    .max(1000)
    .default(9)
    .describe('Transitions used per roll-out and iteration, drawn at random; no roll-out has more than 1000.'),
  batchSize: z
    .int()
    .positive()
    .max(4096)
    .nullable()
    .default(null)
    .describe(
      'Roll-outs and transitions computed at once, the model’s own number without it; of transitions a quarter of it where roll-outs are in bf16 or fp16, since training is in fp32. Changes the memory that it takes, not the result.',
    ),
  ...gradientCheckpointingField,
  rewardWeight: z.number().nonnegative().default(1).describe('Weight α of the reward.'),
  klWeight: z.number().nonnegative().default(0.01).describe('Weight β of the KL to the pre-trained model, per nat.'),
  clipRange: z
    .number()
    .positive()
    .default(0.2)
    .describe('Bound on the change of a summed log-density, nats (the published 1e-4 per element is 1e-4 · D nats).'),
  ...learningRateField(usualRates),
  maxGradNorm: z.number().positive().default(1).describe('Gradients are clipped to this norm.'),
  value: z.boolean().default(true).describe('Learns a value function and subtracts it from the reward.'),
  valueLearningRate: z.number().positive().default(1e-3).describe('Learning rate of the value function.'),
  advantageDecay: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('λ of the advantage: 1 is reward − V of the state, 0 the change of V by the one action.'),
  valueUpdates: z.int().positive().max(10_000).default(10).describe('Updates of the value function per iteration.'),
  published: z
    .boolean()
    .default(false)
    .describe('Uses the public code’s choices: means over elements, mean-ε KL, bare clamp.'),
}
/** What DPOK is trained with. */
export const DpokSettings = z.object(dpokFields)
export type DpokSettings = z.infer<typeof DpokSettings>

/** Batches of roll-outs that the value function remembers. */
const valueMemory = 4

/** What a saved state holds beside its tensors. */
const DpokNumbers = z.object({
  iteration: z.int().nonnegative(),
  promptMeans: z.array(z.tuple([z.string(), z.object({ sum: z.number(), count: z.int().positive() })])),
  value: ValueNumbers.optional(),
})

/** One transition of a roll-out: row `rollout` at sampling step `step`. */
interface Place {
  readonly rollout: number
  readonly step: number
}

/** Transitions that are computed at once. */
interface Transitions {
  readonly texts: readonly string[]
  readonly earlier: readonly Tensor[] // [M, …] each
  /** Places in the order of sampling. */
  readonly steps: readonly number[]
  readonly xt: Tensor // [M, …]
  readonly xPrev: Tensor // [M, …]
  /** Mean of the action under the policy that drew it, [M, …]. */
  oldMean: Tensor
  readonly advantage: Tensor // [M]
  /** Of the minibatch. */
  readonly share: number
}

/** What one iteration reports; the names are those of `metrics.jsonl`. */
export interface DpokMetrics {
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
  readonly grad_norm: number
  readonly lr: number
  readonly value_loss?: number
  /** Of V, and of the running per-prompt mean reward, on roll-outs that neither has seen. */
  readonly explained_variance?: number
  readonly explained_variance_prompt_mean?: number
}

/** What DPOK is trained on. */
export interface DpokOptions {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly reward: Reward
  /** Prompts are drawn from these, each equally often. */
  readonly texts: readonly string[]
  readonly sampler: Sampler
  readonly guidance: number
  readonly seed: number
  readonly settings: DpokSettings
}

/** The trainer of DPOK: each step rolls out, judges and learns. */
export class Dpok {
  readonly iterations: number
  readonly #options: DpokOptions
  /** The policy as it draws, which may be in a narrower element type than it is trained in. */
  readonly #drawing: GenerativeModel
  readonly #policy: GenerativeModel
  readonly #reference: GenerativeModel
  readonly #learningRate: number
  /** Roll-outs at once. */
  readonly #batchSize: number
  /** Transitions at once. */
  readonly #trainedAtOnce: number
  readonly #optimiser: AdamW
  readonly #stochasticSteps: readonly number[]
  #value: ValueFunction | undefined
  #iteration = 0
  #promptMeans = new Map<string, { sum: number; count: number }>()

  /**
   * @throws {ScheduleError} a sampler without a stochastic step
   * @throws {ConfigError} fewer transitions than updates
   */
  constructor(options: DpokOptions) {
    const { model, trainable, sampler, settings } = options
    expectPolicy(sampler)
    if (settings.rolloutsPerIteration * settings.transitionsPerRollout < settings.gradientSteps) {
      throw new ConfigError({
        where: '--gradient-steps',
        expected: 'at most one update a transition',
        received: String(settings.gradientSteps),
        remedy: 'use more roll-outs per iteration, or fewer updates',
      })
    }
    this.#options = options
    this.#drawing = model.with(trainable.change)
    this.#policy = model.in('float32').with(trainable.change)
    this.#reference = this.#policy.with({})
    this.#learningRate = settings.learningRate ?? usualRates[model.defaults.parameters]
    this.#batchSize = settings.batchSize ?? model.defaults.batchSize
    const isNarrow = model.weights.dtype !== 'float32'
    this.#trainedAtOnce = isNarrow ? Math.max(1, Math.floor(this.#batchSize / 4)) : this.#batchSize
    this.#optimiser = unscoped(() => new AdamW(trainable.parameters, { learningRate: this.#learningRate }))
    this.#stochasticSteps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
    this.iterations = Math.ceil(settings.imagesDrawn / settings.rolloutsPerIteration)
  }

  get iteration(): number {
    return this.#iteration
  }

  /** As it is trained so far; the next iteration changes it. */
  get policy(): GenerativeModel {
    return this.#drawing
  }

  /** Of the first iteration, before it decays. */
  get learningRate(): number {
    return this.#learningRate
  }

  /** A learning rate with which a training that diverged may go well. */
  get lowerRate(): number {
    return loweredRate(this.#learningRate, usualRates[this.#options.model.defaults.parameters])
  }

  /** One round of Algorithm 1: roll out, take advantages, update the policy, fit V. */
  iterate(): DpokMetrics {
    using _scope = tensorScope()
    const { settings, reward, texts, seed, sampler, guidance } = this.#options
    const iteration = this.#iteration
    const stream = random(seed, 1, iteration)
    const left = settings.imagesDrawn - iteration * settings.rolloutsPerIteration
    const count = Math.min(left, settings.rolloutsPerIteration)
    const drawn = Array.from({ length: Math.ceil(count / texts.length) }, () => stream.shuffle(texts))
      .flat()
      .slice(0, count)

    const rollouts = rollOut(this.#drawing, reward, drawn, (i) => [seed, 2, iteration, i], {
      sampler,
      guidance,
      batchSize: this.#batchSize,
      observer: settings.value ? predictedFeatures(this.#drawing, reward, sampler) : undefined,
    })
    expectTeaching(reward.name, rollouts.rewards)
    const values = this.#values(rollouts)
    const explained = this.#explain(rollouts, values)
    const advantages = advantagesOf(rollouts.rewards, values, settings.advantageDecay)

    const places = stream.shuffle(
      rollouts.texts.flatMap((_, rollout) => this.#stochasticSteps.map((step): Place => ({ rollout, step }))),
    )
    const minibatch = Math.ceil(
      Math.min(places.length, count * settings.transitionsPerRollout) / settings.gradientSteps,
    )
    const lr = this.#learningRate * (1 - iteration / this.iterations)
    const minibatches = Array.from({ length: settings.gradientSteps }, (_, k) =>
      this.#parts(rollouts, advantages, places.slice(k * minibatch, (k + 1) * minibatch)),
    ).filter((parts) => parts.length > 0)
    if (this.#drawing.weights.dtype !== 'float32') {
      for (const part of minibatches.flat()) part.oldMean = withoutGrad(() => this.#mean(this.#policy, part))
    }
    const steps = minibatches.map((parts) => this.#update(parts, lr))
    const valueLoss = this.#value?.fit(rollouts)
    this.#iteration++

    const mean = (pick: (step: UpdateMetrics) => number) =>
      steps.reduce((sum, step) => sum + pick(step), 0) / steps.length
    const rewardMean = rollouts.rewards.reduce((sum, r) => sum + r, 0) / count
    return {
      images_drawn: iteration * settings.rolloutsPerIteration + count,
      updates: this.#iteration * settings.gradientSteps,
      reward_mean: rewardMean,
      reward_std: Math.sqrt(rollouts.rewards.reduce((sum, r) => sum + (r - rewardMean) ** 2, 0) / count),
      policy_loss: mean((step) => step.policyLoss),
      kl_loss: mean((step) => settings.klWeight * step.kl),
      kl: mean((step) => step.kl),
      approx_kl: mean((step) => step.approxKl),
      clipfrac: mean((step) => step.clipped),
      first_delta: steps[0].largestDelta,
      grad_norm: mean((step) => step.gradNorm),
      lr,
      ...(valueLoss === undefined ? {} : { value_loss: valueLoss }),
      ...explained,
    }
  }

  /** V of every state as fitted so far, or zero without value learning: [N] a step. */
  #values(rollouts: Rollouts): Tensor[] | undefined {
    if (!this.#options.settings.value) return undefined
    this.#value ??= this.#newValue(rollouts.observed[0].shape[1])
    return this.#value.predict(rollouts)
  }

  #newValue(featureWidth: number): ValueFunction {
    const { settings, seed, sampler } = this.#options
    return new ValueFunction(featureWidth, sampler.steps.length, seed, {
      learningRate: settings.valueLearningRate,
      updates: settings.valueUpdates,
      batchSize: 256,
      memory: valueMemory,
    })
  }

  #explain(rollouts: Rollouts, values: Tensor[] | undefined): Partial<DpokMetrics> {
    const { texts, rewards } = rollouts
    const overall = [...this.#promptMeans.values()].reduce(
      (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
      { sum: 0, count: 0 },
    )
    const predicted = texts.map((text) => {
      const known = this.#promptMeans.get(text) ?? overall
      return known.count === 0 ? 0 : known.sum / known.count
    })
    texts.forEach((text, i) => {
      const { sum, count } = this.#promptMeans.get(text) ?? { sum: 0, count: 0 }
      this.#promptMeans.set(text, { sum: sum + rewards[i], count: count + 1 })
    })
    if (values === undefined || overall.count === 0) return {}
    const seen = this.#stochasticSteps.flatMap((step) => values[step].toArray())
    const targets = this.#stochasticSteps.flatMap(() => rewards)
    return {
      explained_variance: explainedVariance(seen, targets),
      explained_variance_prompt_mean: explainedVariance(predicted, rewards),
    }
  }

  /** The transitions of a minibatch, gathered for as many as are computed at once. */
  #parts(rollouts: Rollouts, advantages: readonly (readonly number[])[], places: readonly Place[]): Transitions[] {
    const { device } = this.#policy
    return Array.from({ length: Math.ceil(places.length / this.#trainedAtOnce) }, (_, i) => {
      using scope = tensorScope()
      const part = places.slice(i * this.#trainedAtOnce, (i + 1) * this.#trainedAtOnce)
      const steps = part.map(({ step }) => step)
      const gathered = (at: (place: Place) => Tensor) => scope.keep(cat(part.map((place) => at(place).unsqueeze(0))))
      const xt = gathered(({ rollout, step }) => rollouts.states[step].select(0, rollout))
      const xPrev = gathered(({ rollout, step }) => rollouts.states[step + 1].select(0, rollout))
      const noise = gathered(({ rollout, step }) => rollouts.noise.select(0, rollout).select(0, step + 1))
      const sigma = gathered(({ rollout, step }) => rollouts.sigmas[step].select(0, rollout))
      const advantage = part.map(({ rollout, step }) => advantages[step]?.[rollout] ?? rollouts.rewards[rollout])
      return {
        texts: part.map(({ rollout }) => rollouts.texts[rollout]),
        earlier: rollouts.earlier.map((all) => gathered(({ rollout }) => all.select(0, rollout))),
        steps,
        xt,
        xPrev,
        oldMean: scope.keep(xPrev.sub(noise.mul(sigma.shape.length === 1 ? alongBatch('sigma', sigma, xt) : sigma))),
        advantage: scope.keep(tensor(advantage).to(device)),
        share: part.length / places.length,
      }
    })
  }

  /** The prediction of a model for transitions, and the mean of its action. */
  #act(
    model: GenerativeModel,
    { texts, earlier, steps, xt }: Transitions,
  ): { prediction: Tensor; transition: Transition } {
    const { sampler, guidance } = this.#options
    const t = sampler.times(steps, model.device)
    const predict = guidedPredictor(policyOf(model), encodePrompts(model, texts), { texts, earlier }, guidance)
    const prediction = predict(xt, t)
    return { prediction, transition: sampler.transition(prediction, xt, steps) }
  }

  #mean(model: GenerativeModel, part: Transitions): Tensor {
    using scope = tensorScope()
    return scope.keep(this.#act(model, part).transition.mean)
  }

  /** One gradient step on a minibatch of transitions. */
  #update(parts: readonly Transitions[], lr: number): UpdateMetrics {
    const { settings, trainable } = this.#options
    const total = { policyLoss: 0, kl: 0, approxKl: 0, clipped: 0, largestDelta: 0 }
    for (const part of parts) {
      const { largestDelta, ...means } = this.#accumulate(part)
      total.policyLoss += part.share * means.policyLoss
      total.kl += part.share * means.kl
      total.approxKl += part.share * means.approxKl
      total.clipped += part.share * means.clipped
      total.largestDelta = Math.max(total.largestDelta, largestDelta)
    }
    const gradNorm = applyGradients([this.#optimiser], trainable.parameters, {
      maxGradNorm: settings.maxGradNorm,
      learningRates: [lr],
    })
    return { ...total, gradNorm }
  }

  /** Adds the gradient of the mean loss of these transitions times their share of the minibatch. */
  #accumulate(part: Transitions): Omit<UpdateMetrics, 'gradNorm'> {
    using _scope = tensorScope()
    const { settings, sampler } = this.#options
    const { xt, xPrev, oldMean, advantage, steps } = part
    const reference = withoutGrad(() => this.#act(this.#reference, part))
    using graph = gradientCheckpoints(settings.gradientCheckpointing)
    const { prediction, transition } = this.#act(this.#policy, part)
    const { mean, sigma } = transition

    const summedDelta = logDensityDifference(xPrev, mean, oldMean, sigma)
    const exactKl = gaussianKl(mean, reference.transition.mean, sigma)
    // A mean over random transitions, times their number in a trajectory: the sums over t of Eq. 9.
    const perTrajectory = this.#stochasticSteps.length
    let policyLoss: Tensor
    let regulariser: Tensor
    if (settings.published) {
      const elements = xt.numel / steps.length
      const bound = settings.clipRange / elements
      policyLoss = summedDelta
        .div(elements)
        .exp()
        .clamp(1 - bound, 1 + bound)
        .mul(advantage)
        .neg()
        .mean()
      const epsilonOf = (of: Tensor) => sampler.parts(of, xt, steps).epsilon
      regulariser = epsilonOf(prediction).sub(epsilonOf(reference.prediction)).square().mean()
    } else {
      policyLoss = clippedSurrogate(summedDelta, advantage, settings.clipRange).mean().mul(perTrajectory)
      regulariser = exactKl.mean().mul(perTrajectory)
    }
    graph.backward(policyLoss.mul(settings.rewardWeight).add(regulariser.mul(settings.klWeight)).mul(part.share))
    const sizes = summedDelta.detach().abs()
    return {
      policyLoss: policyLoss.item(),
      kl: exactKl.mean().item() * perTrajectory,
      approxKl: 0.5 * sizes.square().mean().item(),
      clipped: sizes.gt(settings.clipRange).to('float32').mean().item(),
      largestDelta: sizes.amax(0).item(),
    }
  }

  /** All changing state: parameters, optimiser, value function, running means, iteration. */
  state(): TrainingState {
    const value = this.#value?.state()
    return {
      tensors: new Map([
        ...under('parameters', this.#options.trainable.parameters),
        ...under('optimiser', this.#optimiser.state()),
        ...(value === undefined ? [] : under('value', value.tensors)),
      ]),
      numbers: {
        iteration: this.#iteration,
        promptMeans: [...this.#promptMeans],
        ...(value === undefined ? {} : { value: value.numbers }),
      },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { trainable, settings } = this.#options
    const { tensors } = state
    const { iteration, promptMeans, value } = numbersOf('dpok', DpokNumbers, state)
    if (iteration > this.iterations || (iteration > 0 && settings.value !== (value !== undefined))) {
      throw new FormatError({
        where: 'dpok state',
        expected: `one of at most ${this.iterations} iterations, ${settings.value ? 'with' : 'without'} a value function`,
        received: `one of ${iteration}, ${value === undefined ? 'without' : 'with'} one`,
        remedy: 'was this state saved for another run?',
      })
    }
    copyState('policy', new Map(trainable.parameters), below('parameters', tensors))
    this.#optimiser.load(below('optimiser', tensors))
    this.#iteration = iteration
    this.#promptMeans = new Map(promptMeans)
    if (value === undefined) return
    this.#value = this.#newValue(value.featureWidth)
    this.#value.load({ tensors: below('value', tensors), numbers: value })
  }
}

interface UpdateMetrics {
  readonly policyLoss: number
  readonly kl: number
  readonly approxKl: number
  readonly clipped: number
  readonly largestDelta: number
  readonly gradNorm: number
}
