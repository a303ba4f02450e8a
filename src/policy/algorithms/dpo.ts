/**
 * Diffusion-DPO (Wallace et al. 2023, arXiv:2311.12908, Eq. 14): a policy from pairs of images alone, without a reward and
 * without drawing. With one time t and one noise ε for both images of a pair, and errors e = ‖prediction − target‖²
 *
 *   d = −(β/2) · [ (e_θ(better) − e_ref(better)) − (e_θ(worse) − e_ref(worse)) ],   L = −log σ(d)
 *
 * so d is the difference of implicit rewards in logits. The reference is the model with the change left out.
 *
 * Departures from the paper and options beside it:
 * 1. Errors are means over elements, as in the published code, whose β they go with; T and ω(λ_t) are in β.
 * 2. They are on the model's own prediction type, with the weighting by noise level of its pre-training.
 * 3. `ties davidson`: P(better) and P(tie) after Davidson 1970 with strengths whose difference is d; ν is what makes two
 *    equal images tie as often as the pairs of the training do. Otherwise ties teach nothing.
 * 4. A pair counts by its weight: one of a ranking or of labels less than one that was asked for.
 * 5. The learning rate decays linearly to zero, after no warm-up. No prompt is dropped.
 * 6. An image is encoded once, as the mean of the autoencoder's posterior.
 * 7. Some prompts are held out, and how often the policy prefers the better image of their pairs is measured.
 */
import { z } from 'zod'
import { DivergenceError } from '../../errors.ts'
import { gradientCheckpointingField } from '../../networks/adapters.ts'
import { mapStates, policyOf, type GenerativeModel, type ModelStage } from '../../networks/generative-model.ts'
import { random, seedOf } from '../../random.ts'
import { expectDecided } from '../../reward/examples/preferences.ts'
import type { Comparison } from '../../reward/examples/reward-examples.ts'
import { davidsonLogits, outcomes } from '../../reward/training/davidson.ts'
import { policyStreams, type StreamPath } from '../../streams.ts'
import { noGrad, withoutGrad } from '../../tensor/autograd.ts'
import { cat, randn, stack, tensor, zeros } from '../../tensor/create.ts'
import { crossEntropy } from '../../tensor/functional.ts'
import { Generator } from '../../tensor/generator.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { alone, shareOf, type Group } from '../../tensor/group.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectWithin, numbersOf, type TrainingState } from '../../tensor/training-state.ts'
import type { Algorithm, Given, HollowGiven } from '../algorithm.ts'
import { PolicyOptimiser, policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { impliedPreference, pairErrors, type Noise, type NoisyPairs, type PairErrors } from '../pair-errors.ts'
import { logNuOf, withHeldOut } from '../preference-pairs.ts'
import { shownChange } from '../trainable.ts'
import type { StepMetrics, Trainer } from '../training-run.ts'
import { stepBytes } from '../trial-memory.ts'

const usualRates: UsualRates = { text: 1e-3, lora: 1e-4 }
/** Where β is not given; docs/log.md tells how that of the embedded model was found. */
const usualBetas: UsualRates = { text: 200, lora: 2000 }

const fields = {
  updates: z
    .int()
    .positive()
    .max(100_000_000)
    .default(1000)
    .describe('Gradient steps; a hundred million take years on any machine.'),
  batchSize: z.int().positive().max(16_384).default(32).describe('Pairs per update, all in memory.'),
  gradientAccumulationSteps: z
    .int()
    .positive()
    .max(16_384)
    .default(1)
    .describe('Parts in which the pairs of an update are computed; changes the memory that it takes, not the result.'),
  ...gradientCheckpointingField,
  beta: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'β: how dearly the policy pays for leaving the pre-trained model. Without it 200 for models that train what reads the prompt, as shapes, and 2000 for real checkpoints (the paper: 2000 for SD 1.5, 5000 for SDXL).',
    ),
  ties: z
    .enum(['drop', 'davidson'])
    .default('drop')
    .describe('What pairs teach that were called equal: nothing, or to be equal (Davidson 1970).'),
  heldOut: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.1)
    .describe('Share of the prompts whose pairs measure the policy; 0 measures nothing.'),
  heldOutEvery: z
    .int()
    .positive()
    .max(100_000_000)
    .default(50)
    .describe('Updates between measurements of the pairs that were held out; the last one is measured as well.'),
  ...policyOptimiserFields(usualRates),
}
/** What Diffusion-DPO is done with. */
export const DpoSettings = z.object(fields)
export type DpoSettings = z.infer<typeof DpoSettings>

const DpoNumbers = z.object({ dpoUpdate: z.int().nonnegative() })

type DpoOptions = Given<'pairs', DpoSettings>

/** The names are those of `metrics.jsonl`. Errors are before the update, so those of the policy show where it goes. */
export interface DpoMetrics extends StepMetrics {
  readonly updates: number
  /** Mean −log P(what was said), nats. */
  readonly dpo_loss: number
  /** Share of pairs of which the policy prefers the better image; one that it holds equal counts half. */
  readonly accuracy: number
  /** Mean d, logits. */
  readonly margin: number
  readonly better_error: number
  readonly worse_error: number
  readonly better_reference_error: number
  readonly worse_reference_error: number
  /** Of pairs of prompts that were held out; where they were measured after this update. */
  readonly heldout_accuracy?: number
  readonly heldout_loss?: number
  readonly grad_norm: number
  readonly lr: number
}

/** A policy whose error on what people prefer is so many times that of the pre-trained model has kept nothing of it. */
const mostError = 100

function expectNearReference(error: number, reference: number): void {
  if (!(error > mostError * reference)) return
  throw new DivergenceError({
    where: 'error on the better images',
    expected: `at most ${mostError} times that of the pre-trained model, ${reference.toPrecision(3)}`,
    received: error.toPrecision(3),
    remedy: 'lower the learning rate',
  })
}

/** Times and noises at which a held-out pair is measured: always the same. */
const heldOutTimes = 4

/** The trainer of Diffusion-DPO: each step takes a batch of pairs. */
export class Dpo implements Trainer {
  readonly total: number
  readonly policy: GenerativeModel
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly results: Trainer['results']
  readonly #options: DpoOptions
  readonly #reference: GenerativeModel
  /** Measured on held-out pairs. */
  readonly #shown: GenerativeModel
  readonly #optimiser: PolicyOptimiser
  readonly #training: readonly Comparison[]
  readonly #heldOut: readonly Comparison[]
  /** log ν of Davidson's model; −∞ without ties. */
  readonly #logNu: number
  readonly #beta: number
  readonly #group: Group
  #update = 0

  /** @throws {RewardError} no pair says which image is better */
  constructor(options: DpoOptions) {
    const { model, trainable, settings, pairs, seed } = options
    const { training, heldOut } = withHeldOut(pairs, settings.heldOut, seed)
    const isUsed = ({ isTie }: Comparison) => !isTie || settings.ties === 'davidson'
    this.#options = options
    this.#group = options.group ?? alone
    this.#training = training.filter(isUsed)
    this.#heldOut = heldOut
    expectDecided(this.#training)
    this.#logNu = logNuOf(this.#training)
    this.#beta = settings.beta ?? usualBetas[model.defaults.parameters]
    this.total = settings.updates
    this.policy = model.with(trainable.change)
    this.parameters = trainable.parameters
    this.results = {
      beta: this.#beta,
      pairs: this.#training.length,
      ties: this.#training.filter(({ isTie }) => isTie).length,
      heldOutPairs: this.#heldOut.length,
    }
    this.#reference = model.with({})
    this.#shown = model.with(shownChange(trainable).change)
    this.#optimiser = new PolicyOptimiser(model, trainable, settings, usualRates, this.#group)
  }

  get done(): number {
    return this.#update
  }

  /** One gradient step on a batch of pairs. */
  step(): DpoMetrics {
    using _scope = tensorScope()
    const { settings, seed } = this.#options
    const { batchSize } = settings
    // What is drawn is drawn for the whole batch, whoever computes its rows.
    const stream = random(...policyStreams.choices(seed, this.#update))
    const all = Array.from({ length: batchSize }, () => stream.pick(this.#training))
    const weights = all.map(({ weight }) => weight / all.reduce((sum, pair) => sum + pair.weight, 0))
    const noise = this.#noise(all.length, policyStreams.generatedNoise(seed, this.#update))
    const { from, to } = shareOf(this.#group, all.length)
    const size = Math.max(1, Math.ceil((to - from) / settings.gradientAccumulationSteps))
    const parts: { readonly share: number; readonly figures: Tensor }[] = []
    for (let begin = from; begin < to; begin += size) {
      const end = Math.min(to, begin + size)
      const shares = weights.slice(begin, end)
      parts.push({
        share: shares.reduce((sum, share) => sum + share, 0),
        figures: this.#accumulate(all.slice(begin, end), rowsOf(noise, begin, end), shares),
      })
    }
    const lr = this.#optimiser.rateAt(this.#update, this.total)
    const update = this.#optimiser.update(lr)
    const [measured, ...read] = readTogether([update.measured, ...parts.map(({ figures }) => figures)])
    const gradNorm = update.check(measured)
    const sums = read.reduce((sum, figures) => sum.map((one, i) => one + figures[i]), [0, 0, 0, 0, 0, 0, 0])
    const [loss, accuracy, margin, better, worse, betterReference, worseReference] = this.#group.sumNumbers(sums)
    expectNearReference(better, betterReference)
    this.#update++
    return {
      updates: this.#update,
      dpo_loss: loss,
      accuracy,
      margin,
      better_error: better,
      worse_error: worse,
      better_reference_error: betterReference,
      worse_reference_error: worseReference,
      ...this.#onHeldOut(),
      grad_norm: gradNorm,
      lr,
    }
  }

  /** One time and one noise a pair, of a stream. */
  #noise(count: number, path: StreamPath): Noise {
    const { model, states } = this.#options
    const generator = new Generator(seedOf(...path))
    const t = policyOf(model).process.drawTimes(count, generator)
    return { t, epsilon: randn([count, ...states.x0.shape.slice(1)], generator) }
  }

  /**
   * Adds the gradient of the loss of some pairs of a batch.
   * @param shares weights of the pairs; those of the whole batch add up to 1
   * @returns      [7], summed by weight: loss, accuracy, d, and the errors of both images by both models
   */
  #accumulate(pairs: readonly Comparison[], noise: Noise, shares: readonly number[]): Tensor {
    using scope = tensorScope()
    using graph = gradientCheckpoints(this.#options.settings.gradientCheckpointing)
    const { device } = this.#options.model
    const weights = tensor(shares).to(device)
    const { losses, difference, errors } = this.#compare(this.policy, pairs, noise)
    const loss = losses.mul(weights).sum()
    graph.backward(loss)
    const sums = [
      losses,
      preferred(difference),
      difference,
      ...[errors.policy, errors.reference].flatMap((of) => [of.better, of.worse]),
    ].map((each) => each.detach().mul(weights).sum())
    return scope.keep(stack(sums))
  }

  /** −log P of what was said, d, and the errors, [B] each. */
  #compare(policyModel: GenerativeModel, pairs: readonly Comparison[], noise: Noise): Compared {
    const batch = this.#noisy(pairs, noise)
    const policy = pairErrors(policyModel, batch)
    const reference = withoutGrad(() => pairErrors(this.#reference, batch))
    const difference = impliedPreference(policy, reference, this.#beta)
    const isTie = pairs.map((pair) => pair.isTie)
    return { losses: this.#nats(difference, isTie), difference, errors: { policy, reference } }
  }

  /** Of pairs without ties −log σ(d). */
  #nats(difference: Tensor, isTie: readonly boolean[]): Tensor {
    if (this.#logNu === -Infinity) return difference.neg().softplus()
    const logits = davidsonLogits(difference, difference.mul(0), tensor([this.#logNu]).to(difference.device))
    const said = isTie.map((tie) => (tie ? outcomes.tie : outcomes.first))
    return crossEntropy(logits, tensor(said, [said.length], 'int64').to(difference.device))
  }

  /** Both images of the pairs at one time and with one noise: the better ones first. */
  #noisy(pairs: readonly Comparison[], { t, epsilon }: Noise): NoisyPairs {
    const { model, states } = this.#options
    const rows = tensor(
      [...pairs.map(({ better }) => better), ...pairs.map(({ worse }) => worse)],
      [2 * pairs.length],
      'int64',
    )
    const twice = (of: Tensor) => cat([of, of])
    return {
      ...mapStates(states, (all) => all.indexSelect(0, rows.to(all.device)).to(model.device)),
      texts: [...pairs, ...pairs].map(({ text }) => text),
      t: twice(t),
      epsilon: twice(epsilon).to(model.device),
    }
  }

  /** How often the policy prefers the better image of pairs that it is not trained on; nothing where it is not time. */
  #onHeldOut(): Pick<DpoMetrics, 'heldout_accuracy' | 'heldout_loss'> {
    const { settings, seed } = this.#options
    const isDue = this.#update % settings.heldOutEvery === 0 || this.#update === this.total
    if (!isDue || this.#heldOut.length === 0) return {}
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const pairs = Array.from({ length: heldOutTimes }, () => this.#heldOut).flat()
    const noise = this.#noise(pairs.length, policyStreams.heldOutNoise(seed))
    const { from, to } = shareOf(this.#group, pairs.length)
    const total = pairs.reduce((sum, { weight }) => sum + weight, 0)
    const sums = [0, 0]
    for (let begin = from; begin < to; begin += settings.batchSize) {
      using _part = tensorScope()
      const end = Math.min(to, begin + settings.batchSize)
      const part = pairs.slice(begin, end)
      const { losses, difference } = this.#compare(this.#shown, part, rowsOf(noise, begin, end))
      const weights = tensor(part.map(({ weight }) => weight / total)).to(losses.device)
      const [[loss, accuracy]] = readTogether([
        stack([losses, preferred(difference)].map((of) => of.mul(weights).sum())),
      ])
      sums[0] += loss
      sums[1] += accuracy
    }
    const [loss, accuracy] = this.#group.sumNumbers(sums)
    return { heldout_accuracy: accuracy, heldout_loss: loss }
  }

  lowerRates(): Readonly<Record<string, number>> {
    return { learningRate: this.#optimiser.lowerRate }
  }

  /** All changing state: parameters, optimiser, update. */
  state(): TrainingState {
    return { tensors: new Map(this.#optimiser.state()), numbers: { dpoUpdate: this.#update } }
  }

  /** Continues where the state was taken. @throws {FormatError} it belongs to another run, or something is missing */
  load(state: TrainingState): void {
    const { dpoUpdate: update } = numbersOf('dpo', DpoNumbers, state)
    expectWithin('dpo', update, this.total, 'updates')
    this.#optimiser.load(state.tensors)
    this.#update = update
  }
}

const rowsOf = ({ t, epsilon }: Noise, from: number, to: number): Noise => ({
  t: t.slice(0, from, to),
  epsilon: epsilon.slice(0, from, to),
})

interface Compared {
  readonly losses: Tensor
  readonly difference: Tensor
  readonly errors: { readonly policy: PairErrors; readonly reference: PairErrors }
}

/** 1 where d is above zero, ½ where it is zero. */
function preferred(difference: Tensor): Tensor {
  const of = difference.detach()
  return of.gt(0).to('float32').add(of.eq(0).to('float32').mul(0.5))
}

/** Bytes that are held at the most beside the model in an update of which `count` pairs are computed at once. */
function updateBytes(tried: HollowGiven<'pairs', DpoSettings>, count: number, gradientCheckpointing: boolean): number {
  using _scope = tensorScope()
  const { stages, policyStage } = tried.model
  const room = ({ stateShape }: ModelStage) => zeros([2, ...stateShape])
  const states = { x0: room(policyOf(tried.model)), earlier: stages.slice(0, policyStage).map(room) }
  const pairs = [{ better: 0, worse: 1, text: '', isTie: false, weight: 1 }]
  const own = { batchSize: count, gradientAccumulationSteps: 1, gradientCheckpointing, heldOut: 0 }
  return stepBytes(() => new Dpo({ ...tried, pairs, states, settings: { ...tried.settings, ...own }, group: alone }))
}

/** `policy dpo` */
export const dpo: Algorithm<'policy dpo', typeof fields> = {
  fields,
  changeable: ['gradientAccumulationSteps'],
  atOnce: (tried) => {
    const { batchSize, gradientAccumulationSteps: parts } = tried.settings
    const own = Math.ceil(batchSize / (tried.group?.size ?? 1))
    return [
      {
        field: 'gradientAccumulationSteps',
        what: 'pairs with gradients',
        given: Math.ceil(own / parts),
        usual: own,
        most: own,
        all: own,
        bytes: (count, checkpoints) => updateBytes(tried, count, checkpoints),
        settingFor: (count) => Math.ceil(own / count),
      },
    ]
  },
  recorded: [],
  checkpointEvery: 100,
  begin: (given) => new Dpo(given),
  // A pair: both images, by the policy with gradients and by the reference.
  work: ({ updates, batchSize }) => updates * batchSize * 8,
  note: ({ dpo_loss: loss, accuracy, heldout_accuracy: heldOut }) =>
    `loss ${loss?.toFixed(4)} prefers ${accuracy?.toFixed(2)}${heldOut === undefined ? '' : ` held out ${heldOut.toFixed(2)}`}`,
  warningOf: () => undefined,
}
