/** `policy dpok`: online fine-tuning on a reward, regularised to the pre-trained model. */
import { z } from 'zod'
import { hashOfJson } from '../content-hash.ts'
import { samplerOf } from '../images/draw.ts'
import { promptFields, readKnownPrompts } from '../images/known-prompts.ts'
import { expectScaledPolicy, modelFields, samplingFields, samplingOf, type Open } from '../images/open-model.ts'
import { openReward, rewardFields } from '../reward/open-reward.ts'
import type { Manifest } from '../run.ts'
import { loweredRate } from '../tensor/optimise.ts'
import { Dpok, dpokFields } from './dpok.ts'
import { openChange, writePolicy } from './policy-file.ts'
import { drawSamples, openProbe, type Probe } from './sample-images.ts'
import { trainableChange, trainableFields } from './trainable.ts'
import { fileInput, modelInput } from './training-inputs.ts'
import {
  changeableFields,
  finishTraining,
  inTrainingRun,
  trainingRunFields,
  trainToEnd,
  type Trainer,
} from './training-run.ts'
import { farAndWorse, type RewardRow } from './training-warnings.ts'
import { valueName } from './value.ts'

/** Settings of `policy dpok`. */
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

const stage = 'policy dpok'
const changeable = [...changeableFields, 'valueLearningRate', 'klWeight', 'batchSize']

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
  expectScaledPolicy(config)
  const { prompts: file, policy: start, seed } = config
  const parents = {
    ...(file === null ? {} : { prompts: file }),
    reward: config.reward,
    ...(start === null ? {} : { policy: start }),
  }
  return inTrainingRun({ folder: out, stage, config: settings, parents, resume, changeable }, async (run) => {
    const opened = await open(config)
    const { model } = opened
    const known = await readKnownPrompts(config, opened)
    const texts = known.prompts.map(({ text }) => text)
    const reward = await openReward(config.reward, config, () => Promise.resolve(opened))
    const sampling = samplingOf(model, config)
    const earlier = start === null ? undefined : openChange(model, start, config)
    const trainable = trainableChange(model, config, seed, earlier)
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
    const trainer: Trainer = {
      total: dpok.iterations,
      get done() {
        return dpok.iteration
      },
      parameters: trainable.parameters,
      policy: dpok.policy,
      step: () => ({ ...dpok.iterate() }),
      state: () => dpok.state(),
      load: (state) => dpok.load(state),
      lowerRates(where): Record<string, number> | undefined {
        // The first roll-outs are those of the policy that the run began with.
        if (where.startsWith('drawing') && dpok.iteration === 0) return undefined
        if (where.startsWith(valueName)) {
          return {
            valueLearningRate: loweredRate(config.valueLearningRate, dpokFields.valueLearningRate.parse(undefined)),
          }
        }
        return { learningRate: dpok.lowerRate }
      },
    }
    const probe = await openProbe(config, opened, judge)
    const { metrics, seconds, notes } = await trainToEnd(run, trainer, {
      label: 'dpok',
      stage,
      inputs: {
        model: modelInput(config.model, model),
        reward: reward.sha256,
        prompts: hashOfJson(texts),
        ...(earlier && { 'policy that it starts from': fileInput(earlier.file) }),
      },
      warningOf: (rows) => farAndWorse(rows.filter((row): row is typeof row & RewardRow => 'reward_mean' in row)),
      checkpointEvery: config.checkpointEvery,
      note: ({ reward_mean: mean, kl }) => `reward ${mean?.toFixed(3)} KL ${kl?.toFixed(2)} nats`,
      sampleEvery: config.sampleEvery,
      sample: (step) =>
        drawSamples(run, step, model.with(trainable.change), texts, { sampling, seed, samples: config.samples, probe }),
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
    return finishTraining(run, { ...counts, ...last, ...sampling, modelSha256: model.sha256, ...notes })
  })
}
