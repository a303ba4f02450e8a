/**
 * Settings with which a stage fits into so much memory, on a device that need not be here: by the count that the stage itself
 * makes before it begins, on a checkpoint of which no weights are read.
 */
import { z } from 'zod'
import { parseConfig } from '../config.ts'
import { AttuneError, TensorError } from '../errors.ts'
import { chosenWithin, heldWith, type AtOnce } from '../images/at-once.ts'
import { drawnAtOnce } from '../images/drawing-memory.ts'
import { GenerateConfig } from '../images/generate-images.ts'
import { samplingFields, samplingOf, type ModelConfig } from '../images/open-model.ts'
import { openClip } from '../networks/clip/clip-encoder.ts'
import { imageSizeOf } from '../networks/image-size.ts'
import { dtypeOf } from '../networks/placement.ts'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import { encoderOfReward } from '../reward/encoder-of-reward.ts'
import { clipReward } from '../reward/kinds/clip-model.ts'
import type { Reward } from '../reward/reward.ts'
import type { Dtype } from '../tensor/dtype.ts'
import { countedBytes } from '../tensor/memory.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { AnyAlgorithm } from './algorithm.ts'
import { algorithms } from './algorithms/index.ts'
import { weightlessReward } from './hollow.ts'
import type { MemoryPreset, MemoryPresets, PresetRequest, PresetStage } from './preset-request.ts'
import { policySchema } from './train-policy.ts'
import { trainableChange, trainableFields } from './trainable.ts'
import { trainedAtOnce } from './training-memory.ts'

/** What computes in less memory: slower, or a little less exact. Those that cost least come first. */
interface Way {
  readonly mixedPrecision: ModelConfig['mixedPrecision']
  readonly vaeTiling: boolean
  readonly gradientCheckpointing: boolean
}

/** A stage on networks that are open by their shapes alone. */
interface Tried {
  readonly settings: readonly AtOnce[]
  /** Bytes of what is loaded before it begins. */
  readonly loaded: number
  /** Of what is trained. */
  readonly trained: number
}

/** Of the memory of a device, what is there for tensors: contexts, screens and other programs have the rest. */
const usable = 0.94

/**
 * @throws {AttuneError} the checkpoint is not there or broken
 */
export async function memoryPresets(request: PresetRequest): Promise<MemoryPresets> {
  using _scope = tensorScope()
  const { stage, config, device, budgets } = request
  const isOnCpu = device === 'cpu'
  const attempt = await attemptOf(request)
  const opened = new Map<string, Tried>()
  const tried = ({ mixedPrecision, vaeTiling }: Way): Tried => {
    const key = `${mixedPrecision} ${vaeTiling}`
    const known = opened.get(key) ?? remembered(attempt({ mixedPrecision, vaeTiling }))
    opened.set(key, known)
    return known
  }
  const ways = waysOf(isOnCpu, (config.mixedPrecision ?? null) as ModelConfig['mixedPrecision'], stage)
  const { settings, trained: trainedBytes } = tried(ways[0])
  if (settings.length === 0) return { presets: [], trainedBytes }
  try {
    return { presets: budgets.map((budget) => presetOf(budget, ways, tried, isOnCpu, stage)), trainedBytes }
  } catch (error) {
    // Where a model calls an operator of which libtorch knows no shapes.
    if (error instanceof TensorError) return { presets: [], trainedBytes }
    throw error
  }
}

/** bf16 takes half on a GPU, which has it without being asked, and is slow on a CPU, where it is the last resort. */
function waysOf(isOnCpu: boolean, given: Way['mixedPrecision'], stage: PresetStage): Way[] {
  const types = isOnCpu ? [null, 'bf16' as const] : [given]
  const checkpoints = stage === 'images generate' ? [false] : [false, true]
  return types.flatMap((mixedPrecision) => [
    ...checkpoints.map((gradientCheckpointing) => ({ mixedPrecision, gradientCheckpointing, vaeTiling: false })),
    { mixedPrecision, gradientCheckpointing: checkpoints.at(-1)!, vaeTiling: true },
  ])
}

function presetOf(
  budget: number,
  ways: readonly Way[],
  tried: (way: Way) => Tried,
  isOnCpu: boolean,
  stage: PresetStage,
): MemoryPreset {
  let least = Infinity
  for (const way of ways) {
    const { settings, loaded } = tried(way)
    const { gradientCheckpointing: checkpoints, mixedPrecision, vaeTiling } = way
    const counts = chosenWithin(settings, usable * budget - loaded, { isOnCpu, checkpoints })
    if (counts === undefined) {
      least = Math.min(least, loaded + heldWith(settings, settings.map(() => 1), checkpoints)) // prettier-ignore
      continue
    }
    const chosen = settings.map(({ field, settingFor = (count: number) => count }, place) => [field, settingFor(counts[place])]) // prettier-ignore
    return {
      budget,
      settings: {
        ...(isOnCpu && { mixedPrecision }),
        ...(stage !== 'images generate' && { gradientCheckpointing: checkpoints }),
        vaeTiling,
        ...(Object.fromEntries(chosen) as Record<string, number>),
      },
      bytes: loaded + heldWith(settings, counts, checkpoints),
    }
  }
  return { budget, settings: null, bytes: least / usable }
}

type Attempt = (way: Pick<Way, 'mixedPrecision' | 'vaeTiling'>) => Tried

async function attemptOf({ stage, config: given, device, encoder }: PresetRequest): Promise<Attempt> {
  const schema = stage === 'images generate' ? GenerateConfig : await policySchema(stage)
  const config = parseConfig(schema, { stage, flags: given }) as ModelConfig & Readonly<Record<string, unknown>>
  const algorithm: AnyAlgorithm | undefined = stage === 'images generate' ? undefined : await algorithms[stage]()
  const wanted = z.object(samplingFields).parse(pick(config, Object.keys(samplingFields)))
  return ({ mixedPrecision, vaeTiling }) => {
    const before = countedBytes()
    const dtype = dtypeOf(mixedPrecision, device)
    const { model } = openStableDiffusion(config.model, {
      ...{ device, dtype, imageSize: imageSizeOf(config.resolution), tiling: vaeTiling, checkpoint: config },
      isHollow: true,
    })
    const sampling = samplingOf(model, wanted)
    if (algorithm === undefined) {
      return { settings: drawnAtOnce(model, sampling, manyImages, null), loaded: countedBytes() - before, trained: 0 }
    }
    const trainable = trainableChange(model, z.object(trainableFields).parse(pick(config, Object.keys(trainableFields))), 0) // prettier-ignore
    // Each that is named has an encoder of its own in memory.
    const encoderType = mixedPrecision === null ? 'float32' : dtype
    const [reward] = [config.reward, config.heldOutReward, config.scorer].map((name) =>
      typeof name === 'string' ? hollowScore(name, encoder, encoderType) : undefined,
    )
    const loaded = countedBytes() - before
    const open = Object.fromEntries((algorithm.chosen ?? []).map((field) => [field, null]))
    const all = trainedAtOnce(
      algorithm,
      { model, trainable, ...(reward && { reward }), settings: { ...config, ...open } },
      sampling,
    )
    const trained = [...trainable.parameters.values()].reduce((sum, { numel }) => sum + 4 * numel, 0)
    return { settings: all, loaded, trained }
  }
}

/** So many that their number is no limit. */
const manyImages = 1000

/** By the encoder of a reward with the score of CLIP: what a head adds is little. Of other rewards nothing is foretold. */
function hollowScore(name: string, usual: string | null, dtype: Dtype): Reward {
  try {
    const encoder = encoderOfReward(name) ?? usual
    return encoder === null ? weightless : clipReward(name, openClip(encoder, { device: 'meta', dtype }))
  } catch (error) {
    if (error instanceof AttuneError) return weightless
    throw error
  }
}

const weightless = weightlessReward({ name: 'a reward', sha256: '', range: undefined })

/** Each number is tried once, and what is given is left open. */
function remembered({ settings, ...tried }: Tried): Tried {
  return {
    ...tried,
    settings: settings.map((setting) => {
      const known = new Map<string, number>()
      const bytes = (count: number, checkpoints: boolean): number => {
        const key = `${count} ${checkpoints}`
        const held = known.get(key) ?? setting.bytes(count, checkpoints)
        known.set(key, held)
        return held
      }
      return { ...setting, given: undefined, bytes }
    }),
  }
}

const pick = (of: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(names.flatMap((name) => (name in of ? [[name, of[name]]] : [])))
