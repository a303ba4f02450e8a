/** The stages that train a policy: what all methods have in common, from the settings to the manifest. */
import { z } from 'zod'
import { hashOfJson } from '../content-hash.ts'
import { ConfigError, FileError } from '../errors.ts'
import { samplerOf } from '../images/draw.ts'
import { asOutOfMemory } from '../images/at-once.ts'
import { imageParents, readImages } from '../images/image-run.ts'
import { promptFields, readKnownPrompts, type PromptSource } from '../images/known-prompts.ts'
import { expectScaledPolicy, modelFields, samplingFields, samplingOf, type Open } from '../images/open-model.ts'
import { trainingImagesFields } from '../images/training-images.ts'
import type { gradientCheckpointingField } from '../networks/adapters.ts'
import { comparableOf } from '../reward/across-prompts.ts'
import { drawnBaseImages, givenBaseImages } from '../reward/composition/base-images.ts'
import { rewardResults, rewardInRun, rewardParents } from '../reward/composition/reward-in-run.ts'
import { expectGradients, rewardFields } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { tellNote } from '../notes.ts'
import type { Manifest, Run } from '../run.ts'
import { algorithmOf, takesInput, type PolicyStage, type stages } from '../stages.ts'
import { alone, type Group } from '../tensor/group.ts'
import { toldAlarms } from './alarms/alarm-record.ts'
import { expectAlarms, expectOther, openAlarms, watchedFields } from './alarms/open-alarms.ts'
import type { All, AnyAlgorithm, Drawing, TrainingInput } from './algorithm.ts'
import { algorithms } from './algorithms/index.ts'
import { judgedImages, judgedImagesScratch, readPairs } from './judged-images.ts'
import { openChange, writePolicy, type PolicyProvenance } from './policy-file.ts'
import { pretrainingImages, pretrainingScratch, type PretrainingConfig } from './pretraining-images.ts'
import { drawSamples, openProbe, type Probe } from './sample-images.ts'
import { scoredImages, scoredImagesScratch } from './scored-images.ts'
import { shownChange, trainableChange, trainableFields } from './trainable.ts'
import { fileInput, imagesInput, modelInput } from './training-inputs.ts'
import { chooseTrained, trainedAtOnce } from './training-memory.ts'
import { changeableFields, finishTraining, inTrainingRun, trainingRunFields, trainToEnd } from './training-run.ts'

/** Config fields that name what a stage takes. */
const imagesField = {
  images: z.array(z.string().min(1)).min(1).describe('Run folders of generated images, labelled or not.'),
}
const pairsField = {
  feedback: z.string().min(1).describe('Feedback store, a SQLite file.'),
}
/** Names that no setting of a method may have. */
const sharedFields = {
  ...imagesField,
  ...pairsField,
  ...promptFields,
  ...rewardFields,
  ...trainableFields,
  ...samplingFields,
  ...trainingImagesFields,
  ...modelFields,
  ...trainingRunFields,
}
type CommonFields = typeof trainableFields & typeof modelFields & typeof trainingRunFields

type Output<Fields extends z.ZodRawShape> = z.output<z.ZodObject<Fields>>
interface InputSettings {
  readonly prompts: Output<typeof promptFields> & Output<typeof samplingFields>
  readonly images: Output<typeof imagesField> & Output<typeof samplingFields>
  readonly pairs: Output<typeof pairsField>
  readonly 'pretraining images': Output<typeof trainingImagesFields>
  readonly reward: Output<typeof rewardFields>
}
type OwnSettings<A> = A extends () => Promise<{ readonly fields: infer Fields extends z.ZodRawShape }>
  ? Output<Fields>
  : never
/** Settings of the stages that train a policy. */
export type PolicyConfig<S extends PolicyStage> = Output<CommonFields> &
  All<InputSettings[(typeof stages)[S]['takes'][number] & TrainingInput]> &
  OwnSettings<(typeof algorithms)[S]>

/** Settings of every method, and those that only some have. */
type Settings = Output<CommonFields> &
  Partial<
    All<InputSettings[TrainingInput]> &
      Pick<PretrainingConfig, 'pretrainingWeight'> &
      Output<typeof gradientCheckpointingField>
  >

/**
 * The config schema of a stage, from what it takes and from its method's settings.
 *
 * @throws {ConfigError} a setting of the method has the name of a shared one
 */
export async function policySchema<S extends PolicyStage>(stage: S): Promise<z.ZodType<PolicyConfig<S>> & z.ZodObject> {
  const { fields, checkpointEvery, followsGradient }: AnyAlgorithm = await algorithms[stage]()
  const takes = (input: TrainingInput) => takesInput(stage, input)
  const taken = Object.keys(fields).find((name) => Object.hasOwn(sharedFields, name))
  if (taken !== undefined) {
    throw new ConfigError({
      where: `${stage} ${taken}`,
      expected: 'a name of its own for each setting of the method',
      received: 'that of a setting which stages have in common',
      remedy: 'rename it in the file of the method',
    })
  }
  const schema: z.ZodObject = z.strictObject({
    ...(takes('images') && imagesField),
    ...(takes('pairs') && pairsField),
    ...(takes('prompts') && promptFields),
    ...(takes('reward') && rewardFields),
    ...fields,
    ...trainableFields,
    ...((takes('prompts') || takes('images')) && samplingFields),
    ...(takes('pretraining images') && trainingImagesFields),
    ...modelFields,
    ...trainingRunFields,
    ...(followsGradient && watchedFields),
    checkpointEvery: trainingRunFields.checkpointEvery.default(checkpointEvery),
  })
  return schema as z.ZodType<PolicyConfig<S>> & z.ZodObject
}

/** What a training may be given beside its settings. */
export interface Company {
  /** Measures the sample images; it is shown what is drawn, and the training nothing of what it says. */
  readonly judge?: Probe
  /** Its processes share the work where the method can: all train, and the first one writes. */
  readonly group?: Group
  /** What takes the place of the reward that the settings name. */
  readonly changeReward?: (reward: Reward) => Reward
}

/**
 * Trains a policy.
 *
 * @param config as {@link policySchema} reads it
 * @throws {VocabularyError} names file and line of a prompt that the model cannot read
 * @throws {FormatError} a reward of another encoder, or a policy of another model
 * @throws {RewardError} rewards from which nothing can be learned
 * @throws {ConfigError} a setting that does not fit the others, or a loss on pre-training images that are not there
 */
export function trainPolicy<S extends PolicyStage>(
  stage: S,
  config: PolicyConfig<S>,
  open: Open,
  company: Company = {},
): Promise<Manifest> {
  return train(stage, config as Settings & PolicyConfig<S>, open, company)
}

async function train(
  stage: PolicyStage,
  config: Settings,
  open: Open,
  { judge, group = alone, changeReward = (reward) => reward }: Company,
): Promise<Manifest> {
  const algorithm: AnyAlgorithm = await algorithms[stage]()
  const takes = (input: TrainingInput) => takesInput(stage, input)
  const { out, resume, ...settings } = config
  const { seed, policy: start, heldOutReward: heldOutName } = config
  expectScaledPolicy(config)
  expectAlarms(config)
  const parents = {
    ...(takes('images') && imageParents(config.images!)),
    ...(takes('pairs') && { feedback: config.feedback! }),
    ...(config.prompts && { prompts: config.prompts }),
    ...(config.reward && rewardParents(config.reward)),
    ...(start !== null && { policy: start }),
  }
  const changeable = [...changeableFields, ...algorithm.changeable]
  const { chosen } = algorithm
  return inTrainingRun({ folder: out, stage, config: settings, parents, resume, changeable, chosen }, async (run) => {
    const stored = takes('images') ? await readImages(...config.images!) : undefined
    const opened = await open(config)
    const { model } = opened
    const paired = takes('pairs') ? await readPairs(config.feedback!, opened.encoder?.canRead) : undefined
    const known = takes('prompts') ? await readKnownPrompts(config as PromptSource, opened) : undefined
    const texts = known?.prompts.map(({ text }) => text)
    const { steps = null, eta = null, guidance = null } = config
    const sampling = samplingOf(model, { steps, eta, guidance })
    const judged = stored?.map(({ record: { text }, file }) => ({ text, file })) ?? paired?.images
    const base = () => (texts ? drawnBaseImages(opened, texts, sampling) : givenBaseImages(judged!))
    const opening = { run, config, open: () => Promise.resolve(opened), base, group }
    const taught = takes('reward') ? await rewardInRun(config.reward!, 'reward', opening) : undefined
    const reward = taught && changeReward(taught.reward)
    if (reward && algorithm.followsGradient) expectGradients(reward)
    const heldOut = heldOutName === null ? undefined : await rewardInRun(heldOutName, 'held-out-reward', opening)
    if (heldOut) expectOther(heldOut.reward, reward)
    const earlier = start === null ? undefined : openChange(model, start, config)
    const trainable = trainableChange(model, config, seed, earlier)
    const pretraining = takes('pretraining images')
      ? await keepingParts(run, () => pretrainingImages(run, config as PretrainingConfig, opened, group))
      : undefined
    const inputs = {
      model: modelInput(config.model, model),
      ...(reward && { reward: reward.sha256 }),
      ...(heldOut && { 'held-out reward': heldOut.reward.sha256 }),
      ...(stored && {
        images: imagesInput(
          stored.map(({ record: { text }, file }) => ({ text, file })),
          group,
        ),
      }),
      ...(paired && { images: imagesInput(paired.images, group), pairs: hashOfJson(paired.pairs) }),
      ...(texts && { prompts: hashOfJson(texts) }),
      ...(earlier && { 'policy that it starts from': fileInput(earlier.file) }),
      ...pretraining?.inputs,
    }
    run.dependsOn(inputs)
    const given = {
      ...{ model, trainable, seed, settings: { ...config, ...run.open }, group },
      ...(reward && { reward }),
      ...(texts && { texts }),
      ...((texts ?? stored) && { sampler: samplerOf(model, sampling), guidance: sampling.guidance }),
      ...(pretraining && { pretraining: pretraining.source }),
    }
    const room = { stage, device: model.device, checkpoints: config.gradientCheckpointing, group }
    const settings = chooseTrained(run, algorithm, given, sampling, room)
    const tried = () => trainedAtOnce(algorithm, { ...given, settings }, sampling)
    try {
      const key = hashOfJson([inputs.model, inputs.reward, inputs.images])
      const scored = stored && (await keepingParts(run, () => scoredImages(run, model, reward!, stored, key, group)))
      const pairStates = paired && (await keepingParts(run, () => judgedImages(run, model, paired.images, key, group)))

      const trainer = algorithm.begin({
        ...given,
        settings,
        ...(scored && { images: scored.images, states: scored.states }),
        ...(paired && { pairs: paired.pairs, states: pairStates }),
      } as never)
      scored?.keep()
      const ofImages = stored?.map(({ record }) => record.text) ?? paired?.images.map(({ text }) => text)
      const shown = texts ?? [...new Set(ofImages)]
      const scorer = async (name: string) => (await rewardInRun(name, 'scorer', opening)).reward
      const probe = await openProbe(config.scorer, scorer, judge)
      const { parameters, change } = shownChange(trainable)
      const shownTrainer = { policy: model.with(change), parameters, total: trainer.total }
      const work = algorithm.work && ((drawing: Drawing) => algorithm.work!(settings as never, drawing))
      const common = { model, trainer: shownTrainer, texts: shown, sampling, seed, group }
      const alarms = openAlarms({ ...common, reward, heldOutReward: heldOut?.reward, settings, work })
      const { metrics, cost, seconds, notes } = await trainToEnd(run, trainer, {
        label: algorithmOf(stage),
        stage,
        inputs,
        warningOf: (rows) => algorithm.warningOf(rows),
        checkpointEvery: config.checkpointEvery,
        checkpointsKept: config.checkpointsKept,
        note: (metrics) => algorithm.note(metrics),
        group,
        ...(alarms && { watch: alarms }),
        sampleEvery: config.sampleEvery,
        sample: (step) =>
          drawSamples(run, step, shownTrainer.policy, shown, { sampling, seed, samples: config.samples, probe }),
      })

      const { images_drawn: _drawn, updates, ...last } = metrics
      const recorded = algorithm.recorded.map((field) => [field, config[field as keyof Settings]])
      const provenance: PolicyProvenance = {
        algorithm: algorithmOf(stage),
        ...(reward && { reward: reward.name }),
        seed,
        updates,
        ...(Object.fromEntries(recorded) as PolicyProvenance),
      }
      if (group.rank === 0) writePolicy((name) => run.path(name), model, shownChange(trainable), provenance)
      const results = {
        imagesDrawn: cost.images_drawn ?? stored?.length,
        updates: cost.updates,
        seconds,
        ...known?.results,
        ...(scored && { meanReward: scored.meanReward }),
        ...trainer.results,
        ...inCamelCase(last),
        ...(texts && sampling),
        modelSha256: model.sha256,
        ...(reward && { rewardComparable: comparableOf(reward) }),
        ...rewardResults({ reward: taught, heldOutReward: heldOut }),
        ...alarms?.results,
        ...notes,
      }
      const told = toldAlarms(results)
      if (told !== undefined) tellNote(`the policy ${told}`)
      return finishTraining(run, results, [
        ...(scored ? scoredImagesScratch : []),
        ...(paired ? judgedImagesScratch : []),
        ...(pretraining ? pretrainingScratch : []),
      ])
    } catch (error) {
      throw asOutOfMemory(error, run, room, tried)
    }
  })
}

/** The names of metrics, `reward_mean`, as those of results, `rewardMean`. */
const inCamelCase = <V>(metrics: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )

/** Encodes images of a run; what was encoded stays where the disk was the fault. */
async function keepingParts<T>(run: Run, encode: () => Promise<T>): Promise<T> {
  try {
    return await encode()
  } catch (error) {
    if (error instanceof FileError) run.keep()
    throw error
  }
}
