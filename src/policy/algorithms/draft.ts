/**
 * Gradients of a differentiable reward through the last steps of sampling: DRaFT (Clark et al. 2023, arXiv:2309.17400,
 * Algorithm 1), with what is drawn from noise ε by the policy, x_0(θ, z, ε), and the prompt z
 *
 *   max_θ E_{z, ε} [ r(x_0(θ, z, ε), z) ]
 *
 * in which the gradient passes through the last K steps and the decoder, and states before them count as given. Variants:
 *
 * - `draft`: DRaFT-K, x_0 after all steps.
 * - `draft-lv`: DRaFT-LV, K = 1 on n new noises: x_0 is noised again to where the last step begins, and its prediction x̂_0
 *   scored, as a mean over the noises.
 * - `refl`: ReFL (Xu et al. 2023, ImageReward, arXiv:2304.05977, Algorithm 1), which stops at a random one of the last steps
 *   and decodes x̂_0 as it is predicted there.
 * - `alignprop`: AlignProp (Prabhudesai et al. 2023, arXiv:2310.03739), whose K is drawn anew for each update, uniformly.
 *
 * Departures from the papers and options beside them:
 * 1. The policy is the guided sampler, and gradients pass through both branches. The noise of steps with σ > 0 is the one that
 *    was drawn, as in AlignProp; DRaFT samples without.
 * 2. The pre-training loss of ReFL's paper, which its published code lacks, is a term of weight β beside any of them.
 * 3. The loss is −r, or max(0, c − r) with `rewardTarget` c: ReFL's is 0.001 · max(0, 2 − r), AlignProp's |10 − r|.
 * 4. Never without a held-out reward: these gradients find what a reward gets wrong within few updates. A run looks at its probe
 *    images (policy/alarms) and ends with the best policy before an alarm, unless that is turned off.
 * 5. The stop and K are drawn once an update, for all of its images.
 * 6. AdamW's learning rate decays linearly to zero.
 * 7. Stages after the policy's are sampled with a graph through all their steps, from what the policy has drawn.
 * 8. What is in fp16 computes in fp32 where gradients pass: they would overflow or vanish.
 */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import { predictImage, sampleImages, sampleUntil, sampleWithGradient, type Denoising } from '../../diffusion/sample.ts'
import { RewardError, TensorError } from '../../errors.ts'
import { decodeStages, drawEarlier, drawLaterWithGradient, noiseOf, type DrawnRows } from '../../images/draw.ts'
import { watchingStates } from '../../images/finite.ts'
import { encodePrompts, guidedPredictor } from '../../images/guided.ts'
import { policyOf, type GenerativeModel } from '../../networks/generative-model.ts'
import { random, seedOf, type Random } from '../../random.ts'
import { expectFiniteScores } from '../../reward/teaching-scores.ts'
import { policyStreams, type StreamPath } from '../../streams.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { randn, stack, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { alone, shareOf, type Group } from '../../tensor/group.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectWithin, numbersOf, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Drawing, Given, HollowGiven } from '../algorithm.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { addPretrainingGradient } from '../pretraining-loss.ts'
import { gradientCheckpointingField } from '../../networks/adapters.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { stepBytes } from '../trial-memory.ts'

const usualRates: UsualRates = { text: 1e-3, lora: 3e-4 }

const fields = {
  imagesDrawn: z
    .int()
    .positive()
    .max(100_000_000)
    .default(4800)
    .describe('Images drawn in all; a hundred million take years on any machine.'),
  imagesPerUpdate: z
    .int()
    .positive()
    .max(16_384)
    .default(16)
    .describe('Images of a gradient step, and as many pre-training images beside them.'),
  batchSize: optionalCount(4096).describe(
    'Images computed at once with gradients: on a GPU as many as its free memory holds, else the model’s own number without it. Changes the memory that it takes and the result by rounding.',
  ),
  ...gradientCheckpointingField,
  variant: z
    .enum(['draft', 'draft-lv', 'refl', 'alignprop'])
    .default('draft')
    .describe(
      'Where gradients pass: the last steps (draft), the last one as a mean over new noises (draft-lv), one late step at random whose predicted image is scored (refl), or a random number of last steps (alignprop).',
    ),
  lastSteps: optionalCount(1000).describe(
    'K: how many of the last steps have gradients with draft, at most so many with alignprop, and of how many refl stops at one; as many as there are where it is more. Without it 1 with draft, all with alignprop, and a quarter with refl.',
  ),
  renoisings: z
    .int()
    .positive()
    .max(64)
    .default(2)
    .describe('New noises for each image with draft-lv; other variants have none.'),
  rewardTarget: z
    .number()
    .nullable()
    .default(null)
    .describe(
      'Score from which on an image teaches nothing more: the loss is max(0, target − reward); −reward without it.',
    ),
  pretrainingWeight: z.number().nonnegative().default(0.5).describe('Weight β of the pre-training loss.'),
  ...policyOptimiserFields(usualRates),
}
/** What gradients of a reward are trained with. */
export const DraftSettings = z.object(fields)
export type DraftSettings = z.infer<typeof DraftSettings>

const DraftNumbers = z.object({ draftUpdate: z.int().nonnegative() })

/** What gradients of a reward are trained on. */
export type DraftOptions = Given<'prompts' | 'reward' | 'pretraining images', DraftSettings>

/** The names are those of `metrics.jsonl`. */
export interface DraftMetrics extends StepMetrics {
  readonly images_drawn: number
  readonly updates: number
  /** Of the images as they are scored with gradients: nothing is rounded to 8 bits. */
  readonly reward_mean: number
  readonly reward_std: number
  /** Mean −r, or max(0, c − r), and β times the pre-training loss. */
  readonly train_loss: number
  readonly pretraining_loss: number
  /** From 1: the first step of sampling through which gradients have passed. */
  readonly first_step: number
  readonly grad_norm: number
  readonly lr: number
}

/**
 * How many of the last steps may have gradients: see `lastSteps`.
 * @param steps of a trajectory
 */
export function gradientSteps(
  { variant, lastSteps }: Pick<DraftSettings, 'variant' | 'lastSteps'>,
  steps: number,
): number {
  const usual = { draft: 1, 'draft-lv': 1, refl: Math.ceil(steps / 4), alignprop: steps }[variant]
  return variant === 'draft-lv' ? 1 : Math.min(steps, lastSteps ?? usual)
}

/**
 * The place, from 0, of the first step of an update through which gradients pass; with ReFL and DRaFT-LV it is the only one.
 * Always the same with DRaFT; else uniform over the last {@link gradientSteps}, so AlignProp's K is uniform from 1 to these.
 *
 * @see Xu et al. 2023 (ImageReward, arXiv:2304.05977), Algorithm 1
 */
export function drawFirstStep(
  settings: Pick<DraftSettings, 'variant' | 'lastSteps'>,
  steps: number,
  stream: Random,
): number {
  const most = gradientSteps(settings, steps)
  const isDrawn = settings.variant === 'refl' || settings.variant === 'alignprop'
  return steps - (isDrawn ? stream.integer(1, most) : most)
}

/** The trainer of gradients of a reward: each step draws images and takes one gradient step on them. */
export class Draft implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly #options: DraftOptions
  /** The same policy where gradients pass. */
  readonly #differentiable: GenerativeModel
  readonly #optimiser: PolicyOptimiser
  readonly #group: Group
  #update = 0

  constructor(options: DraftOptions) {
    const { model, trainable, settings } = options
    this.#options = options
    this.#group = options.group ?? alone
    this.total = Math.ceil(settings.imagesDrawn / settings.imagesPerUpdate)
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.#differentiable = (model.weights.dtype === 'float16' ? model.in('float32') : model).with(trainable.change)
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, this.#group)
  }

  get done(): number {
    return this.#update
  }

  get #batchSize(): number {
    return this.#options.settings.batchSize ?? this.#options.model.defaults.batchSize
  }

  /** One update: draw, score, take the gradient back through the last steps. */
  step(): DraftMetrics {
    using _scope = tensorScope()
    const { texts: all, seed, sampler, settings, pretraining, reward } = this.#options
    const update = this.#update
    // What is drawn is drawn for all images, whoever computes them.
    const stream = random(...policyStreams.choices(seed, update))
    const count = Math.min(settings.imagesPerUpdate, settings.imagesDrawn - update * settings.imagesPerUpdate)
    const texts = Array.from({ length: Math.ceil(count / all.length) }, () => stream.shuffle(all)).flat().slice(0, count) // prettier-ignore
    const first = drawFirstStep(settings, sampler.steps.length, stream)
    const own = shareOf(this.#group, count)
    const parts: Scored[] = []
    for (let from = own.from; from < own.to; from += this.#batchSize) {
      const to = Math.min(own.to, from + this.#batchSize)
      parts.push(...this.#accumulate(texts.slice(from, to), from, first, count))
    }
    const weight = settings.pretrainingWeight
    const term = { source: pretraining, seed, update, count, own, weight, atOnce: this.#batchSize }
    const plain = weight > 0 && addPretrainingGradient(this.#differentiable, { ...term, ...settings })
    const rewards = this.#group.gather(tensor(parts.flatMap(({ scores }) => scores), undefined, 'float64')).toArray() // prettier-ignore
    expectFiniteScores(reward.name, rewards)
    const lr = this.#optimiser.rateAt(update, this.total)
    const updated = this.#optimiser.update(lr)
    const [measured, ...read] = readTogether([updated.measured, ...(plain ? [plain] : [])])
    const gradNorm = updated.check(measured)
    const [loss, pretrainingLoss] = this.#group.sumNumbers([
      parts.reduce((sum, part) => sum + part.loss, 0),
      read[0]?.[0] ?? 0,
    ])
    // What is tried on hollow networks has no numbers.
    if (update === 0 && weight === 0 && this.policy.device !== 'meta') expectGradient(reward.name, gradNorm, rewards)
    const mean = meanOf(rewards)
    this.#update++
    return {
      images_drawn: update * settings.imagesPerUpdate + count,
      updates: this.#update,
      reward_mean: mean,
      reward_std: Math.sqrt(meanOf(rewards.map((one) => (one - mean) ** 2))),
      train_loss: loss + weight * pretrainingLoss,
      pretraining_loss: pretrainingLoss,
      first_step: first + 1,
      grad_norm: gradNorm,
      lr,
    }
  }

  /**
   * Adds the gradient of the loss of some images of an update. Each new noise is taken back through a graph of its own.
   *
   * @param from  place of the first of these images in the update
   * @param first where gradients begin to pass
   * @param count of the images of the update
   * @returns     one for each new noise; a single one where there are none
   */
  #accumulate(texts: readonly string[], from: number, first: number, count: number): Scored[] {
    using _scope = tensorScope()
    const { sampler, seed, settings } = this.#options
    const { variant, renoisings } = settings
    const paths = texts.map((_, i) => policyStreams.rollout(seed, this.#update, from + i))
    const last = sampler.steps.length - first
    switch (variant) {
      case 'draft':
      case 'alignprop':
        return [this.#back(texts, paths, 1 / count, (denoising) => sampleWithGradient(denoising, last))]
      case 'refl':
        return [
          this.#back(texts, paths, 1 / count, (denoising) =>
            predictImage(denoising, sampleUntil(denoising, first), first),
          ),
        ]
      case 'draft-lv': {
        const x0 = withoutGrad(() => this.#drawn(this.#rowsOf(texts, paths), sampleImages)).at(-1)!
        return Array.from({ length: renoisings }, (_, again) => {
          const xt = this.#noisedAgain(x0, first, (i) => policyStreams.renoising(seed, this.#update, from + i, again))
          const share = 1 / (count * renoisings)
          return this.#back(texts, paths, share, (denoising) => predictImage(denoising, xt, first))
        })
      }
    }
  }

  /**
   * Draws images, scores them and takes the gradient of their loss back.
   * @param share of an image in the loss
   * @param draw  x_0 of the policy's stage, with a graph
   */
  #back(texts: readonly string[], paths: readonly StreamPath[], share: number, draw: Draw): Scored {
    using _scope = tensorScope()
    const { reward, settings } = this.#options
    using graph = gradientCheckpoints(settings.gradientCheckpointing)
    const rows = this.#rowsOf(texts, paths)
    const samples = drawLaterWithGradient(this.#differentiable, rows, this.#drawn(rows, draw))
    const pixels = decodeStages(this.#differentiable, samples)
    expectReached(this.#differentiable, pixels)
    const scores = reward.scoreWithGradient!(pixels, texts)
    const { rewardTarget } = settings
    const losses = rewardTarget === null ? scores.neg() : scores.neg().add(rewardTarget).relu()
    const loss = losses.sum().mul(share)
    // What is tried on hollow networks ends where a score is read: the way back to the policy is what is counted.
    graph.backward(pixels.device === 'meta' ? pixels.mean() : loss)
    return { scores: scores.toArray(), loss: loss.item() }
  }

  #rowsOf(texts: readonly string[], paths: readonly StreamPath[]): DrawnRows {
    return { texts, paths, prompts: encodePrompts(this.#differentiable, texts) }
  }

  /** x_0 of the stages up to the policy's, whose own is drawn as `draw` says. */
  #drawn(rows: DrawnRows, draw: Draw): Tensor[] {
    const { sampler, guidance } = this.#options
    const model = this.#differentiable
    const earlier = drawEarlier(model, rows)
    const noise = noiseOf(model, policyOf(model), rows.paths, sampler.steps.length)
    const predict = guidedPredictor(policyOf(model), rows.prompts, { texts: rows.texts, earlier }, guidance)
    return [...earlier, watchingStates((watch) => draw({ predict, sampler, noise, watch }))]
  }

  /** Images [B, …] with new noise, as they are where a step begins. */
  #noisedAgain(x0: Tensor, step: number, pathOf: (place: number) => StreamPath): Tensor {
    const { process } = policyOf(this.policy)
    const { t } = this.#options.sampler.steps[step]
    const [count, ...shape] = x0.shape
    const rows = Array.from({ length: count }, (_, i) => randn(shape, new Generator(seedOf(...pathOf(i)))))
    return process.noised(x0, stack(rows).to(x0.device), tensor(new Array<number>(count).fill(t)))
  }

  lowerRates(where: string): Readonly<Record<string, number>> | undefined {
    // The first images are those of the policy that the run began with.
    if (where.startsWith('drawing') && this.#update === 0) return undefined
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, update. */
  state(): TrainingState {
    return { tensors: new Map(this.#optimiser.state()), numbers: { draftUpdate: this.#update } }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { draftUpdate: update } = numbersOf('draft', DraftNumbers, state)
    expectWithin('draft', update, this.total, 'updates')
    this.#optimiser.load(state.tensors)
    this.#update = update
  }
}

type Draw = (denoising: Denoising) => Tensor

/** Some images of an update. */
interface Scored {
  readonly scores: readonly number[]
  /** As far as it is theirs. */
  readonly loss: number
}

const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** @throws {TensorError} a stage after the policy's passes no gradient on */
function expectReached(model: GenerativeModel, pixels: Tensor): void {
  if (pixels.requiresGrad) return
  throw new TensorError({
    where: `${model.name}, from ${policyOf(model).name} to pixels`,
    expected: 'stages and a decoder through which gradients pass',
    received: `pixels without a gradient, after ${model.stages.map(({ name }) => name).join(', ')}`,
    remedy: 'train this model with `policy dpok`, which needs none',
  })
}

/** @throws {RewardError} no image has any */
function expectGradient(name: string, norm: number, scores: readonly number[]): void {
  if (norm !== 0) return
  throw new RewardError({
    where: `${name}, gradient`,
    expected: 'one that is not 0',
    received: `0 for all ${scores.length} images, whose mean score is ${meanOf(scores).toPrecision(3)}`,
    remedy: 'check the reward; with --reward-target, give one above the scores',
  })
}

type Tried = HollowGiven<'prompts' | 'reward' | 'pretraining images', DraftSettings>

/**
 * Bytes that are held at the most beside the model while gradients of `count` images pass. A trajectory is tried that is
 * shorter: each further step with gradients takes what the second of two takes beyond the first.
 */
function updateBytes(tried: Tried, count: number, gradientCheckpointing: boolean): number {
  const most = gradientSteps(tried.settings, tried.steps)
  const withSteps = (lastSteps: number) => {
    using _scope = tensorScope()
    const variant = tried.settings.variant === 'alignprop' ? 'draft' : tried.settings.variant
    const own = { variant, lastSteps, gradientCheckpointing, imagesPerUpdate: count, batchSize: count }
    const settings = { ...tried.settings, ...own, imagesDrawn: count, pretrainingWeight: 0, renoisings: 1 }
    return stepBytes(() => new Draft({ ...tried, texts: [''], settings, group: alone }))
  }
  const one = withSteps(1)
  const isOfOne = tried.settings.variant === 'refl' || most === 1 || tried.sampler.steps.length === 1
  return isOfOne ? one : one + (most - 1) * (withSteps(2) - one)
}

/** Steps of a trajectory that are taken on average, and those with gradients. */
function meanSteps(settings: DraftSettings, { steps }: Drawing): { taken: number; recorded: number } {
  const most = gradientSteps(settings, steps)
  switch (settings.variant) {
    case 'draft':
      return { taken: steps, recorded: most }
    case 'alignprop':
      return { taken: steps, recorded: (1 + most) / 2 }
    case 'refl':
      return { taken: steps - (most - 1) / 2, recorded: 1 }
    case 'draft-lv':
      return { taken: steps + settings.renoisings, recorded: settings.renoisings }
  }
}

/** `policy draft` */
export const draft: Algorithm<'policy draft', typeof fields> = {
  fields,
  followsGradient: true,
  changeable: ['batchSize'],
  chosen: ['batchSize'],
  atOnce: (tried) => {
    const { batchSize, imagesPerUpdate, imagesDrawn } = tried.settings
    const { batchSize: usual } = tried.model.defaults
    return [
      {
        field: 'batchSize',
        what: 'images with gradients',
        given: batchSize ?? undefined,
        usual,
        most: imagesPerUpdate,
        all: Math.ceil(Math.min(imagesPerUpdate, imagesDrawn) / (tried.group?.size ?? 1)),
        bytes: (count, checkpoints) => updateBytes(tried, count, checkpoints),
      },
    ]
  },
  recorded: ['variant'],
  checkpointEvery: 20,
  begin: (given) => new Draft(given),
  work(settings, drawing) {
    const { taken, recorded } = meanSteps(settings, drawing)
    const plain = settings.pretrainingWeight > 0 ? 3 : 0
    return settings.imagesDrawn * (drawing.passes * (taken + 2 * recorded) + plain)
  },
  note: ({ reward_mean: mean, grad_norm: norm }) => `reward ${mean?.toFixed(3)} gradient ${norm?.toPrecision(2)}`,
  warningOf: () => undefined,
}
