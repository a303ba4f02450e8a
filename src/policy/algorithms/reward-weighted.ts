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
 * 8. Scores of a reward that compares images of one prompt only are taken from the mean of their prompt before they become
 *    weights: what such a reward gives to a prompt as a whole says nothing.
 * 9. Everything is computed in the model's type, bf16 on a GPU: that moves a gradient by 1 %, another batch by half of it and
 *    more (docs/benchmarks.md). What is trained, and its moments, are float32.
 */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import { denoisingLoss } from '../../diffusion/denoising-loss.ts'
import { FormatError, RewardError } from '../../errors.ts'
import { encodePrompts, guidedPredictor } from '../../images/guided.ts'
import { gradientCheckpointingField } from '../../networks/adapters.ts'
import {
  mapStates,
  policyOf,
  type CleanStates,
  type GenerativeModel,
  type ModelStage,
} from '../../networks/generative-model.ts'
import { tellNote } from '../../notes.ts'
import { random, seedOf } from '../../random.ts'
import { acrossPrompts, centredWords } from '../../reward/across-prompts.ts'
import { unitRange } from '../../reward/unit-range.ts'
import { policyStreams, type StreamPath } from '../../streams.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { randn, tensor, zeros } from '../../tensor/create.ts'
import { alone, shareOf, type Group } from '../../tensor/group.ts'
import { Generator } from '../../tensor/generator.ts'
import { mostHeld } from '../../tensor/memory.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, numbersOf, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Given, HollowGiven } from '../algorithm.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { lossRisen, type LossRow } from '../training-warnings.ts'

const usualRates: UsualRates = { text: 1.5e-3, lora: 1e-4 }

const fields = {
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
  gradientAccumulationSteps: optionalCount(16_384).describe(
    'Parts in which the images of an update are computed: as few as the free memory allows without it. Changes the memory that it takes and the result by rounding.',
  ),
  ...gradientCheckpointingField,
  pretrainingWeight: z.number().nonnegative().default(0.5).describe('Weight β of the pre-training loss.'),
  klD: z.number().nonnegative().default(0).describe('γ of KL-D: the weight of an image is max(0, reward + γ).'),
  klO: z
    .number()
    .nonnegative()
    .default(0)
    .describe('γ of KL-O: weight of the squared distance to the pre-trained model’s prediction.'),
  threshold: z.number().default(0).describe('Images with a lower reward are left out.'),
  ...policyOptimiserFields(usualRates),
  promptDropout: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of prompts that are replaced by the empty prompt.'),
}
/** What reward-weighted training is done with. */
export const RewardWeightedSettings = z.object(fields)
export type RewardWeightedSettings = z.infer<typeof RewardWeightedSettings>

/** What a saved state holds beside its tensors. */
const RewardWeightedNumbers = z.object({ update: z.int().nonnegative() })

/** What reward-weighted training is done on. */
export type RewardWeightedOptions = Given<'reward' | 'images' | 'pretraining images', RewardWeightedSettings>

/** The names are those of `metrics.jsonl`. */
export interface RewardWeightedMetrics extends StepMetrics {
  readonly updates: number
  readonly train_loss: number
  readonly reward_loss: number
  readonly pretraining_loss: number
  readonly grad_norm: number
  readonly lr: number
}

/** A generated image that is learned from. */
interface Weighed {
  readonly text: string
  /** In [0, 1]. */
  readonly reward: number
  /** Of its x_0. */
  readonly row: number
}

/** The trainer of reward-weighted likelihood: each step takes a batch of images with their weights. */
export class RewardWeighted implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly results: Trainer['results']
  readonly #options: RewardWeightedOptions
  readonly #reference: GenerativeModel
  readonly #optimiser: PolicyOptimiser
  readonly #images: readonly Weighed[]
  readonly #group: Group
  /** Of every batch, the rows that this process computes. */
  readonly #own: { readonly from: number; readonly to: number }
  #update = 0

  /** @throws {RewardError} nothing is left to learn from, or a reward is not finite */
  constructor(options: RewardWeightedOptions) {
    const { model, trainable, settings, images, reward } = options
    const texts = images.map(({ text }) => text)
    const comparable = acrossPrompts(
      reward,
      images.map(({ score }) => score),
      texts,
    )
    const { scores, singles } = comparable
    const range = unitRange({ name: reward.name, range: comparable.range }, scores)
    if (singles !== undefined) tellNote(centredWords(reward, singles))
    this.#options = options
    this.#group = options.group ?? alone
    this.#own = shareOf(this.#group, settings.batchSize)
    this.#images = images
      .map(({ text }, row) => ({ text, reward: range.map(scores[row]), row }))
      .filter((image) => !(image.reward < settings.threshold))
    expectSomeWeight(this.#images, settings)
    this.total = settings.updates
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.results = {
      ...(singles !== undefined && { rewardCentred: 'by prompt', promptsOfOneImage: singles }),
      ...((range.low !== 0 || range.high !== 1) && { rewardMappedFrom: [range.low, range.high] }),
    }
    this.#reference = model.with({})
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, this.#group)
  }

  get done(): number {
    return this.#update
  }

  /** One gradient step on generated and pre-training images. */
  step(): RewardWeightedMetrics {
    using _scope = tensorScope()
    const { settings, seed, states, pretraining } = this.#options
    const { batchSize } = settings
    const { from, to } = this.#own
    // What is drawn is drawn for the whole batch, whoever computes its rows.
    const stream = random(...policyStreams.choices(seed, this.#update))
    const batch = Array.from({ length: batchSize }, () => stream.pick(this.#images)).slice(from, to)
    const drops = () => Array.from({ length: batchSize }, () => stream.uniform() < settings.promptDropout)
    const dropped = (texts: readonly string[]) => {
      const isDropped = drops().slice(from, to)
      return texts.map((text, i) => (isDropped[i] ? '' : text))
    }
    const rows = tensor(
      batch.map(({ row }) => row),
      [batch.length],
      'int64',
    )
    const own = {
      ...mapStates(states, (all) => all.indexSelect(0, rows.to(all.device))),
      texts: dropped(batch.map(({ text }) => text)),
      weights: batch.map(({ reward }) => Math.max(0, reward + settings.klD)),
    }
    const generated = this.#accumulate(own, policyStreams.generatedNoise(seed, this.#update), settings.klO, 1)
    let before: Losses = []
    if (settings.pretrainingWeight > 0 && to > from) {
      const { captions, ...theirStates } = pretraining(this.#update * batchSize + from, to - from)
      const theirs = { ...theirStates, texts: dropped(captions), weights: captions.map(() => 1) }
      const noise = policyStreams.pretrainingNoise(seed, this.#update)
      before = this.#accumulate(theirs, noise, 0, settings.pretrainingWeight)
    }
    const lr = this.#optimiser.rateAt(this.#update, this.total)
    const update = this.#optimiser.update(lr)
    const [measured, ...losses] = readTogether([update.measured, ...[...generated, ...before].map(({ loss }) => loss)])
    const gradNorm = update.check(measured)
    const meanOf = (parts: Losses) => parts.reduce((sum, { share }) => sum + share * losses.shift()![0], 0)
    const [rewardLoss, pretrainingLoss] = this.#group.sumNumbers([meanOf(generated), meanOf(before)])
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
   * Adds the gradient of `weight` times the weighted mean of the denoising losses of the batch, as far as it comes from
   * the rows of this process. Each part is taken back through its own graph, so that only one is held at a time; the
   * gradients add up.
   * @param own      the rows of this process
   * @param noise    stream of the whole batch
   * @param klO      γ of KL-O
   * @returns        losses of the parts, without the weight, on the device
   */
  #accumulate(own: NoisyImages, noise: StreamPath, klO: number, weight: number): Losses {
    using scope = tensorScope()
    const { model, settings } = this.#options
    const generator = new Generator(seedOf(...noise))
    const all = settings.batchSize
    const ofOwn = (of: Tensor) => of.slice(0, this.#own.from, this.#own.to)
    const t = ofOwn(policyOf(model).process.drawTimes(all, generator))
    const epsilon = ofOwn(randn([all, ...own.x0.shape.slice(1)], generator))
    const count = own.texts.length
    const size = Math.ceil(count / (settings.gradientAccumulationSteps ?? 1))
    const parts: { share: number; loss: Tensor }[] = []
    for (let from = 0; from < count; from += size) {
      using inner = tensorScope()
      using graph = gradientCheckpoints(settings.gradientCheckpointing)
      const to = Math.min(count, from + size)
      const rows = (of: Tensor) => of.slice(0, from, to)
      const part = {
        ...mapStates(own, (each) => rows(each).to(model.device)),
        texts: own.texts.slice(from, to),
        t: rows(t),
        epsilon: rows(epsilon).to(model.device),
      }
      const weights = tensor(own.weights.slice(from, to)).to(model.device)
      const { losses, prediction, reference } = this.#losses(part)
      const weighted = losses.mul(weights).mean()
      const loss = klO > 0 ? weighted.add(prediction.sub(reference()).square().mean().mul(klO)) : weighted
      const share = (to - from) / all
      graph.backward(loss.mul(weight * share))
      parts.push({ share, loss: inner.keep(loss.detach()) })
    }
    for (const { loss } of parts) scope.keep(loss)
    return parts
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
    const prediction = predictBy(this.policy)
    return {
      losses: denoisingLoss(process, { prediction, x0, epsilon, t }),
      prediction,
      reference: () => withoutGrad(() => predictBy(this.#reference)),
    }
  }

  lowerRates(): Readonly<Record<string, number>> {
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, update. */
  state(): TrainingState {
    return { tensors: new Map(this.#optimiser.state()), numbers: { update: this.#update } }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { update } = numbersOf('reward-weighted', RewardWeightedNumbers, state)
    if (update > this.total) {
      throw new FormatError({
        where: 'reward-weighted state',
        expected: `one of at most ${this.total} updates`,
        received: `one of ${update}`,
        remedy: 'was this state saved for another run?',
      })
    }
    this.#optimiser.load(state.tensors)
    this.#update = update
  }
}

/** Of parts of a batch, each with its share of it. */
type Losses = readonly { readonly share: number; readonly loss: Tensor }[]

interface NoisyImages extends CleanStates {
  readonly texts: readonly string[]
  readonly weights: readonly number[]
}

function expectSomeWeight(images: readonly Weighed[], settings: RewardWeightedSettings): void {
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

/** Bytes that are held at the most beside the model in an update of `count` images at once. */
function updateBytes(tried: HollowTried, count: number, gradientCheckpointing: boolean): number {
  using _scope = tensorScope()
  const { stages, policyStage } = tried.model
  const room = ({ stateShape }: ModelStage) => zeros([2, ...stateShape])
  const states = { x0: room(policyOf(tried.model)), earlier: stages.slice(0, policyStage).map(room) }
  const images = [0, 1].map((score) => ({ text: '', score }))
  const own = {
    batchSize: count,
    gradientAccumulationSteps: 1,
    pretrainingWeight: 0,
    gradientCheckpointing,
    threshold: 0,
  }
  return mostHeld(() => {
    const trainer = new RewardWeighted({
      ...tried,
      images,
      states,
      settings: { ...tried.settings, ...own },
      group: alone,
    })
    trainer.step()
    for (const moment of below('optimiser', trainer.state().tensors).values()) moment.dispose()
  })
}
type HollowTried = HollowGiven<'reward' | 'images' | 'pretraining images', RewardWeightedSettings>

/** `policy reward-weighted` */
export const rewardWeighted: Algorithm<'policy reward-weighted', typeof fields> = {
  fields,
  changeable: ['gradientAccumulationSteps'],
  chosen: ['gradientAccumulationSteps'],
  atOnce: (tried) => {
    const { batchSize, gradientAccumulationSteps: parts } = tried.settings
    const own = Math.ceil(batchSize / (tried.group?.size ?? 1))
    return [
      {
        field: 'gradientAccumulationSteps',
        what: 'images with gradients',
        given: parts === null ? undefined : Math.ceil(own / parts),
        usual: own,
        most: own,
        all: own,
        bytes: (count, checkpoints) => updateBytes(tried, count, checkpoints),
        settingFor: (count) => Math.ceil(own / count),
      },
    ]
  },
  recorded: [],
  checkpointEvery: 200,
  begin: (given) => new RewardWeighted(given),
  work: ({ updates, batchSize, pretrainingWeight, klO }) =>
    updates * batchSize * (3 + (klO > 0 ? 1 : 0) + (pretrainingWeight > 0 ? 3 : 0)),
  note: ({ reward_loss: weighted, pretraining_loss: plain }) =>
    `loss ${weighted?.toFixed(4)} pre-training ${plain?.toFixed(4)}`,
  warningOf: (rows) => lossRisen(rows.filter((row): row is typeof row & LossRow => 'train_loss' in row)),
}
