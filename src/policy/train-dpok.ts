/** `policy dpok`: online fine-tuning on a reward, regularised to the pre-trained model. */
import { z } from 'zod'
import { samplerOf } from '../images/draw.ts'
import { promptFields, readKnownPrompts } from '../images/known-prompts.ts'
import { modelFields, samplingFields, samplingOf, type Open } from '../images/open-model.ts'
import { openReward, rewardFields } from '../reward/open-reward.ts'
import type { Manifest } from '../run.ts'
import { Dpok, dpokFields } from './dpok.ts'
import { openPolicy, writePolicy } from './policy-file.ts'
import { drawSamples, openProbe, type Probe } from './sample-images.ts'
import { trainableDelta, trainableFields } from './trainable.ts'
import { finishTraining, inTrainingRun, trainingRunFields, trainToEnd } from './training-run.ts'

export const DpokConfig = z.strictObject({
  ...promptFields,
  ...rewardFields,
  ...dpokFields,
  ...trainableFields,
  ...samplingFields,
  ...modelFields,
  ...trainingRunFields,
})
export type DpokConfig = z.infer<typeof DpokConfig>

/**
 * Trains a policy with DPOK. A step is one iteration: roll-outs, updates, fit of the value function.
 *
 * @param judge measures the sample images; it is shown what is drawn, and the training nothing of what it says
 * @throws {VocabularyError} names file and line of a prompt that the model cannot read
 * @throws {FormatError} a reward of another encoder, or a policy of another model
 * @throws {RewardError} a constant reward, or one that is not finite
 */
export function trainDpok(config: DpokConfig, open: Open, judge?: Probe): Promise<Manifest> {
  const { out, resume, ...settings } = config
  const { prompts: file, policy: start, seed } = config
  const parents = {
    ...(file === null ? {} : { prompts: file }),
    reward: config.reward,
    ...(start === null ? {} : { policy: start }),
  }
  return inTrainingRun({ folder: out, stage: 'policy dpok', config: settings, parents, resume }, async (run) => {
    const opened = await open(config)
    const { model } = opened
    const known = await readKnownPrompts(config, opened)
    const texts = known.prompts.map(({ text }) => text)
    const reward = await openReward(config.reward, config, () => Promise.resolve(opened))
    const sampling = samplingOf(model, config)
    const earlier = start === null ? undefined : openPolicy(model, start)
    const trainable = trainableDelta(model, config, seed, earlier)
    const dpok = new Dpok({
      model,
      trainable,
      reward,
      texts,
      sampler: samplerOf(model, sampling),
      guidance: sampling.guidance,
      seed,
      settings: config,
    })
    const trainer = {
      total: dpok.iterations,
      get done() {
        return dpok.iteration
      },
      step: () => ({ ...dpok.iterate() }),
      state: () => dpok.state(),
      load: (state: Parameters<Dpok['load']>[0]) => dpok.load(state),
    }
    const probe = await openProbe(config, opened, judge)
    const { metrics, seconds } = await trainToEnd(run, trainer, {
      label: 'dpok',
      checkpointEvery: config.checkpointEvery,
      note: ({ reward_mean: mean, kl }) => `reward ${mean?.toFixed(3)} KL ${kl?.toFixed(2)} nats`,
      sampleEvery: config.sampleEvery,
      sample: (step) =>
        drawSamples(run, step, model.with(trainable.delta), texts, { sampling, seed, samples: config.samples, probe }),
    })
    const { images_drawn: imagesDrawn, updates, ...last } = metrics
    writePolicy((name) => run.path(name), model, trainable, {
      algorithm: 'dpok',
      reward: reward.name,
      seed,
      updates,
      klWeight: config.klWeight,
    })
    const counts = { imagesDrawn, updates, seconds, ...known.results }
    return finishTraining(run, { ...counts, ...last, ...sampling, modelSha256: model.sha256 })
  })
}
