/**
 * Reward-weighted likelihood (Lee et al. 2023, arXiv:2302.12192, Eq. 2), with the denoising loss in place of −log p:
 *
 *   L(θ) = E_{(x,z)~model}[w · ‖ε − ε_θ(x_t, t, z)‖²] + β E_{(x,z)~pre-training}[‖ε − ε_θ(x_t, t, z)‖²],  w = r_φ(x, z)
 *
 * Departures from the paper and options beside it:
 * 1. The loss is on the model's own prediction type, with the weighting by noise level of its pre-training.
 * 2. Weights are always the reward's predictions, also for images that people labelled.
 * 3. KL-D (Fan et al. 2023, §4.3): w = max(0, r + γ). KL-O (Lemma 4.3): + γ ‖ε_θ − ε_pre‖² on the model's images.
 * 4. Threshold filtering: images with r below the threshold are left out.
 * 5. Prompts are dropped at the rate of pre-training, so that guidance keeps working.
 * 6. The learning rate decays linearly to zero.
 * 7. An image is encoded once, as the mean of the autoencoder's posterior, not as a new sample of it for every update.
 */
import { z } from 'zod'
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { FormatError, RewardError } from '../errors.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import { mapStates, policyOf, type CleanStates, type GenerativeModel } from '../networks/generative-model.ts'
import { random, seedOf } from '../random.ts'
import { AdamW } from '../tensor/adamw.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { gradientCheckpoints } from '../tensor/gradient-checkpoints.ts'
import { randn, tensor } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { applyGradients, copyState, loweredRate } from '../tensor/optimise.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, numbersOf, under, type TrainingState } from '../tensor/training-state.ts'
import { learningRateField, type UsualRates } from './learning-rate.ts'
import { gradientCheckpointingField, type TrainableChange } from './trainable.ts'

const usualRates: UsualRates = { text: 1.5e-3, lora: 1e-4 }

export const rewardWeightedFields = {
  updates: z
    .int()
    .positive()
    .max(100_000_000)
    .default(2000)
    .describe('Gradient steps; a hundred million take years on any machine.'),
  batchSize: z
    .int()
    .positive()
    .max(16_384)
    .default(64)
    .describe('Generated images per update, all in memory; as many pre-training images beside them.'),
  gradientAccumulationSteps: z
    .int()
    .positive()
    .max(16_384)
    .default(1)
    .describe('Parts in which the images of an update are computed; changes the memory that it takes, not the result.'),
  ...gradientCheckpointingField,
  pretrainingWeight: z.number().nonnegative().default(0.5).describe('Weight β of the pre-training loss.'),
  klD: z.number().nonnegative().default(0).describe('γ of KL-D: the weight of an image is max(0, reward + γ).'),
  klO: z
    .number()
    .nonnegative()
    .default(0)
    .describe('γ of KL-O: weight of the squared distance to the pre-trained model’s prediction.'),
  threshold: z.number().default(0).describe('Images with a lower reward are left out.'),
  ...learningRateField(usualRates),
  maxGradNorm: z.number().positive().default(1).describe('Gradients are clipped to this norm.'),
  promptDropout: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of prompts that are replaced by the empty prompt.'),
}
/** What reward-weighted training is done with. */
export const RewardWeightedSettings = z.object(rewardWeightedFields)
export type RewardWeightedSettings = z.infer<typeof RewardWeightedSettings>

/** What a saved state holds beside its tensors. */
const RewardWeightedNumbers = z.object({ update: z.int().nonnegative() })

/** A generated image with the reward's prediction for it. */
export interface ScoredImage {
  readonly text: string
  readonly reward: number
}

/** What reward-weighted training is done on. */
export interface RewardWeightedOptions {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly images: readonly ScoredImage[]
  /** Of the images, [N, …] each, on any device. */
  readonly states: CleanStates
  readonly pretraining: PretrainingSource
  readonly seed: number
  readonly settings: RewardWeightedSettings
}

/** The names are those of `metrics.jsonl`. */
export interface RewardWeightedMetrics {
  readonly updates: number
  readonly train_loss: number
  readonly reward_loss: number
  readonly pretraining_loss: number
  readonly grad_norm: number
  readonly lr: number
}

/** The trainer of reward-weighted likelihood: each step takes a batch of images with their weights. */
export class RewardWeighted {
  readonly #options: RewardWeightedOptions
  readonly #policy: GenerativeModel
  readonly #reference: GenerativeModel
  readonly #optimiser: AdamW
  readonly #images: readonly (ScoredImage & { readonly row: number })[]
  readonly #learningRate: number
  #update = 0

  /** @throws {RewardError} nothing is left to learn from, or a reward is not finite */
  constructor(options: RewardWeightedOptions) {
    const { model, trainable, settings } = options
    this.#options = options
    this.#images = options.images
      .map((image, row) => ({ ...image, row }))
      .filter(({ reward }) => !(reward < settings.threshold))
    expectSomeWeight(this.#images, settings)
    this.#policy = model.with(trainable.change)
    this.#reference = model.with({})
    this.#learningRate = settings.learningRate ?? usualRates[model.defaults.parameters]
    this.#optimiser = unscoped(() => new AdamW(trainable.parameters, { learningRate: this.#learningRate }))
  }

  get update(): number {
    return this.#update
  }

  /** As it is trained so far; the next update changes it. */
  get policy(): GenerativeModel {
    return this.#policy
  }

  /** Of the first update, before it decays. */
  get learningRate(): number {
    return this.#learningRate
  }

  /** A learning rate with which a training that diverged may go well. */
  get lowerRate(): number {
    return loweredRate(this.#learningRate, usualRates[this.#options.model.defaults.parameters])
  }

  /** One gradient step on generated and pre-training images. */
  step(): RewardWeightedMetrics {
    using _scope = tensorScope()
    const { settings, seed, states, pretraining, trainable } = this.#options
    const stream = random(seed, 1, this.#update)
    const batch = Array.from({ length: settings.batchSize }, () => stream.pick(this.#images))
    const drop = (text: string) => (stream.uniform() < settings.promptDropout ? '' : text)
    const rows = tensor(
      batch.map(({ row }) => row),
      [batch.length],
      'int64',
    )
    const own = {
      ...mapStates(states, (all) => all.indexSelect(0, rows.to(all.device))),
      texts: batch.map(({ text }) => drop(text)),
      weights: batch.map(({ reward }) => Math.max(0, reward + settings.klD)),
    }
    const rewardLoss = this.#accumulate(own, 2, settings.klO, 1)
    let pretrainingLoss = 0
    if (settings.pretrainingWeight > 0) {
      const { captions, ...theirStates } = pretraining(this.#update * settings.batchSize, settings.batchSize)
      const theirs = { ...theirStates, texts: captions.map(drop), weights: captions.map(() => 1) }
      pretrainingLoss = this.#accumulate(theirs, 3, 0, settings.pretrainingWeight)
    }
    const lr = this.#learningRate * (1 - this.#update / settings.updates)
    const gradNorm = applyGradients([this.#optimiser], trainable.parameters, {
      maxGradNorm: settings.maxGradNorm,
      learningRates: [lr],
    })
    this.#update++
    return {
      updates: this.#update,
      train_loss: rewardLoss + settings.pretrainingWeight * pretrainingLoss,
      reward_loss: rewardLoss,
      pretraining_loss: pretrainingLoss,
      grad_norm: gradNorm,
      lr,
    }
  }

  /**
   * Adds the gradient of `weight` times the weighted mean of the denoising losses. Each part is taken back through its own
   * graph, so that only one is held at a time; the gradients add up.
   * @param streamId of the noise
   * @param klO      γ of KL-O
   * @returns        the loss, without its weight
   */
  #accumulate(all: NoisyImages, streamId: number, klO: number, weight: number): number {
    using _scope = tensorScope()
    const { model, seed, settings } = this.#options
    const generator = new Generator(seedOf(seed, streamId, this.#update))
    const count = all.texts.length
    const t = policyOf(model).process.drawTimes(count, generator)
    const epsilon = randn(all.x0.shape, generator)
    const size = Math.ceil(count / settings.gradientAccumulationSteps)
    let total = 0
    for (let from = 0; from < count; from += size) {
      using _part = tensorScope()
      using graph = gradientCheckpoints(settings.gradientCheckpointing)
      const to = Math.min(count, from + size)
      const rows = (of: Tensor) => of.slice(0, from, to)
      const part = {
        ...mapStates(all, (each) => rows(each).to(model.device)),
        texts: all.texts.slice(from, to),
        t: rows(t),
        epsilon: rows(epsilon).to(model.device),
      }
      const weights = tensor(all.weights.slice(from, to)).to(model.device)
      const { losses, prediction, reference } = this.#losses(part)
      const weighted = losses.mul(weights).mean()
      const loss = klO > 0 ? weighted.add(prediction.sub(reference()).square().mean().mul(klO)) : weighted
      const share = (to - from) / count
      graph.backward(loss.mul(weight * share))
      total += share * loss.item()
    }
    return total
  }

  /** Denoising losses [B] with the prediction they are of, and what the pre-trained model predicts there. */
  #losses({ x0, earlier, texts, t, epsilon }: Omit<NoisyImages, 'weights'> & { t: Tensor; epsilon: Tensor }): {
    losses: Tensor
    prediction: Tensor
    reference: () => Tensor
  } {
    const { model } = this.#options
    const { process } = policyOf(model)
    const xt = process.noised(x0, epsilon, t)
    const times = t.to(model.device)
    // Supervised training sees the plain prediction; guidance is a matter of sampling.
    const predictBy = (of: GenerativeModel) =>
      guidedPredictor(policyOf(of), encodePrompts(of, texts), { texts, earlier }, 1)(xt, times)
    const prediction = predictBy(this.#policy)
    return {
      losses: denoisingLoss(process, { prediction, x0, epsilon, t }),
      prediction,
      reference: () => withoutGrad(() => predictBy(this.#reference)),
    }
  }

  /** All changing state: parameters, optimiser, update. */
  state(): TrainingState {
    return {
      tensors: new Map([
        ...under('parameters', this.#options.trainable.parameters),
        ...under('optimiser', this.#optimiser.state()),
      ]),
      numbers: { update: this.#update },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { updates } = this.#options.settings
    const { tensors } = state
    const { update } = numbersOf('reward-weighted', RewardWeightedNumbers, state)
    if (update > updates) {
      throw new FormatError({
        where: 'reward-weighted state',
        expected: `one of at most ${updates} updates`,
        received: `one of ${update}`,
        remedy: 'was this state saved for another run?',
      })
    }
    copyState('policy', new Map(this.#options.trainable.parameters), below('parameters', tensors))
    this.#optimiser.load(below('optimiser', tensors))
    this.#update = update
  }
}

interface NoisyImages extends CleanStates {
  readonly texts: readonly string[]
  readonly weights: readonly number[]
}

function expectSomeWeight(images: readonly ScoredImage[], settings: RewardWeightedSettings): void {
  const broken = images.find(({ reward }) => !Number.isFinite(reward))
  const weighty = images.some(({ reward }) => reward + settings.klD > 0)
  if (broken === undefined && weighty) return
  throw new RewardError({
    where: 'rewards of the generated images',
    expected: 'finite rewards, some of them above the threshold and above −γ',
    received: broken === undefined ? `${images.length} images, none with a positive weight` : String(broken.reward),
    remedy: 'check the reward, lower --threshold, or raise --kl-d',
  })
}
