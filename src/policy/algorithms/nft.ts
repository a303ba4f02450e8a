/**
 * DiffusionNFT (Zheng et al. 2025, arXiv:2509.16117): reinforcement learning on the forward process. The *old* policy draws
 * images by any sampler; each is noised anew at the sampler's times, and with r of how good an image is among others of its
 * prompt, and y what the network should say of the noisy image,
 *
 *   p⁺ = p_old + β(p_θ − p_old),  p⁻ = p_old − β(p_θ − p_old),
 *   L(θ) = (5/β) E[ r · ‖p⁺ − y‖²/w⁺ + (1 − r) · ‖p⁻ − y‖²/w⁻ ] + γ E‖p_θ − p_pre‖²,   old ← d · old + (1 − d) · θ
 *
 * The reference is the model with the change left out, the old policy the same with another change: one base in memory.
 *
 * Departures from the paper and options beside it:
 * 1. Errors are those of the clean image that a prediction stands for, so the loss is one for velocities, v, x₀ and ε. Of ε,
 *    which the paper leaves aside, the weight of a time is σ/α up to 1 (see nft-loss.ts).
 * 2. The policy is the guided sampler: with guidance, both branches are drawn with and trained. The paper has none.
 * 3. The sampler is as its user says, stochastic too; the paper's is a deterministic one of second order.
 * 4. Of the sampler's times an image is trained at `timesPerImage` on average, drawn at random; the paper takes all 10.
 * 5. The learning rate decays linearly to zero; the paper's is constant.
 * 6. What is drawn by γ is the network's own prediction, as in the published code: it is no KL, though that calls it so.
 */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import type { AtOnce } from '../../images/at-once.ts'
import { encodePrompts, guidedPredictor } from '../../images/guided.ts'
import { changeWith, gradientCheckpointingField } from '../../networks/adapters.ts'
import { mapStates, policyOf, type GenerativeModel } from '../../networks/generative-model.ts'
import { random, seedOf } from '../../random.ts'
import { policyStreams } from '../../streams.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { indexOf, randn, stack, tensor } from '../../tensor/create.ts'
import { Ema } from '../../tensor/ema.ts'
import { Generator } from '../../tensor/generator.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { alone, type Group } from '../../tensor/group.ts'
import { copyState } from '../../tensor/optimise.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, expectWithin, numbersOf, under, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Given, HollowGiven } from '../algorithm.ts'
import { drawFreshImages, type FreshImages } from '../fresh-images.ts'
import { groupAdvantages, momentsOf, mostAdvantage } from '../group-advantages.ts'
import { cappedWeight, nftLosses, optimality } from '../nft-loss.ts'
import { drawMinibatches, type Place } from '../policy-gradient/transitions.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { drawPrompts, expectWholeGroups, promptGroupFields } from '../prompt-groups.ts'
import { TeachingRounds } from '../teaching-rounds.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { freshAtOnce, stepBytes } from '../trial-memory.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }
/** Where they are not given; docs/log.md tells how those of the embedded model were found. Of adapters they are the paper's. */
const usual = {
  gradientSteps: { text: 6, lora: 1 },
  timesPerImage: { text: 4, lora: 10 },
  beta: { text: 0.3, lora: 1 },
} as const satisfies Readonly<Record<string, UsualRates>>

const fields = {
  imagesDrawn: z
    .int()
    .positive()
    .max(100_000_000)
    .default(9600)
    .describe('Images drawn in all; a hundred million take years on any machine.'),
  rolloutsPerIteration: z
    .int()
    .positive()
    .max(16_384)
    .default(96)
    .describe('Images drawn with one policy before it is updated. Of each only its clean state is kept.'),
  ...promptGroupFields,
  gradientSteps: z
    .int()
    .positive()
    .max(10_000)
    .nullable()
    .default(null)
    .describe(
      'Updates per iteration, each on its own minibatch of noisy images. Without it 6 for models that train what reads the prompt, as shapes, and the paper’s 1 for real checkpoints.',
    ),
  timesPerImage: z
    .int()
    .positive()
    .max(1000)
    .nullable()
    .default(null)
    .describe(
      'Times of the sampler at which an image is noised and learned from in an iteration, on average, drawn at random. Without it 4 for models that train what reads the prompt, as shapes, and the paper’s 10 for real checkpoints.',
    ),
  beta: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'β: how far p⁺ and p⁻ lie from the old policy in the direction of the trained one; lower means larger steps. Without it 0.3 for models that train what reads the prompt, as shapes, and 1 for real checkpoints (the paper: 1, and 0.1 for text in images and several rewards).',
    ),
  referenceWeight: z
    .number()
    .nonnegative()
    .default(1e-4)
    .describe(
      'γ: weight of the mean squared distance to the prediction of the pre-trained model, which the paper calls its KL.',
    ),
  oldDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.5)
    .describe(
      'The most that the policy which draws keeps of itself after an iteration, d; with 0 it is always the trained one.',
    ),
  oldDecaySlope: z
    .number()
    .nonnegative()
    .default(0.001)
    .describe(
      'By how much d rises an iteration, from 0 to --old-decay. The paper has 0.001 up to 0.5, or 0.0075 up to 0.999 after 75 iterations.',
    ),
  oldDecayDelay: z.int().nonnegative().max(100_000_000).default(0).describe('Iterations before d begins to rise.'),
  batchSize: optionalCount(4096).describe(
    'Images drawn at once: on a GPU as many as its free memory holds, else the model’s own number without it. Changes the memory that it takes and the result by rounding.',
  ),
  noisyAtOnce: optionalCount(4096).describe(
    'Noisy images computed at once with gradients: as many as fit without it, and no more than the model’s own number on a CPU. Changes the memory that it takes and the result by rounding.',
  ),
  ...gradientCheckpointingField,
  ...policyOptimiserFields(usualRates),
}
/** What DiffusionNFT is trained with. */
export const NftSettings = z.object(fields)
export type NftSettings = z.infer<typeof NftSettings>

/** What one iteration reports; the names are those of `metrics.jsonl`. */
export interface NftMetrics extends StepMetrics {
  readonly images_drawn: number
  readonly updates: number
  readonly reward_mean: number
  readonly reward_std: number
  /** Without γ and its term. */
  readonly nft_loss: number
  /** Mean squares, before the updates: ‖p_θ − p_old‖² and ‖p_θ − p_pre‖². */
  readonly old_distance: number
  readonly reference_distance?: number
  /** d of the iteration. */
  readonly old_decay: number
  readonly grad_norm: number
  readonly lr: number
}

type NftOptions = Given<'prompts' | 'reward', NftSettings>

/** The settings with those that were left open as is usual for the model. */
function settled(settings: NftSettings, { defaults: { parameters } }: GenerativeModel) {
  return {
    ...settings,
    gradientSteps: settings.gradientSteps ?? usual.gradientSteps[parameters],
    timesPerImage: settings.timesPerImage ?? usual.timesPerImage[parameters],
    beta: settings.beta ?? usual.beta[parameters],
  }
}

/** The trainer of DiffusionNFT: each step is an iteration that draws, judges and learns. */
export class Nft implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly results: Trainer['results']
  readonly #options: NftOptions & { readonly settings: ReturnType<typeof settled> }
  readonly #reference: GenerativeModel
  /** Values of the parameters that draw, and the policy that they make. */
  readonly #old: Ema
  readonly #oldPolicy: GenerativeModel
  readonly #optimiser: PolicyOptimiser
  readonly #rewards: TeachingRounds
  readonly #group: Group
  #iteration = 0
  #updates = 0

  /** @throws {ConfigError} images that are no whole groups of a prompt */
  constructor(options: NftOptions) {
    const { model, trainable, settings, reward } = options
    expectWholeGroups(settings)
    this.#options = { ...options, settings: settled(settings, model) }
    const { gradientSteps, timesPerImage, beta } = this.#options.settings
    this.results = { gradientSteps, timesPerImage, beta }
    this.#group = options.group ?? alone
    this.total = Math.ceil(settings.imagesDrawn / settings.rolloutsPerIteration)
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.#reference = model.with({})
    this.#old = new Ema(trainable.parameters, 0)
    this.#oldPolicy = model.with(changeWith(trainable.change, this.#old.values()))
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, this.#group)
    this.#rewards = new TeachingRounds(reward.name, settings.groupSize)
  }

  get done(): number {
    return this.#iteration
  }

  get isSound(): boolean {
    return this.#rewards.constant === 0
  }

  /** One iteration: the old policy draws, the policy is updated, and the old one follows it. */
  step(): NftMetrics {
    using _scope = tensorScope()
    const { seed, settings, texts: prompts, sampler } = this.#options
    const iteration = this.#iteration
    const stream = random(...policyStreams.choices(seed, iteration))
    const before = iteration * settings.rolloutsPerIteration
    const count = Math.min(settings.imagesDrawn - before, settings.rolloutsPerIteration)
    const images = this.#draw(drawPrompts(prompts, count, stream, settings.groupSize))
    const { texts, rewards } = images
    const shares = groupAdvantages(rewards, texts, settings.deviation).map(optimality)
    const minibatches = drawMinibatches(
      images,
      sampler.steps.map(({ index }) => index),
      { perRollout: settings.timesPerImage, updates: settings.gradientSteps, stream },
    )
    const lr = this.#optimiser.rateAt(iteration, this.total)
    const figures = this.#learn(images, shares, minibatches, lr)
    const decay = decayAt(iteration, settings)
    this.#old.update(decay)

    const { mean, deviation } = momentsOf(rewards)
    this.#iteration++
    this.#updates += minibatches.length
    return {
      images_drawn: before + count,
      updates: this.#updates,
      reward_mean: mean,
      reward_std: deviation,
      ...figures,
      old_decay: decay,
      lr,
    }
  }

  #draw(texts: readonly string[]): FreshImages {
    const { model, reward, seed, sampler, guidance, settings } = this.#options
    const noise = (i: number) => policyStreams.rollout(seed, this.#iteration, i)
    const batchSize = settings.batchSize ?? model.defaults.batchSize
    const how = { sampler, guidance, batchSize, group: this.#group }
    const images = drawFreshImages(this.#oldPolicy, reward, texts, noise, how)
    this.#rewards.expect(images.rewards, this.#iteration)
    return images
  }

  /**
   * One update a minibatch; each process computes what it has drawn itself. Nothing is read from the device before all are done.
   *
   * @param shares r of each image
   */
  #learn(
    images: FreshImages,
    shares: readonly number[],
    minibatches: readonly (readonly Place[])[],
    lr: number,
  ): Pick<NftMetrics, 'nft_loss' | 'old_distance' | 'reference_distance' | 'grad_norm'> {
    const { settings, model } = this.#options
    const atOnce = settings.noisyAtOnce ?? model.defaults.batchSize
    const updates = minibatches.map((minibatch, k) => {
      const own = [...minibatch.entries()].filter(([, { rollout }]) => isIn(images.own, rollout))
      const sums: Tensor[] = []
      for (let from = 0; from < own.length; from += atOnce) {
        const noisy = this.#noisy(images, shares, own.slice(from, from + atOnce), this.#updates + k)
        sums.push(this.#accumulate(noisy, minibatch.length))
      }
      return { sums, update: this.#optimiser.update(lr) }
    })
    const read = readTogether(updates.flatMap(({ sums, update }) => [...sums, update.measured]))
    const norms: number[] = []
    const figures = [0, 0, 0]
    for (const { sums, update } of updates) {
      for (const part of read.splice(0, sums.length)) part.forEach((one, i) => (figures[i] += one / updates.length))
      norms.push(update.check(read.shift()!))
    }
    const [loss, old, reference] = this.#group.sumNumbers(figures)
    return {
      nft_loss: loss,
      old_distance: old,
      ...(settings.referenceWeight > 0 && { reference_distance: reference }),
      grad_norm: momentsOf(norms).mean,
    }
  }

  /**
   * Images of a minibatch that this process computes at once, each noised at its time.
   *
   * @param own    with their places in the minibatch, each of which has noise of its own
   * @param update from 0
   */
  #noisy(
    images: FreshImages,
    shares: readonly number[],
    own: readonly (readonly [place: number, of: Place])[],
    update: number,
  ): Noisy {
    const { model, sampler, seed } = this.#options
    const { process, stateShape } = policyOf(model)
    const rows = indexOf(
      own.map(([, { rollout }]) => rollout - images.own.from),
      model.device,
    )
    const { x0, earlier } = mapStates(images.states, (all) => all.indexSelect(0, rows))
    const noiseOf = (place: number) =>
      randn(stateShape, new Generator(seedOf(...policyStreams.forwardNoise(seed, update, place))))
    const epsilon = stack(own.map(([place]) => noiseOf(place))).to(model.device)
    const t = sampler.times(
      own.map(([, { step }]) => step),
      'cpu',
    )
    return {
      texts: own.map(([, { rollout }]) => images.texts[rollout]),
      earlier,
      xt: process.noised(x0, epsilon, t),
      t: t.to(model.device),
      target: process.target(x0, epsilon, t),
      weight: cappedWeight(process.imagePerPrediction(t)).to('float32').to(model.device),
      optimality: tensor(own.map(([, { rollout }]) => shares[rollout])).to(model.device),
    }
  }

  /**
   * Adds the gradient of some noisy images, as a share of their minibatch.
   *
   * @param all in the minibatch
   * @returns   [3], sums as shares of it: loss, ‖p_θ − p_old‖², ‖p_θ − p_pre‖²
   */
  #accumulate({ texts, earlier, xt, t, ...noisy }: Noisy, all: number): Tensor {
    using scope = tensorScope()
    const { settings, guidance } = this.#options
    using graph = gradientCheckpoints(settings.gradientCheckpointing)
    const predictBy = (model: GenerativeModel) =>
      guidedPredictor(policyOf(model), encodePrompts(model, texts), { texts, earlier }, guidance)(xt, t)
    const policy = predictBy(this.policy)
    const distance = (other: Tensor) => policy.sub(other).square().flatten(1).mean(1).sum().div(all)
    const old = withoutGrad(() => predictBy(this.#oldPolicy))
    const loss = nftLosses({ policy, old, ...noisy }, settings.beta)
      .sum()
      .div(all)
    const moved = withoutGrad(() => distance(old))
    if (settings.referenceWeight === 0) {
      graph.backward(loss.mul(mostAdvantage))
      return scope.keep(stack([loss.detach(), moved]))
    }
    const reference = distance(withoutGrad(() => predictBy(this.#reference)))
    graph.backward(loss.mul(mostAdvantage).add(reference.mul(settings.referenceWeight)))
    return scope.keep(stack([loss.detach(), moved, reference.detach()]))
  }

  lowerRates(where: string): Readonly<Record<string, number>> | undefined {
    // The first images are those of the policy that the run began with.
    if (where.startsWith('drawing') && this.#iteration === 0) return undefined
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, the old policy, iteration. */
  state(): TrainingState {
    return {
      tensors: new Map([...this.#optimiser.state(), ...under('old', this.#old.values())]),
      numbers: { nftIteration: this.#iteration, nftUpdates: this.#updates, constant: this.#rewards.constant },
    }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { nftIteration: iteration, nftUpdates: updates, constant } = numbersOf('nft', NftNumbers, state)
    expectWithin('nft', iteration, this.total, 'iterations')
    this.#optimiser.load(state.tensors)
    copyState('old policy', this.#old.values(), below('old', state.tensors))
    this.#iteration = iteration
    this.#updates = updates
    this.#rewards.constant = constant
  }
}

/** What a saved state holds beside its tensors. */
const NftNumbers = z.object({
  nftIteration: z.int().nonnegative(),
  nftUpdates: z.int().nonnegative(),
  constant: z.int().nonnegative(),
})

/** B noisy images, on the device. */
interface Noisy {
  readonly texts: readonly string[]
  readonly earlier: readonly Tensor[]
  readonly xt: Tensor
  readonly t: Tensor
  readonly target: Tensor
  readonly weight: Tensor
  readonly optimality: Tensor
}

const isIn = ({ from, to }: FreshImages['own'], row: number) => row >= from && row < to

/** d: how much of itself the old policy keeps after an iteration, from 0. */
export function decayAt(
  iteration: number,
  { oldDecay, oldDecaySlope, oldDecayDelay }: Pick<NftSettings, 'oldDecay' | 'oldDecaySlope' | 'oldDecayDelay'>,
): number {
  return Math.min(oldDecay, oldDecaySlope * Math.max(0, iteration - oldDecayDelay))
}

/** More noisy images at once are hardly faster on any device. */
const mostNoisy = 32

function computedAtOnce(tried: HollowGiven<'prompts' | 'reward', NftSettings>): AtOnce[] {
  const { model } = tried
  const settings = settled(tried.settings, model)
  const usualCount = model.defaults.batchSize
  const { batchSize, noisyAtOnce, timesPerImage, gradientSteps } = settings
  const size = tried.group?.size ?? 1
  const images = Math.ceil(Math.min(settings.rolloutsPerIteration, settings.imagesDrawn) / size)
  const noisy = Math.ceil((images * Math.min(timesPerImage, tried.steps)) / gradientSteps)
  const { stages, policyStage } = model
  const elements = stages
    .slice(0, policyStage + 1)
    .reduce((sum, { stateShape }) => sum + stateShape.reduce((product, side) => product * side, 1), 0)
  const kept = 4 * images * elements
  return [
    freshAtOnce({ ...tried, settings }, 'batchSize', batchSize, kept),
    {
      field: 'noisyAtOnce',
      what: 'noisy images',
      given: noisyAtOnce ?? undefined,
      usual: usualCount,
      most: Math.max(usualCount, mostNoisy),
      all: noisy,
      bytes: (count, checkpoints) => kept + iterationBytes(tried, count, checkpoints),
    },
  ]
}

/** Bytes that are held at the most beside the model in an iteration of `count` noisy images that are computed at once. */
function iterationBytes(
  tried: HollowGiven<'prompts' | 'reward', NftSettings>,
  count: number,
  gradientCheckpointing: boolean,
): number {
  using _scope = tensorScope()
  const few = { imagesDrawn: count, rolloutsPerIteration: count, groupSize: 1, timesPerImage: 1, gradientSteps: 1 }
  // Of images that nobody sees, any scores that differ.
  const score = (_: Tensor, texts: readonly string[]) => tensor([...texts.keys()])
  return stepBytes(
    () =>
      new Nft({
        ...tried,
        reward: { ...tried.reward, score },
        texts: [''],
        settings: { ...tried.settings, ...few, batchSize: count, noisyAtOnce: count, gradientCheckpointing },
        group: alone,
      }),
  )
}

/** `policy nft` */
export const nft: Algorithm<'policy nft', typeof fields> = {
  fields,
  changeable: ['batchSize', 'noisyAtOnce'],
  chosen: ['batchSize', 'noisyAtOnce'],
  atOnce: computedAtOnce,
  recorded: [],
  checkpointEvery: 20,
  begin: (given) => new Nft(given),
  // A noisy image: the policy with gradients, the old one, and the reference.
  work: ({ imagesDrawn, timesPerImage, referenceWeight }, { steps, passes }) =>
    imagesDrawn *
    passes *
    (steps + (referenceWeight > 0 ? 5 : 4) * Math.min(timesPerImage ?? usual.timesPerImage.lora, steps)),
  note: ({ reward_mean: mean, old_distance: moved }) => `reward ${mean?.toFixed(3)} moved ${moved?.toExponential(1)}`,
  warningOf: () => undefined,
}
