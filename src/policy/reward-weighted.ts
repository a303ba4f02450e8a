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
 */
import { z } from 'zod'
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { addNoise } from '../diffusion/prediction.ts'
import { RewardError } from '../errors.ts'
import { encodePrompts, predictGuided } from '../images/guided.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { random, seedOf } from '../random.ts'
import { AdamW } from '../tensor/adamw.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { randint, randn, tensor } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { applyGradients, copyState } from '../tensor/optimise.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { below, under, type TrainingState } from '../tensor/training-state.ts'
import type { TrainableDelta } from './trainable.ts'

export const rewardWeightedFields = {
  updates: z.int().positive().default(2000).describe('Gradient steps.'),
  batchSize: z
    .int()
    .positive()
    .default(64)
    .describe('Generated images per update; as many pre-training images beside them.'),
  pretrainingWeight: z.number().nonnegative().default(0.5).describe('Weight β of the pre-training loss.'),
  klD: z.number().nonnegative().default(0).describe('γ of KL-D: the weight of an image is max(0, reward + γ).'),
  klO: z
    .number()
    .nonnegative()
    .default(0)
    .describe('γ of KL-O: weight of the squared distance to the pre-trained model’s prediction.'),
  threshold: z.number().default(0).describe('Images with a lower reward are left out.'),
  learningRate: z.number().positive().default(1.5e-3).describe('Learning rate of AdamW, decaying linearly to zero.'),
  maxGradNorm: z.number().positive().default(1).describe('Gradients are clipped to this norm.'),
  promptDropout: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of prompts that are replaced by the empty prompt.'),
}
export const RewardWeightedSettings = z.object(rewardWeightedFields)
export type RewardWeightedSettings = z.infer<typeof RewardWeightedSettings>

/** A generated image with the reward's prediction for it. */
export interface ScoredImage {
  readonly picture: Picture
  readonly text: string
  readonly reward: number
}

export interface RewardWeightedOptions {
  readonly model: GenerativeModel
  readonly trainable: TrainableDelta
  readonly images: readonly ScoredImage[]
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

export class RewardWeighted {
  readonly #options: RewardWeightedOptions
  readonly #policy: GenerativeModel
  readonly #reference: GenerativeModel
  readonly #optimiser: AdamW
  readonly #images: readonly ScoredImage[]
  readonly #alphaBar: Tensor
  #update = 0

  /** @throws {RewardError} nothing is left to learn from, or a reward is not finite */
  constructor(options: RewardWeightedOptions) {
    const { model, trainable, settings } = options
    this.#options = options
    this.#images = options.images.filter(({ reward }) => !(reward < settings.threshold))
    expectSomeWeight(this.#images, settings)
    this.#policy = model.with(trainable.delta)
    this.#reference = model.with({})
    this.#optimiser = unscoped(() => new AdamW(trainable.parameters, { learningRate: settings.learningRate }))
    this.#alphaBar = unscoped(() => tensor(Float32Array.from(model.schedule.alphaBar)))
  }

  get update(): number {
    return this.#update
  }

  /** One gradient step on generated and pre-training images. */
  step(): RewardWeightedMetrics {
    using _scope = tensorScope()
    const { settings, seed, pretraining, trainable } = this.#options
    const stream = random(seed, 1, this.#update)
    const batch = Array.from({ length: settings.batchSize }, () => stream.pick(this.#images))
    const weights = tensor(batch.map(({ reward }) => Math.max(0, reward + settings.klD)))
    const drop = (text: string) => (stream.uniform() < settings.promptDropout ? '' : text)

    // Each half is taken back through its own graph, so that only one is held at a time; the gradients add up.
    const rewardLoss = heldLoss(() => {
      const own = this.#loss(
        batch.map(({ picture }) => picture),
        batch.map(({ text }) => drop(text)),
        2,
      )
      const weighted = own.loss.mul(weights).mean()
      return settings.klO > 0 ? weighted.add(own.distance().mul(settings.klO)) : weighted
    }, 1)
    let pretrainingLoss = 0
    if (settings.pretrainingWeight > 0) {
      const { pictures, captions } = pretraining(this.#update * settings.batchSize, settings.batchSize)
      const texts = captions.map(drop)
      pretrainingLoss = heldLoss(() => this.#loss(pictures, texts, 3).loss.mean(), settings.pretrainingWeight)
    }
    const lr = settings.learningRate * (1 - this.#update / settings.updates)
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

  /** Denoising loss [B] of pictures, and the mean squared distance to the pre-trained model's prediction. */
  #loss(
    pictures: readonly Picture[],
    texts: readonly string[],
    streamId: number,
  ): { loss: Tensor; distance: () => Tensor } {
    const { model, seed } = this.#options
    const generator = new Generator(seedOf(seed, streamId, this.#update))
    const x0 = model.encode(pixelsOf(pictures))
    const t = randint(0, model.schedule.alphaBar.length, [pictures.length], generator)
    const epsilon = randn(x0.shape, generator)
    const alphaBar = this.#alphaBar.indexSelect(0, t)
    const xt = addNoise(x0, epsilon, alphaBar)
    // Supervised training sees the plain prediction; guidance is a matter of sampling.
    const predict = (of: GenerativeModel) => predictGuided(of, encodePrompts(of, texts), texts, xt, t, 1)
    const prediction = predict(this.#policy)
    const type = model.schedule.predictionType
    return {
      loss: denoisingLoss({
        prediction,
        x0,
        epsilon,
        alphaBar,
        type,
        ...(model.lossWeighting && { weighting: model.lossWeighting }),
      }),
      distance: () =>
        prediction
          .sub(withoutGrad(() => predict(this.#reference)))
          .square()
          .mean(),
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

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run */
  load({ tensors, numbers }: TrainingState): void {
    copyState('policy', new Map(this.#options.trainable.parameters), below('parameters', tensors))
    this.#optimiser.load(below('optimiser', tensors))
    this.#update = numbers.update as number
  }
}

/** Adds the gradient of `weight` times a loss and lets its graph go. Returns the loss. */
function heldLoss(lossOf: () => Tensor, weight: number): number {
  using _scope = tensorScope()
  const loss = lossOf()
  loss.mul(weight).backward()
  return loss.item()
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
