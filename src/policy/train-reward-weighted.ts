/** `policy reward-weighted`: supervised fine-tuning on generated images, each weighted by its reward. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { hashOfJson } from '../content-hash.ts'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import { encodeFiles } from '../images/encode.ts'
import { imageParents, readImages, type ImageOfRun } from '../images/image-run.ts'
import { openTrainingImages, trainingImagesFields } from '../images/training-images.ts'
import {
  expectScaledPolicy,
  modelFields,
  samplingOf,
  type Open,
  type OpenModel,
  type PretrainingSource,
} from '../images/open-model.ts'
import { namedStates, statesNamed } from '../images/named-states.ts'
import { readPictures } from '../images/pictures.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import { openReward, rewardFields, scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { expectTeaching } from '../reward/teaching-scores.ts'
import { unitRange, type UnitRange } from '../reward/unit-range.ts'
import type { Manifest, Run } from '../run.ts'
import { tensor } from '../tensor/create.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { readSafetensorsHeader } from '../tensor/safetensors.ts'
import { unscoped } from '../tensor/scope.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'
import { openChange, writePolicy } from './policy-file.ts'
import { RewardWeighted, rewardWeightedFields } from './reward-weighted.ts'
import { drawSamples, openProbe, type Probe } from './sample-images.ts'
import { trainableChange, trainableFields } from './trainable.ts'
import { lossRisen, type LossRow } from './training-warnings.ts'
import { fileInput, imagesInput, modelInput, sourceInput } from './training-inputs.ts'
import {
  changeableFields,
  finishTraining,
  inTrainingRun,
  trainingRunFields,
  trainToEnd,
  type Trainer,
} from './training-run.ts'

/** Settings of `policy reward-weighted`. */
export const RewardWeightedConfig = z.strictObject({
  images: z.array(z.string().min(1)).min(1).describe('Run folders of generated images, labelled or not.'),
  ...rewardFields,
  ...rewardWeightedFields,
  ...trainableFields,
  ...trainingImagesFields,
  ...modelFields,
  ...trainingRunFields,
  checkpointEvery: trainingRunFields.checkpointEvery.default(200),
})
export type RewardWeightedConfig = z.infer<typeof RewardWeightedConfig>

const stage = 'policy reward-weighted'
const changeable = [...changeableFields, 'gradientAccumulationSteps']

/** Latents and scores of the images, kept until the run is done. */
const encodedName = 'encoded.safetensors'
/** The same in parts, until they are whole. */
const encodedPartsName = 'encoded-parts'
/** Latents of a user's own pre-training images, kept as long. */
const pretrainingName = 'pretraining-latents.safetensors'
const pretrainingPartsName = `${pretrainingName}.parts`

/**
 * Trains a policy on images that the model drew, weighted by the reward. A step is one update.
 *
 * @param judge measures the sample images; it is shown what is drawn, and the training nothing of what it says
 * @throws {FormatError} a reward of another encoder, or a policy of another model
 * @throws {RewardError} no image has a positive weight, or a reward is not finite
 * @throws {ConfigError} a pre-training loss is asked for, but there are no pre-training images
 */
export function trainRewardWeighted(config: RewardWeightedConfig, open: Open, judge?: Probe): Promise<Manifest> {
  const { out, resume, ...settings } = config
  expectScaledPolicy(config)
  const { policy: start, seed } = config
  const parents = {
    ...imageParents(config.images),
    reward: config.reward,
    ...(start === null ? {} : { policy: start }),
  }
  const options = { folder: out, stage, config: settings, parents, resume, changeable }
  return inTrainingRun(options, async (run) => {
    const stored = await readImages(...config.images)
    const opened = await open(config)
    const { model } = opened
    const reward = await openReward(config.reward, config, () => Promise.resolve(opened))
    const earlier = start === null ? undefined : openChange(model, start, config)
    const trainable = trainableChange(model, config, seed, earlier)
    const pretraining = await keepingParts(run, () => pretrainingOf(run, config, opened))
    const inputs = {
      model: modelInput(config.model, model),
      reward: reward.sha256,
      images: imagesInput(stored),
      ...(earlier && { 'policy that it starts from': fileInput(earlier.file) }),
      ...pretraining.inputs,
    }
    run.dependsOn(inputs)
    const key = hashOfJson([inputs.model, inputs.reward, inputs.images])
    const encoded = await keepingParts(run, () => encodedImages(run, model, reward, stored, key))
    const { states, scores } = encoded
    expectTeaching(reward.name, scores)
    const range = unitRange(reward, scores)
    const images = stored.map(({ record: { text } }, i) => ({ text, reward: range.map(scores[i]) }))
    const options = { model, trainable, images, states, pretraining: pretraining.source, seed, settings: config }
    const algorithm = new RewardWeighted(options)
    encoded.keep()
    const trainer: Trainer = {
      total: config.updates,
      get done() {
        return algorithm.update
      },
      parameters: trainable.parameters,
      policy: algorithm.policy,
      step: () => ({ ...algorithm.step() }),
      state: () => algorithm.state(),
      load: (state) => algorithm.load(state),
      lowerRates: () => ({
        learningRate: algorithm.lowerRate,
      }),
    }
    const shown = [...new Set(images.map(({ text }) => text))]
    const sampling = samplingOf(model, { steps: null, eta: null, guidance: null })
    const probe = await openProbe(config, opened, judge)
    const { metrics, seconds, notes } = await trainToEnd(run, trainer, {
      label: 'reward-weighted',
      stage,
      inputs,
      warningOf: (rows) => lossRisen(rows.filter((row): row is typeof row & LossRow => 'train_loss' in row)),
      checkpointEvery: config.checkpointEvery,
      note: ({ reward_loss: weighted, pretraining_loss: plain }) =>
        `loss ${weighted?.toFixed(4)} pre-training ${plain?.toFixed(4)}`,
      sampleEvery: config.sampleEvery,
      sample: (step) =>
        drawSamples(run, step, model.with(trainable.change), shown, { sampling, seed, samples: config.samples, probe }),
    })
    const { updates, ...last } = metrics
    writePolicy((name) => run.path(name), model, trainable, {
      algorithm: 'reward-weighted',
      reward: reward.name,
      seed,
      updates,
    })
    const meanReward = scores.reduce((sum, score) => sum + score, 0) / scores.length
    const results = {
      imagesDrawn: images.length,
      updates,
      seconds,
      meanReward,
      ...rangeResult(range),
      ...last,
      modelSha256: model.sha256,
      ...notes,
    }
    return finishTraining(run, results, [encodedName, encodedPartsName, pretrainingName, `${pretrainingName}.parts`])
  })
}

/** Encodes images of a run; what was encoded stays where the disk was the fault. */
async function keepingParts<T>(run: Run, encode: () => Promise<T>): Promise<T> {
  try {
    return await encode()
  } catch (error) {
    if (error instanceof FileError) run.keep()
    throw error
  }
}

const rangeResult = ({ low, high }: UnitRange) =>
  low === 0 && high === 1 ? {} : { rewardMappedFrom: [low, high] as const }

interface Encoded {
  /** [N, …] each on the CPU. */
  readonly states: CleanStates
  /** N numbers. */
  readonly scores: readonly number[]
  /** Writes them into the run, where they are not there yet: once it is known that something can be learned from them. */
  keep(): void
}

/** x_0 and score of every image; what an earlier process of this run has computed of the same is read. */
async function encodedImages(
  run: Run,
  model: GenerativeModel,
  reward: Reward,
  stored: readonly ImageOfRun[],
  key: string,
): Promise<Encoded> {
  const file = run.path(encodedName)
  const known = run.resumed ? knownImages(file, key) : undefined
  if (known !== undefined) return { ...known, keep: () => undefined }
  const parts = new PartFiles(run.path(encodedPartsName), key)
  const { states, measured: scores } = await encodeFiles(
    model,
    stored,
    (images) => readPictures(images.map(({ file }) => file)),
    {
      label: 'generated images',
      parts,
      measure: (pictures, images) => {
        const texts = images.map(({ record }) => record.text)
        return scorePictures(reward, pictures, texts)
      },
    },
  )
  return {
    states,
    scores,
    keep() {
      using kept = unscoped(() => tensor(Float64Array.from(scores)))
      const tensors = new Map([...namedStates(states), ['scores', kept] as const])
      writeTrainingState(file, { tensors, numbers: { key } })
      parts.remove()
    },
  }
}

/** Nothing where the file is not there, is damaged or of other images, model or reward: then they are encoded again. */
function knownImages(file: string, key: string): Pick<Encoded, 'states' | 'scores'> | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { tensors, numbers } = unscoped(() => readTrainingState(file))
    const states = statesNamed(tensors)
    const scores = tensors.get('scores')
    if (numbers.key === key && states !== undefined && scores !== undefined) {
      return { states, scores: scores.toArray() }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    process.stderr.write(`note: ${error.message}; the images are encoded again\n`)
  }
  return undefined
}

interface Pretraining {
  readonly source: PretrainingSource
  readonly inputs: Readonly<Record<string, string>>
}

/** Of an endless source so many images stand for all. */
const sampled = 8

/** @throws {ConfigError} there are none, and a weight is on them */
async function pretrainingOf(
  run: Run,
  config: RewardWeightedConfig,
  { model, pretraining }: OpenModel,
): Promise<Pretraining> {
  if (config.pretrainingWeight === 0) return { source: noPretraining, inputs: {} }
  const { trainDataDir, seed } = config
  if (trainDataDir === null) {
    const source = pretraining ?? noPretraining()
    return { source, inputs: { 'pre-training images': sourceInput(source, sampled) } }
  }
  const cacheFile = run.path(pretrainingName)
  run.path(pretrainingPartsName)
  const source = await openTrainingImages({ ...config, trainDataDir }, model, { seed, cacheFile })
  const count = readSafetensorsHeader(cacheFile).entries.get('latents')!.shape[0]
  return { source, inputs: { 'training images': sourceInput(source, count) } }
}

function noPretraining(): never {
  throw new ConfigError({
    where: '--pretraining-weight',
    expected: 'pre-training images in --train-data-dir, or 0',
    received: 'a positive weight and no images',
    remedy: 'give a folder of captioned images with --train-data-dir, or train with --pretraining-weight 0',
  })
}
