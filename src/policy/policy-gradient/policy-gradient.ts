/** Updates of a policy from transitions of its roll-outs: what methods of policy gradient have in common. */
import { gaussianKl, logDensityDifference } from '../../diffusion/gaussian.ts'
import type { Sampler } from '../../diffusion/process.ts'
import { encodePrompts, guidedPredictor } from '../../images/guided.ts'
import { policyOf, type GenerativeModel } from '../../networks/generative-model.ts'
import { noGrad, withoutGrad } from '../../tensor/autograd.ts'
import { cat, stack, tensor, zeros } from '../../tensor/create.ts'
import { alone, type Group } from '../../tensor/group.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { PolicyOptimiser } from '../policy-optimiser.ts'
import type { Rollouts } from '../rollout.ts'
import type { TrainableChange } from '../trainable.ts'
import { expectNear, isNear } from './explosion.ts'
import type { Act, Objective } from './objective.ts'
import {
  expectFirstDelta,
  expectSmallRounding,
  placesToMeasure,
  roundingVariance,
  type FirstDelta,
} from './rounding.ts'
import { gather, type Place, type Transitions } from './transitions.ts'

export interface PolicyGradientOptions {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly guidance: number
  readonly optimiser: PolicyOptimiser
  readonly objective: Objective
  /** Weight of the surrogate, and of the distance to the pre-trained model. */
  readonly rewardWeight: number
  readonly klWeight: number
  /** Whether the pre-trained model is asked at all: without it there is no KL, and no weight may be on it. */
  readonly isCompared: boolean
  /** Bound on a log-ratio that rounding is measured against, nats. */
  readonly clipRange: number
  /** Whether to train although rounding moves log-ratios by more than half of the clip range. */
  readonly ignoreRounding: boolean
  /** Transitions computed at once. */
  readonly atOnce: number
  readonly gradientCheckpointing: boolean
  /** The processes that share the transitions of each minibatch. */
  readonly group?: Group
}

/** Means over the updates of an iteration, each measured before the update changes anything. */
export interface GradientFigures {
  /** Of the surrogate, without its weight. */
  readonly policyLoss: number
  /** `klWeight` × `kl`. */
  readonly klLoss: number
  /** Σ_t KL_t of the trained steps to the pre-trained model, nats a trajectory; 0 where it is not asked. */
  readonly kl: number
  /** 0.5 · mean(Δ²). */
  readonly approxKl: number
  /** Share of the transitions that the trust region has at its bound. */
  readonly clipped: number
  /** Largest |Δ| before the first update, nats; rounding alone. */
  readonly firstDelta: number
  /** What rounding alone moves a log-ratio by: the root of `roundingVariance`, nats. */
  readonly noiseNats: number
  readonly gradNorm: number
}

/**
 * The training pass is always in float32, over the weights of the policy as it draws: near the reference the ratio of a
 * narrower type is rounding. Where roll-outs were drawn in one, their means are computed again before the first update.
 */
export class PolicyGradient {
  readonly #options: PolicyGradientOptions
  readonly #policy: GenerativeModel
  readonly #reference: GenerativeModel | undefined
  /** The policy in float64, for a few transitions. */
  readonly #exact: GenerativeModel
  readonly #drawsNarrow: boolean
  readonly #group: Group
  #isMeasured = false
  #isSound = true

  constructor(options: PolicyGradientOptions) {
    const { model, trainable, isCompared } = options
    this.#options = options
    this.#group = options.group ?? alone
    this.#policy = model.in('float32').with(trainable.change)
    this.#reference = isCompared ? this.#policy.with({}) : undefined
    this.#exact = model.in('float64').with(trainable.change)
    this.#drawsNarrow = model.weights.dtype !== 'float32'
  }

  /**
   * One update a minibatch. Nothing is read from the device before all are done.
   *
   * @param advantages   N numbers a step
   * @param learningRate of all of them
   * @throws {DivergenceError} gradients or parameters are not finite, ratios or the KL have exploded
   * @throws {RatioError} the log-density before the first update is not that of the roll-outs
   * @throws {ConfigError} the first time: rounding moves log-ratios by more than half of the clip range
   */
  learn(
    rollouts: Rollouts,
    advantages: readonly (readonly number[])[],
    minibatches: readonly (readonly Place[])[],
    learningRate: number,
  ): GradientFigures {
    using _scope = tensorScope()
    const { optimiser } = this.#options
    const { sampler } = rollouts
    const steps = sampler.steps.filter(({ stochastic }) => stochastic).length
    const parts = this.#gather(rollouts, advantages, minibatches).map((own) =>
      this.#drawsNarrow ? own.map((part) => ({ ...part, oldMean: this.#oldMean(part, sampler) })) : own,
    )
    const rounding = this.#rounding(rollouts, advantages, minibatches[0])
    const updates = parts.map((own) => ({
      batches: own.map((part) => ({ ...part, ...this.#accumulate(part, sampler, steps) })),
      update: optimiser.update(learningRate),
    }))
    const [[ownRounding], ...read] = readTogether([
      rounding,
      ...updates.flatMap(({ batches, update }) => [...batches.map(({ figures }) => figures), update.measured]),
    ])
    const noiseNats = Math.sqrt(this.#group.sumNumbers([ownRounding])[0])
    const numbers = elementsOf(this.#options.model) * steps
    const figures = updates.map(({ batches, update }, place) => {
      const of = batches.map((batch) => ({ ...batch, figures: read.shift()! }))
      const figures = this.#figuresOf(of, update.check(read.shift()!), steps)
      if (place === 0) this.#expectRatio(of, figures.firstDelta, noiseNats)
      return figures
    })
    const mean = meanOf(figures)
    expectNear(mean, numbers)
    this.#isSound = isNear(mean, numbers)
    return { ...mean, noiseNats }
  }

  /** Whether the last updates have stayed where a policy is worth going on from. */
  get isSound(): boolean {
    return this.#isSound
  }

  #gather(
    rollouts: Rollouts,
    advantages: readonly (readonly number[])[],
    minibatches: readonly (readonly Place[])[],
  ): Transitions[][] {
    const how = {
      atOnce: this.#options.atOnce,
      device: this.#policy.device,
      group: this.#group,
    }
    return gather(rollouts, advantages, minibatches, how)
  }

  /**
   * The variance that rounding gives the log-ratios of some transitions, before they are trained on.
   * @returns nats², [], of this process's transitions times their share of all
   */
  #rounding(rollouts: Rollouts, advantages: readonly (readonly number[])[], minibatch: readonly Place[]): Tensor {
    using scope = tensorScope()
    using _noGrad = noGrad()
    const { sampler } = rollouts
    const steps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
    const [parts] = this.#gather(rollouts, advantages, [placesToMeasure(minibatch)])
    if (parts.length === 0) return scope.keep(zeros([], 'float64', this.#policy.device))
    const rounded = parts.map((part) => this.#predict(this.#policy, part, sampler))
    const exact = parts.map((part) => {
      const wide = { ...part, xt: part.xt.to('float64'), earlier: part.earlier.map((each) => each.to('float64')) }
      return this.#predict(this.#exact, wide, sampler)
    })
    const all = { rounded: cat(rounded), exact: cat(exact), xt: cat(parts.map(({ xt }) => xt)) }
    const share = parts.reduce((sum, part) => sum + part.share, 0)
    return scope.keep(roundingVariance(sampler, steps, all).mul(share))
  }

  /** Whether the ratios of a first update begin at one, and what moves them is more than rounding. */
  #expectRatio(batches: readonly Batch[], firstDelta: number, noiseNats: number): void {
    const { clipRange, ignoreRounding } = this.#options
    if (!this.#isMeasured && !ignoreRounding) expectSmallRounding(noiseNats, clipRange)
    this.#isMeasured = true
    const at = batches.findIndex(({ figures }) => figures[4] === firstDelta)
    const find = (): FirstDelta => {
      const { sizes, at: steps } = batches[at]
      return { batch: at + 1, batches: batches.length, step: steps[sizes.toArray().indexOf(firstDelta)] + 1 }
    }
    expectFirstDelta(firstDelta, at < 0 ? undefined : find, noiseNats, this.#drawsNarrow ? clipRange : undefined)
  }

  /** Of one update: the figures of its parts by their shares, of all processes. */
  #figuresOf(parts: readonly Batch[], gradNorm: number, steps: number): UpdateFigures {
    const { klWeight } = this.#options
    const own = [1, steps, 0.5, 1].map((factor, place) =>
      parts.reduce((sum, { share, figures }) => sum + share * (factor * figures[place]), 0),
    )
    const [policyLoss, kl, approxKl, clipped] = this.#group.sumNumbers(own)
    const largest = Math.max(0, ...parts.map(({ figures }) => figures[4]))
    return {
      policyLoss,
      klLoss: klWeight * kl,
      kl,
      approxKl,
      clipped,
      firstDelta: Math.max(...this.#group.gather(tensor([largest])).toArray()),
      gradNorm,
    }
  }

  /** What a model says of transitions. */
  #act(model: GenerativeModel, transitions: Transitions, sampler: Sampler): Act {
    const prediction = this.#predict(model, transitions, sampler)
    return { prediction, action: sampler.transition(prediction, transitions.xt, transitions.steps) }
  }

  #predict(model: GenerativeModel, { texts, index, earlier, steps, xt }: Transitions, sampler: Sampler): Tensor {
    const { guidance } = this.#options
    const t = sampler.times(steps, model.device)
    return guidedPredictor(policyOf(model), encodePrompts(model, texts), { texts, index, earlier }, guidance)(xt, t)
  }

  #oldMean(part: Transitions, sampler: Sampler): Tensor {
    using scope = tensorScope()
    return scope.keep(withoutGrad(() => this.#act(this.#policy, part, sampler)).action.mean)
  }

  /**
   * Adds the gradient of the mean loss of these transitions times their share of the minibatch.
   * @param steps that are trained, of a trajectory
   * @returns     its figures, see `#figuresOf`, and |Δ| of each, on the device
   */
  #accumulate(
    transitions: Transitions,
    sampler: Sampler,
    steps: number,
  ): { readonly figures: Tensor; readonly sizes: Tensor } {
    using scope = tensorScope()
    const { objective, rewardWeight, klWeight, gradientCheckpointing } = this.#options
    const { xPrev, oldMean, share } = transitions
    const reference = this.#reference && withoutGrad(() => this.#act(this.#reference!, transitions, sampler))
    using graph = gradientCheckpoints(gradientCheckpointing)
    const policy = this.#act(this.#policy, transitions, sampler)
    const { mean, sigma } = policy.action
    const delta = logDensityDifference(xPrev, mean, oldMean, sigma)
    const kl = reference && gaussianKl(mean, reference.action.mean, sigma)

    const seen = { transitions, sampler, policy, delta }
    const policyLoss = objective.surrogate(seen).mean().mul(objective.scale(steps))
    const distance =
      kl &&
      objective
        .distance({ ...seen, reference, kl })
        .mean()
        .mul(objective.scale(steps))
    const weighted = policyLoss.mul(rewardWeight)
    graph.backward((distance === undefined ? weighted : weighted.add(distance.mul(klWeight))).mul(share))
    const sizes = scope.keep(delta.detach().abs())
    const figures = stack([
      policyLoss.detach(),
      kl === undefined ? zeros([], 'float32', delta.device) : kl.detach().mean(),
      sizes.square().mean(),
      objective.bounded(seen).to('float32').mean(),
      sizes.amax(0),
    ])
    return { figures: scope.keep(figures), sizes }
  }
}

/** Transitions that were computed at once, with what was read of them. */
interface Batch extends Pick<Transitions, 'share' | 'at'> {
  readonly figures: readonly number[]
  readonly sizes: Tensor
}

/** Of a state of the policy. */
const elementsOf = (model: GenerativeModel) => policyOf(model).stateShape.reduce((product, side) => product * side, 1)

type UpdateFigures = Omit<GradientFigures, 'noiseNats'>

function meanOf(updates: readonly UpdateFigures[]): UpdateFigures {
  const mean = (pick: (update: UpdateFigures) => number) =>
    updates.reduce((sum, update) => sum + pick(update), 0) / updates.length
  return {
    policyLoss: mean(({ policyLoss }) => policyLoss),
    klLoss: mean(({ klLoss }) => klLoss),
    kl: mean(({ kl }) => kl),
    approxKl: mean(({ approxKl }) => approxKl),
    clipped: mean(({ clipped }) => clipped),
    firstDelta: updates[0].firstDelta,
    gradNorm: mean(({ gradNorm }) => gradNorm),
  }
}
