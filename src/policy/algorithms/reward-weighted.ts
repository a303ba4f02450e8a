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
 * 9. `imagesDrawn`: rounds of draw, weigh and fit. After the given images the policy draws more of their prompts, round by round,
 *    and each round learns from its own; a reward that has to be mapped into [0, 1] is mapped anew for each.
 * 10. `signed`: advantage weighted matching (Xue et al. 2025, arXiv:2509.25050). Weights are advantages among the images of a
 *    prompt, w ∈ [−1, 1], and −w L_θ becomes −min(ρw, clip(ρ, 1 ± c)w) with ρ = exp(L_old − L_θ), L being the denoising loss
 *    at one time and noise and old the policy at the beginning of the round. γ of KL-O is its KL to the base. Departures from it:
 *    its weighting of L is that of pre-training, times are as in pre-training, and there is no second KL to a running average.
 * 11. Everything is computed in the model's type, bf16 on a GPU: that moves a gradient by 1 %, another batch by half of it and
 *    more (docs/benchmarks.md). What is trained, and its moments, are float32.
 */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import { denoisingLoss } from '../../diffusion/denoising-loss.ts'
import { encodePrompts, guidedPredictor } from '../../images/guided.ts'
import { changeWith, gradientCheckpointingField } from '../../networks/adapters.ts'
import {
  mapStates,
  policyOf,
  type CleanStates,
  type GenerativeModel,
  type ModelStage,
} from '../../networks/generative-model.ts'
import { tellNote } from '../../notes.ts'
import { random, seedOf } from '../../random.ts'
import { policyStreams, type StreamPath } from '../../streams.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { randn, stack, tensor, zeros } from '../../tensor/create.ts'
import { Ema } from '../../tensor/ema.ts'
import { alone, shareOf, type Group } from '../../tensor/group.ts'
import { Generator } from '../../tensor/generator.ts'
import { copyState } from '../../tensor/optimise.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, expectWithin, numbersOf, under, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Given, HollowGiven } from '../algorithm.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { momentsOf } from '../group-advantages.ts'
import { ImageRounds, imageRoundFields } from '../image-rounds.ts'
import { matchingSurrogate } from '../matching-ratio.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { freshAtOnce, stepBytes } from '../trial-memory.ts'
import { lossRisen } from '../training-warnings.ts'
import { expectAdvantages, expectSigned, weighByAdvantage, weighByReward, type Weighed } from '../weighed-images.ts'

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
    .describe(
      'γ of KL-O: weight of the squared distance to the pre-trained model’s prediction; advantage weighted matching has 1e-4 to 3e-3.',
    ),
  threshold: z.number().default(0).describe('Images with a lower reward are left out.'),
  ...policyOptimiserFields(usualRates),
  promptDropout: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of prompts that are replaced by the empty prompt.'),
  signed: z
    .boolean()
    .default(false)
    .describe(
      'Weighs an image by how much better or worse it is than others of its prompt, so that bad ones are unlearned (advantage weighted matching, Xue et al. 2025). Such weights are small: hold the policy by --kl-o rather than by --pretraining-weight.',
    ),
  clipRange: z
    .number()
    .positive()
    .default(1)
    .describe('With --signed: how far from 1 a ratio of likelihoods counts, exp of how far the loss has fallen.'),
  ...imageRoundFields,
}
/** What reward-weighted training is done with. */
export const RewardWeightedSettings = z.object(fields)
export type RewardWeightedSettings = z.infer<typeof RewardWeightedSettings>

/** What a saved state holds beside its tensors. */
const RewardWeightedNumbers = z.object({
  update: z.int().nonnegative(),
  constant: z.int().nonnegative().default(0),
})

/** What reward-weighted training is done on. */
export type RewardWeightedOptions = Given<'reward' | 'images' | 'pretraining images', RewardWeightedSettings>

/** The names are those of `metrics.jsonl`. */
export interface RewardWeightedMetrics extends StepMetrics {
  readonly updates: number
  readonly train_loss: number
  readonly reward_loss: number
  readonly pretraining_loss: number
  /** With `signed`: the denoising loss of the images as it is. */
  readonly matching_loss?: number
  readonly grad_norm: number
  readonly lr: number
  /** Where it draws: of the present round, and so far with those given. */
  readonly images_drawn?: number
  readonly reward_mean?: number
  readonly reward_std?: number
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
  /** Values of the parameters at the beginning of the round, and the policy that they make, for ratios. */
  readonly #old: Ema | undefined
  readonly #oldPolicy: GenerativeModel
  readonly #rounds: ImageRounds
  #weighed: Weighed
  readonly #group: Group
  /** Of every batch, the rows that this process computes. */
  readonly #own: { readonly from: number; readonly to: number }
  #update = 0

  /**
   * @throws {RewardError} nothing is left to learn from, or a reward is not finite
   * @throws {ConfigError} settings that do not go together
   */
  constructor(options: RewardWeightedOptions) {
    const { model, trainable, settings, sampler, guidance } = options
    if (settings.signed) expectSigned(settings)
    this.#options = options
    this.#group = options.group ?? alone
    this.#own = shareOf(this.#group, settings.batchSize)
    this.total = settings.updates
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.#rounds = new ImageRounds({ ...options, policy: this.policy })
    this.#weighed = this.#weigh()
    if (settings.signed) expectAdvantages(this.#weighed.images)
    const { note, results } = this.#weighed
    if (note !== undefined) tellNote(note)
    const draws = this.#rounds.count > 1
    this.results = {
      ...results,
      ...(draws && { rounds: this.#rounds.count, steps: sampler.steps.length, eta: sampler.eta, guidance }),
    }
    this.#reference = model.with({})
    this.#old = settings.signed ? new Ema(trainable.parameters, 0) : undefined
    this.#oldPolicy = this.#old === undefined ? model : model.with(changeWith(trainable.change, this.#old.values()))
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, this.#group)
  }

  #weigh(): Weighed {
    const { settings, reward } = this.#options
    const { images } = this.#rounds
    return settings.signed ? weighByAdvantage(images, settings.deviation) : weighByReward(images, reward, settings)
  }

  get isSound(): boolean {
    return this.#rounds.constant === 0
  }

  get done(): number {
    return this.#update
  }

  /** One gradient step on generated and pre-training images. */
  step(): RewardWeightedMetrics {
    using _scope = tensorScope()
    const { settings, seed, pretraining } = this.#options
    const { batchSize } = settings
    const { from, to } = this.#own
    if (this.#rounds.goTo(this.#update)) {
      this.#weighed = this.#weigh()
      this.#old?.update()
    }
    // What is drawn is drawn for the whole batch, whoever computes its rows.
    const stream = random(...policyStreams.choices(seed, this.#update))
    const batch = Array.from({ length: batchSize }, () => stream.pick(this.#weighed.images)).slice(from, to)
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
      ...mapStates(this.#rounds.states, (all) => all.indexSelect(0, rows.to(all.device))),
      texts: dropped(batch.map(({ text }) => text)),
      weights: batch.map(({ weight }) => weight),
    }
    const { klO, signed } = settings
    const generated = this.#accumulate(own, policyStreams.generatedNoise(seed, this.#update), 1, { klO, signed })
    let before: Losses = []
    if (settings.pretrainingWeight > 0 && to > from) {
      const { captions, ...theirStates } = pretraining(this.#update * batchSize + from, to - from)
      const theirs = { ...theirStates, texts: dropped(captions), weights: captions.map(() => 1) }
      const noise = policyStreams.pretrainingNoise(seed, this.#update)
      before = this.#accumulate(theirs, noise, settings.pretrainingWeight)
    }
    const lr = this.#optimiser.rateAt(this.#update, this.total)
    const update = this.#optimiser.update(lr)
    const [measured, ...losses] = readTogether([update.measured, ...[...generated, ...before].map(({ loss }) => loss)])
    const gradNorm = update.check(measured)
    const meanOf = (parts: Losses, read: readonly (readonly number[])[], place = 0) =>
      parts.reduce((sum, { share }, part) => sum + share * read[part][place], 0)
    const ofGenerated = losses.splice(0, generated.length)
    const [rewardLoss, pretrainingLoss, matchingLoss] = this.#group.sumNumbers([
      meanOf(generated, ofGenerated),
      meanOf(before, losses),
      ...(signed ? [meanOf(generated, ofGenerated, 1)] : []),
    ])
    this.#update++
    return {
      updates: this.#update,
      train_loss: rewardLoss + settings.pretrainingWeight * pretrainingLoss,
      reward_loss: rewardLoss,
      pretraining_loss: pretrainingLoss,
      ...(signed && { matching_loss: matchingLoss }),
      grad_norm: gradNorm,
      lr,
      ...this.#ofRound(),
    }
  }

  #ofRound(): Pick<RewardWeightedMetrics, 'images_drawn' | 'reward_mean' | 'reward_std'> {
    const { count, images, drawn } = this.#rounds
    if (count === 1) return {}
    const { mean, deviation } = momentsOf(images.map(({ score }) => score))
    return { images_drawn: drawn, reward_mean: mean, reward_std: deviation }
  }

  /**
   * Adds the gradient of `weight` times the weighted mean of the denoising losses of the batch, as far as it comes from
   * the rows of this process. Each part is taken back through its own graph, so that only one is held at a time; the
   * gradients add up.
   * @param own      the rows of this process
   * @param noise    stream of the whole batch
   * @param klO      γ of KL-O
   * @param signed   whether the weights are advantages
   * @returns        losses of the parts, without the weight, on the device; with `signed` the bare denoising losses as well
   */
  #accumulate(own: NoisyImages, noise: StreamPath, weight: number, { klO = 0, signed = false } = {}): Losses {
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
      const { losses, prediction, reference, old } = this.#losses(part)
      const weighted = (
        signed ? matchingSurrogate(losses, old(), weights, settings.clipRange) : losses.mul(weights)
      ).mean()
      const loss = klO > 0 ? weighted.add(prediction.sub(reference()).square().mean().mul(klO)) : weighted
      const share = (to - from) / all
      graph.backward(loss.mul(weight * share))
      const figures = signed ? stack([loss.detach(), losses.detach().mean()]) : loss.detach()
      parts.push({ share, loss: inner.keep(figures) })
    }
    for (const { loss } of parts) scope.keep(loss)
    return parts
  }

  /**
   * Denoising losses [B] with the prediction they are of, what the pre-trained model predicts there, and the losses of the
   * policy at the beginning of the round.
   */
  #losses({ x0, earlier, texts, t, epsilon }: Omit<NoisyImages, 'weights'> & { t: Tensor; epsilon: Tensor }): {
    losses: Tensor
    prediction: Tensor
    reference: () => Tensor
    old: () => Tensor
  } {
    const { model } = this.#options
    const { process } = policyOf(model)
    const xt = process.noised(x0, epsilon, t)
    const times = t.to(model.device)
    // Supervised training sees the plain prediction; guidance is a matter of sampling.
    const predictBy = (of: GenerativeModel) =>
      guidedPredictor(policyOf(of), encodePrompts(of, texts), { texts, earlier }, 1)(xt, times)
    const prediction = predictBy(this.policy)
    const lossesOf = (said: Tensor) => denoisingLoss(process, { prediction: said, x0, epsilon, t })
    return {
      losses: lossesOf(prediction),
      prediction,
      reference: () => withoutGrad(() => predictBy(this.#reference)),
      old: () => withoutGrad(() => lossesOf(predictBy(this.#oldPolicy))),
    }
  }

  lowerRates(): Readonly<Record<string, number>> {
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, update; the images of a round that was drawn, and the policy at its beginning. */
  state(): TrainingState {
    const old = under('old', this.#old?.values() ?? new Map<string, Tensor>())
    const { count, constant } = this.#rounds
    return {
      tensors: new Map([...this.#optimiser.state(), ...old, ...this.#rounds.state()]),
      numbers: { update: this.#update, ...(count > 1 && { constant }) },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { update, constant } = numbersOf('reward-weighted', RewardWeightedNumbers, state)
    expectWithin('reward-weighted', update, this.total, 'updates')
    this.#optimiser.load(state.tensors)
    if (this.#old) copyState('policy of the round', this.#old.values(), below('old', state.tensors))
    this.#rounds.load(update, state.tensors, constant)
    this.#weighed = this.#weigh()
    this.#update = update
  }
}

/** Of parts of a batch, each with its share of it: [] or, with the bare loss, [2]. */
type Losses = readonly { readonly share: number; readonly loss: Tensor }[]

interface NoisyImages extends CleanStates {
  readonly texts: readonly string[]
  readonly weights: readonly number[]
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
    imagesDrawn: 0,
  }
  const settings = { ...tried.settings, ...own }
  return stepBytes(() => new RewardWeighted({ ...tried, images, states, settings, group: alone }))
}
type HollowTried = HollowGiven<'reward' | 'images' | 'pretraining images', RewardWeightedSettings>

/** `policy reward-weighted` */
export const rewardWeighted: Algorithm<'policy reward-weighted', typeof fields> = {
  fields,
  changeable: ['gradientAccumulationSteps', 'drawnAtOnce'],
  chosen: ['gradientAccumulationSteps', 'drawnAtOnce'],
  atOnce: (tried) => {
    const { batchSize, gradientAccumulationSteps: parts, imagesDrawn, drawnAtOnce } = tried.settings
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
      ...(imagesDrawn > 0 ? [freshAtOnce(tried, 'drawnAtOnce', drawnAtOnce)] : []),
    ]
  },
  recorded: [],
  checkpointEvery: 200,
  begin: (given) => new RewardWeighted(given),
  work: ({ updates, batchSize, pretrainingWeight, klO, signed, imagesDrawn }, { steps, passes }) =>
    updates * batchSize * (3 + (klO > 0 ? 1 : 0) + (signed ? 1 : 0) + (pretrainingWeight > 0 ? 3 : 0)) +
    imagesDrawn * steps * passes,
  note: ({ reward_loss: weighted, pretraining_loss: plain }) =>
    `loss ${weighted?.toFixed(4)} pre-training ${plain?.toFixed(4)}`,
  warningOf: (rows) =>
    lossRisen(
      rows.flatMap(({ step, train_loss: loss, matching_loss: bare = loss }) =>
        typeof bare === 'number' ? [{ step, train_loss: bare }] : [],
      ),
    ),
}
