/** `policy reward-weighted`: supervised fine-tuning on generated images, each weighted by its reward. */
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { imageParents, readImages } from '../images/image-run.ts'
import { modelFields, samplingOf, type Open } from '../images/open-model.ts'
import { readPictures } from '../images/pictures.ts'
import { openReward, scorePictures } from '../reward/open-reward.ts'
import type { Manifest } from '../run.ts'
import { useThreads } from '../tensor/library.ts'
import { openPolicy } from './open-policy.ts'
import { RewardWeighted, rewardWeightedFields } from './reward-weighted.ts'
import { drawSamples } from './sample-images.ts'
import { policyFileName, trainableDelta, trainableFields, writePolicy } from './trainable.ts'
import { finishTraining, inTrainingRun, trainingRunFields, trainToEnd } from './training-run.ts'

export const RewardWeightedConfig = z.strictObject({
  images: z.array(z.string().min(1)).min(1).describe('Run folders of generated images, labelled or not.'),
  reward: z.string().min(1).describe('Run of `reward train`; its scores are the weights.'),
  ...rewardWeightedFields,
  ...trainableFields,
  ...modelFields,
  ...trainingRunFields,
  checkpointEvery: trainingRunFields.checkpointEvery.default(200),
})
export type RewardWeightedConfig = z.infer<typeof RewardWeightedConfig>

/**
 * Trains a policy on images that the model drew, weighted by the reward. A step is one update.
 *
 * @throws {FormatError} a reward of another encoder, or a policy of another model
 * @throws {RewardError} no image has a positive weight, or a reward is not finite
 * @throws {ConfigError} a pre-training loss is asked for, but the model brings no pre-training data
 */
export function trainRewardWeighted(config: RewardWeightedConfig, open: Open): Promise<Manifest> {
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
    useThreads(config.threads)
    const { model, encoder, pretraining = withoutPretraining } = await open(config.model)
    if (config.pretrainingWeight > 0) pretraining(0, 1)
    const reward = openReward(config.reward, encoder)
    const earlier = start === null ? undefined : openPolicy(model, start)
    const trainable = trainableDelta(model, config, seed, earlier)
    const texts = stored.map(({ record }) => record.text)
    const pictures = await readPictures(stored.map(({ file }) => file))
    const scores = scorePictures(reward, pictures, texts)
    const images = pictures.map((picture, i) => ({ picture, text: texts[i], reward: scores[i] }))
    const algorithm = new RewardWeighted({ model, trainable, images, pretraining, seed, settings: config })
    const trainer = {
      total: config.updates,
      get done() {
        return algorithm.update
      },
      step: () => ({ ...algorithm.step() }),
      state: () => algorithm.state(),
      load: (state: Parameters<RewardWeighted['load']>[0]) => algorithm.load(state),
    }
    const shown = [...new Set(texts)]
    const sampling = samplingOf(model, { steps: null, eta: null, guidance: null })
    const { metrics, seconds } = await trainToEnd(run, trainer, {
      label: 'reward-weighted',
      checkpointEvery: config.checkpointEvery,
      note: ({ reward_loss: weighted, pretraining_loss: plain }) =>
        `loss ${weighted?.toFixed(4)} pre-training ${plain?.toFixed(4)}`,
      sampleEvery: config.sampleEvery,
      sample: (step) => drawSamples(run, step, model.with(trainable.delta), shown, sampling, seed),
    })
    writePolicy(run.path(policyFileName), model, trainable.parameters, config)
    const { updates, ...last } = metrics
    const meanReward = scores.reduce((sum, score) => sum + score, 0) / scores.length
    const results = { imagesDrawn: images.length, updates, seconds, meanReward, ...last, modelSha256: model.sha256 }
    return finishTraining(run, results)
  })
}

function withoutPretraining(): never {
  throw new ConfigError({
    where: '--pretraining-weight',
    expected: '0 for a model without pre-training data',
    received: 'a positive weight',
    remedy: 'train with --pretraining-weight 0',
  })
}
