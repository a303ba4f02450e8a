/**
 * What a stage takes before it is run. Memory is counted: the program itself is run on tensors without elements, as batch sizes
 * are chosen (docs/memory.md). Time is the number of passes through the network times what a pass took on one H200
 * (docs/benchmarks.md), by how fast a device multiplies matrices.
 */
import { chooseAtOnce, type AtOnce } from '../src/images/at-once.ts'
import { drawnAtOnce } from '../src/images/drawing-memory.ts'
import type { GenerateConfig } from '../src/images/generate-images.ts'
import { samplingOf, type OpenModel } from '../src/images/open-model.ts'
import { policyOf, type Sampling } from '../src/networks/generative-model.ts'
import { algorithms } from '../src/policy/algorithms/index.ts'
import { hollowReward } from '../src/policy/hollow.ts'
import type { PolicyConfig } from '../src/policy/train-policy.ts'
import { trainableChange } from '../src/policy/trainable.ts'
import { trainedAtOnce } from '../src/policy/training-memory.ts'
import { readPrompts } from '../src/prompts/prompt-file.ts'
import { whole } from '../src/report/format.ts'
import type { ReportConfig } from '../src/report/report-config.ts'
import { openReward } from '../src/reward/open-reward.ts'
import type { Reward } from '../src/reward/reward.ts'
import { zeros } from '../src/tensor/create.ts'
import { alone } from '../src/tensor/group.ts'
import { mostHeld } from '../src/tensor/memory.ts'
import { tensorScope } from '../src/tensor/scope.ts'
import type { Tensor } from '../src/tensor/tensor.ts'

/** What a device multiplies in a second, in operations: large products of bf16 or fp16, and of float32. */
export interface Rates {
  readonly narrow: number
  readonly float32: number
}

/** Stable Diffusion 1.5 at 512² on one H200. A pass is one row, forward through the UNet. */
export const h200 = {
  bytes: 143_771 * 2 ** 20,
  parameters: 982.6e6,
  places: 64 * 64,
  /** 793 was measured; float32 is a guess: it stands to that as in the data sheet. */
  rates: { narrow: 793e12, float32: 793e12 * (67 / 989) } satisfies Rates,
  /** 3.03 images a second at a batch of 16, of 50 steps with two rows each. */
  secondsDrawing: 1 / 3.03 / 100,
  /** Updates of four transitions: two rows each, by the reference, by the policy and back. */
  secondsTraining: { narrow: 0.146 / 24, float32: 0.85 / 24 } satisfies Rates,
  /** A pass of a few rows waits for the host. */
  secondsLaunch: 0.02,
}
/** The way back counts as so many passes: whole networks have gradients of their weights as well. */
const passesBack = { adapters: 1, whole: 2 }
/** What V looks at makes drawing so much longer: previews of ten steps and their embeddings. A guess. */
const watching = 1.05

/** What a command takes. */
export interface Taken {
  readonly what: string
  readonly images: number
  readonly seconds: number
  /** The most, in bytes. */
  readonly memory: number
}

export interface Place extends OpenModel {
  readonly rates: Rates
  /** Bytes of a GPU that is not here: what is computed at once is chosen by them. */
  readonly memoryElsewhere?: number
}

/** What drawing and training take at a place. */
function workAt({ model, rates }: Place) {
  const parameters = [...model.weights.tensors().values()].reduce((sum, { numel }) => sum + numel, 0)
  const places = policyOf(model)
    .stateShape.slice(1)
    .reduce((product, side) => product * side, 1)
  const size = (parameters / h200.parameters) * (places / h200.places)
  const type = model.weights.dtype === 'float32' ? 'float32' : 'narrow'
  /** @param inTurn passes of all rows that there are at a time */
  const seconds = (each: number, as: keyof Rates, rows: number, inTurn: number) =>
    Math.max((rows * each * size * h200.rates[as]) / rates[as], inTurn * h200.secondsLaunch)
  return {
    /** @param atOnce images */
    drawing(images: number, { steps, guidance }: Sampling, atOnce: number): number {
      const each = type === 'narrow' ? h200.secondsDrawing : h200.secondsTraining.float32
      return seconds(each, type, images * steps * rowsOf({ guidance }), Math.ceil(images / atOnce) * steps)
    },
    /** @param rows of all passes @param as the model's own type, unless it is float32 whatever that is */
    training: (rows: number, inTurn: number, as: keyof Rates = type) =>
      seconds(h200.secondsTraining[as], as, rows, inTurn),
    isNarrow: type === 'narrow',
  }
}

/** With the prompt, and without it. */
const rowsOf = ({ guidance }: Pick<Sampling, 'guidance'>) => (guidance > 1 ? 2 : 1)
const bytesOf = (tensors: Iterable<Tensor>) => [...tensors].reduce((sum, { numel }) => sum + 4 * numel, 0)
const weightsOf = ({ model }: Place) => mostHeld(() => model.hollow?.())

/** How many at once, and the most that they hold. */
function chosen(place: Place, stage: string, settings: readonly AtOnce[], checkpoints?: boolean) {
  const { model, memoryElsewhere: total } = place
  const memory = total === undefined ? undefined : { total, free: total - weightsOf(place), limit: 'the GPU' }
  const room = { stage, device: memory === undefined ? model.device : 'cuda', checkpoints, group: alone, memory }
  const counts = chooseAtOnce(settings, room)
  const held = settings.map(({ bytes, all }, place) => bytes(Math.min(all, counts[place]), checkpoints ?? false))
  return { counts, held: Math.max(0, ...held) }
}

/** `images generate` */
export async function drawing(config: GenerateConfig, place: Place): Promise<Taken> {
  using _scope = tensorScope()
  const { model } = place
  const sampling = samplingOf(model, config)
  const prompts = config.prompt?.length ?? (await readPrompts(config.prompts!)).length
  const images = prompts * config.perPrompt
  const { counts, held } = chosen(place, 'images generate', drawnAtOnce(model, sampling, images, config.batchSize))
  const [atOnce = model.defaults.batchSize] = counts
  return {
    what: `draws, ${atOnce} at once`,
    images,
    seconds: workAt(place).drawing(images, sampling, atOnce),
    memory: weightsOf(place) + held,
  }
}

/** `policy dpok` */
export async function dpok(config: PolicyConfig<'policy dpok'>, place: Place): Promise<Taken> {
  using _scope = tensorScope()
  const { model } = place
  const { imagesDrawn, rolloutsPerIteration, transitionsPerRollout, gradientSteps, value } = config
  const sampling = samplingOf(model, config)
  const reward = await openReward(config.reward, config, () => Promise.resolve({ ...place, policy: model }))
  const trainable = trainableChange(model, config, config.seed)
  const given = { model, trainable, reward, settings: config, seed: config.seed, group: alone }
  const settings = trainedAtOnce(await algorithms['policy dpok'](), given, sampling)
  const { counts, held } = chosen(place, 'policy dpok', settings, config.gradientCheckpointing)
  const [rollouts = 1, transitions = 1] = counts
  const work = workAt(place)
  const iterations = Math.ceil(imagesDrawn / rolloutsPerIteration)
  const learned = imagesDrawn * Math.min(transitionsPerRollout, sampling.steps)
  // The reference, the policy and back; and once more where the old density is not that of the roll-out.
  const passes =
    (2 + backOf(config) + (work.isNarrow ? 1 : 0) + (config.gradientCheckpointing ? 1 : 0)) * rowsOf(sampling)
  const drawn = work.drawing(imagesDrawn, sampling, Math.min(rollouts, rolloutsPerIteration))
  return {
    what: `${whole(iterations * gradientSteps)} updates, ${rollouts} roll-outs and ${transitions} transitions at once`,
    images: imagesDrawn,
    seconds:
      drawn * (value ? watching : 1) + work.training(learned * passes, Math.ceil(learned / transitions) * 4, 'float32'),
    memory: weightsOf(place) + mostHeld(() => hollowReward(reward)) + bytesOf(trainable.parameters.values()) + held,
  }
}

const backOf = ({ parameters }: { readonly parameters: string | null }) =>
  parameters === null || parameters === 'lora' ? passesBack.adapters : passesBack.whole

/** Stands for a reward that an earlier step makes. */
const unmade: Reward = {
  name: 'a reward',
  sha256: '',
  range: [0, 1],
  score: (pixels) => zeros([pixels.shape[0]]),
  embedImages: (pixels) => zeros([pixels.shape[0], 1]),
  features: (pixels) => zeros([pixels.shape[0], 1]),
}

/** `policy reward-weighted` */
export async function rewardWeighted(config: PolicyConfig<'policy reward-weighted'>, place: Place): Promise<Taken> {
  using _scope = tensorScope()
  const { model } = place
  const { updates, batchSize, pretrainingWeight, klO, gradientCheckpointing } = config
  const trainable = trainableChange(model, config, config.seed)
  const given = { model, trainable, reward: unmade, settings: config, seed: config.seed, group: alone }
  const settings = trainedAtOnce(await algorithms['policy reward-weighted'](), given, policyOf(model).sampling)
  const { counts, held } = chosen(place, 'policy reward-weighted', settings, gradientCheckpointing)
  const [atOnce = batchSize] = counts
  const learned = updates * batchSize
  const passes = 1 + backOf(config) + (gradientCheckpointing ? 1 : 0)
  const rows = learned * (passes * (pretrainingWeight > 0 ? 2 : 1) + (klO > 0 ? 1 : 0))
  return {
    what: `${whole(updates)} updates of ${batchSize}${pretrainingWeight > 0 ? ` + ${batchSize}` : ''} images, ${atOnce} at once`,
    images: 0,
    seconds: workAt(place).training(rows, Math.ceil(rows / atOnce)),
    memory: weightsOf(place) + bytesOf(trainable.parameters.values()) + held,
  }
}

/** `report` */
export async function reporting(config: ReportConfig, place: Place): Promise<Taken> {
  using _scope = tensorScope()
  const { model } = place
  const sampling = samplingOf(model, config)
  const lists = await Promise.all([config.seen!, config.unseen!].map((file) => readPrompts(file)))
  const { policies, bestOf, referenceImages, imagesPerPrompt, klRollouts } = config
  const ofEach = lists.flat().length * imagesPerPrompt
  // Of the base: its own, those among which best-of-n picks, and others that all are compared with.
  const images = ofEach * (policies.length + bestOf + (referenceImages === null ? 1 : 0))
  const atOnce = Math.min(64, model.defaults.batchSize)
  const { held } = chosen(place, 'report', drawnAtOnce(model, sampling, images, atOnce))
  const work = workAt(place)
  const compared = policies.length * klRollouts
  // The KL is that of the policy and its reference in float32.
  const passes = 2 * rowsOf(sampling) * sampling.steps
  return {
    what: `compares ${policies.length} with the base`,
    images: images + compared,
    seconds:
      work.drawing(images + compared, sampling, atOnce) +
      work.training(compared * passes, Math.ceil(compared / atOnce) * sampling.steps, 'float32'),
    memory: weightsOf(place) + held,
  }
}
