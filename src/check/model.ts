/** What a model takes on this machine: time of a prediction, and which stages fit into the memory that is free. */
import { z } from 'zod'
import { flagName } from '../config.ts'
import { TensorError } from '../errors.ts'
import { withoutMargin, type AtOnce } from '../images/at-once.ts'
import { drawStages, decodeStages } from '../images/draw.ts'
import { drawnAtOnce } from '../images/drawing-memory.ts'
import { samplingOf, type ModelConfig, type Open } from '../images/open-model.ts'
import { gradientCheckpointingField } from '../networks/adapters.ts'
import type { GenerativeModel, ImageSize, ModelDefaults, Sampling } from '../networks/generative-model.ts'
import { algorithms } from '../policy/algorithms/index.ts'
import type { AnyAlgorithm } from '../policy/algorithm.ts'
import { trainableChange, trainableFields } from '../policy/trainable.ts'
import { trainedAtOnce } from '../policy/training-memory.ts'
import { openReward } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { policyStages } from '../stages.ts'
import { noGrad } from '../tensor/autograd.ts'
import { memoryOf, releaseMemory } from '../tensor/memory.ts'
import { tensorScope } from '../tensor/scope.ts'

/** As it is sampled; null for the model's own numbers. */
export type CheckedModel = ModelConfig & { readonly [field in keyof Sampling]: number | null } & {
  readonly encoder: string | null
}

/** One stage at one size. */
interface Fit {
  readonly stage: string
  readonly size: ImageSize
  /** With them it computes as many at once as there is room for, and gradients twice where it does not fit otherwise. */
  readonly flags: readonly string[]
  /** Not even one at a time does. */
  readonly isTooLarge: boolean
  /** That it takes, of so many or of one. */
  readonly bytes: number
}

export interface ModelTrial {
  readonly device: string
  readonly dtype: string
  readonly sampling: Sampling
  readonly imageSize: ImageSize
  /** Images drawn at once, and what is trained, where nothing else is said. */
  readonly batchSize: number
  readonly parameters: ModelDefaults['parameters']
  /** To read it. */
  readonly openSeconds: number
  /** Of one image: a step of sampling with its guidance, and what follows the last step. */
  readonly stepSeconds: number
  readonly decodeSeconds: number
  /** Bytes; undefined where the device does not tell. */
  readonly memory: { readonly free: number; readonly total: number; readonly limit: string } | undefined
  /** Of the model's own size first; none where it is not known what stages take. */
  readonly fits: readonly Fit[]
}

const timedSteps = 2
const longSeconds = 2

/** @param name of the reward */
export async function tryModel(config: CheckedModel, name: string, open: Open): Promise<ModelTrial> {
  const began = performance.now()
  const opened = await open(config)
  const openSeconds = (performance.now() - began) / 1000
  const { model } = opened
  const sampling = samplingOf(model, config)
  const first = timeOf(model, sampling)
  // The first prediction waits for kernels to be loaded, which is no time where it takes long.
  const time = first.stepSeconds > longSeconds ? first : timeOf(model, sampling)
  releaseMemory(model.device)
  const memory = memoryOf(model.device)
  const reward = await openReward(name, config, () => Promise.resolve(opened))
  const { device, imageSize, defaults } = model
  return {
    ...defaults,
    ...{ device, imageSize, dtype: model.weights.dtype, sampling, openSeconds, ...time, memory },
    fits: memory === undefined ? [] : await foretold(() => fitsOf(model, reward, sampling, memory.free)),
  }
}

/** Nothing where a model calls an operator of which libtorch knows no shapes. */
async function foretold(fits: () => Promise<Fit[]>): Promise<Fit[]> {
  try {
    return await fits()
  } catch (error) {
    if (error instanceof TensorError) return []
    throw error
  }
}

function timeOf(model: GenerativeModel, sampling: Sampling): { stepSeconds: number; decodeSeconds: number } {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const steps = Math.min(timedSteps, sampling.steps)
  const request = { text: '', seed: 0, index: 0 }
  const from = performance.now()
  const samples = drawStages(model, [request], { ...sampling, steps })
  // Reading it waits for the device.
  samples.at(-1)!.sum().item()
  const drawn = performance.now()
  decodeStages(model, samples).sum().item()
  const decoded = performance.now()
  return { stepSeconds: (drawn - from) / 1000 / steps, decodeSeconds: (decoded - drawn) / 1000 }
}

/** Of the model's own size, and of others that it can have. */
async function fitsOf(model: GenerativeModel, reward: Reward, sampling: Sampling, free: number): Promise<Fit[]> {
  using _scope = tensorScope()
  const trainable = trainableChange(model, z.object(trainableFields).parse({}), 0)
  const fits: Fit[] = []
  for (const size of sizesOf(model)) {
    const sized = model.hollow!(size)
    const room = { free, isOnCpu: model.device === 'cpu' }
    const drawn = () => drawnAtOnce(sized, sampling, many, null)
    fits.push({ stage: 'images generate', size, ...fitOf(drawn, [false], room) })
    for (const stage of policyStages) {
      const algorithm: AnyAlgorithm = await algorithms[stage]()
      if (algorithm.atOnce === undefined) continue
      // Its trainings are refused.
      if (algorithm.followsGradient && reward.scoreWithGradient === undefined) continue
      const settings = z.object({ ...algorithm.fields, ...gradientCheckpointingField }).parse({})
      const given = { model: sized, trainable, reward, settings }
      fits.push({ stage, size, ...fitOf(() => trainedAtOnce(algorithm, given, sampling), [false, true], room) })
    }
  }
  return fits
}

/** So many images that their number is no limit. */
const many = 1000

/** Sizes at which its states are whole numbers of latents, its own first. */
function sizesOf(model: GenerativeModel): ImageSize[] {
  using _scope = tensorScope()
  if (model.hollow === undefined) return []
  const { width, height } = model.imageSize
  const others = [0.5, 1.5, 2].map((factor) => ({ width: factor * width, height: factor * height }))
  const isPossible = (size: ImageSize) => {
    const sized = model.hollow!(size)
    const isTaken = sized.imageSize.width === size.width && sized.imageSize.height === size.height
    return isTaken && [size.width, size.height].every((side) => side % sideUnit === 0)
  }
  return [model.imageSize, ...others.filter(isPossible)]
}

/** What networks and autoencoders of checkpoints halve evenly. */
const sideUnit = 64

/**
 * @param settings made anew for each trial, whose tensors go with it
 * @param ways     whether gradients are checkpointed, the preferred one first
 */
function fitOf(
  settings: () => readonly AtOnce[],
  ways: readonly boolean[],
  { free, isOnCpu }: { readonly free: number; readonly isOnCpu: boolean },
): Omit<Fit, 'stage' | 'size'> {
  const tried = ways.map((isCheckpointed): Omit<Fit, 'stage' | 'size'> => {
    using _scope = tensorScope()
    const found = settings().map(({ field, usual, most, all, bytes, settingFor = (count) => count }) => {
      const [one, two] = [1, 2].map((count) => bytes(count, isCheckpointed))
      // Each further one takes the same.
      const fitting = one > free ? 0 : Math.max(1, 1 + Math.floor((withoutMargin(free) - one) / (two - one)))
      const count = Math.min(fitting, all, isOnCpu ? usual : most)
      const flag = `${flagName(field)} ${settingFor(Math.max(1, count))}`
      return { count, flag, bytes: one + Math.max(0, count - 1) * (two - one) }
    })
    return {
      flags: [...found.map(({ flag }) => flag), ...(isCheckpointed ? ['--gradient-checkpointing'] : [])],
      isTooLarge: found.some(({ count }) => count === 0),
      bytes: Math.max(...found.map(({ bytes }) => bytes)),
    }
  })
  return tried.find(({ isTooLarge }) => !isTooLarge) ?? tried.at(-1)!
}
