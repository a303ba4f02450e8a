/** `policy reward-weighted`: supervised fine-tuning on generated images, each weighted by its reward. */
import { existsSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { encodeFiles } from '../images/encode.ts'
import { imageParents, readImages, type StoredImage } from '../images/image-run.ts'
import { openTrainingImages, trainingImagesFields } from '../images/training-images.ts'
import { modelFields, samplingOf, type Open, type OpenModel, type PretrainingSource } from '../images/open-model.ts'
import { readPictures } from '../images/pictures.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { openReward, rewardFields, scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { unitRange, type UnitRange } from '../reward/unit-range.ts'
import type { Manifest, Run } from '../run.ts'
import { tensor } from '../tensor/create.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { openPolicy, writePolicy } from './policy-file.ts'
import { RewardWeighted, rewardWeightedFields } from './reward-weighted.ts'
import { drawSamples, openProbe, type Probe } from './sample-images.ts'
import { trainableDelta, trainableFields } from './trainable.ts'
import { finishTraining, inTrainingRun, trainingRunFields, trainToEnd } from './training-run.ts'

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

/** Latents and scores of the images, kept until the run is done. */
const encodedName = 'encoded.safetensors'
/** Latents of a user's own pre-training images, kept as long. */
const pretrainingName = 'pretraining-latents.safetensors'

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
  const { policy: start, seed } = config
  const parents = {
    ...imageParents(config.images),
    reward: config.reward,
    ...(start === null ? {} : { policy: start }),
  }
  const options = { folder: out, stage: 'policy reward-weighted', config: settings, parents, resume }
  return inTrainingRun(options, async (run) => {
    const stored = await readImages(...config.images)
    const opened = await open(config)
    const { model } = opened
    const reward = await openReward(config.reward, config, () => Promise.resolve(opened))
    const earlier = start === null ? undefined : openPolicy(model, start)
    const trainable = trainableDelta(model, config, seed, earlier)
    const pretraining = await pretrainingOf(run, config, opened)
    const { latents, scores } = await encodedImages(run, model, reward, stored)
    const range = unitRange(reward, scores)
    const images = stored.map(({ record: { text } }, i) => ({ text, reward: range.map(scores[i]) }))
    const algorithm = new RewardWeighted({ model, trainable, images, latents, pretraining, seed, settings: config })
    const trainer = {
      total: config.updates,
      get done() {
        return algorithm.update
      },
      step: () => ({ ...algorithm.step() }),
      state: () => algorithm.state(),
      load: (state: Parameters<RewardWeighted['load']>[0]) => algorithm.load(state),
    }
    const shown = [...new Set(images.map(({ text }) => text))]
    const sampling = samplingOf(model, { steps: null, eta: null, guidance: null })
    const probe = await openProbe(config, opened, judge)
    const { metrics, seconds } = await trainToEnd(run, trainer, {
      label: 'reward-weighted',
      checkpointEvery: config.checkpointEvery,
      note: ({ reward_loss: weighted, pretraining_loss: plain }) =>
        `loss ${weighted?.toFixed(4)} pre-training ${plain?.toFixed(4)}`,
      sampleEvery: config.sampleEvery,
      sample: (step) =>
        drawSamples(run, step, model.with(trainable.delta), shown, { sampling, seed, samples: config.samples, probe }),
    })
    const { updates, ...last } = metrics
    writePolicy((name) => run.path(name), model, trainable, {
      algorithm: 'reward-weighted',
      reward: reward.name,
      seed,
      updates,
    })
    for (const name of [encodedName, pretrainingName]) rmSync(run.path(name), { force: true })
    const meanReward = scores.reduce((sum, score) => sum + score, 0) / scores.length
    return finishTraining(run, {
      imagesDrawn: images.length,
      updates,
      seconds,
      meanReward,
      ...rangeResult(range),
      ...last,
      modelSha256: model.sha256,
    })
  })
}

const rangeResult = ({ low, high }: UnitRange) =>
  low === 0 && high === 1 ? {} : { rewardMappedFrom: [low, high] as const }

/** x_0 and score of every image; what an earlier process of this run has computed is read. */
async function encodedImages(
  run: Run,
  model: GenerativeModel,
  reward: Reward,
  stored: readonly StoredImage[],
): Promise<{ latents: Tensor; scores: number[] }> {
  const file = run.path(encodedName)
  if (run.resumed && existsSync(file)) {
    const { tensors } = unscoped(() => readSafetensors(file))
    return { latents: tensors.get('latents')!, scores: tensors.get('scores')!.toArray() }
  }
  const scores: number[] = []
  const latents = await encodeFiles(model, stored, (images) => readPictures(images.map(({ file }) => file)), {
    label: 'generated images',
    visit: (pictures, images) => {
      const texts = images.map(({ record }) => record.text)
      scores.push(...scorePictures(reward, pictures, texts))
    },
  })
  using kept = unscoped(() => tensor(Float64Array.from(scores)))
  writeSafetensors(
    file,
    new Map([
      ['latents', latents],
      ['scores', kept],
    ]),
  )
  return { latents, scores }
}

/** @throws {ConfigError} there are none, and a weight is on them */
async function pretrainingOf(
  run: Run,
  config: RewardWeightedConfig,
  { model, pretraining }: OpenModel,
): Promise<PretrainingSource> {
  if (config.pretrainingWeight === 0) return pretraining ?? noPretraining
  const { trainDataDir, seed } = config
  if (trainDataDir !== null) {
    const options = { seed, cacheFile: run.path(pretrainingName) }
    return openTrainingImages({ ...config, trainDataDir }, model, options)
  }
  return pretraining ?? noPretraining()
}

function noPretraining(): never {
  throw new ConfigError({
    where: '--pretraining-weight',
    expected: 'pre-training images in --train-data-dir, or 0',
    received: 'a positive weight and no images',
    remedy: 'give a folder of captioned images with --train-data-dir, or train with --pretraining-weight 0',
  })
}
