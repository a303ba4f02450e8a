/** `reward train`: judgments → a reward, with its quality on prompts that it has not seen, and where it is unsure. */
import { expectFiniteNumbers } from '../../checked.ts'
import { hashOfJson } from '../../content-hash.ts'
import type { Open } from '../../images/open-model.ts'
import { readPicture } from '../../images/png.ts'
import { cutResults } from '../../prompts/cut-prompts.ts'
import { disagreementsName, scoresName, uncertaintiesName } from '../../run-files.ts'
import { startRun, writeFileAtomic, type Manifest } from '../../run.ts'
import { sha256 } from '../../sha256.ts'
import { alone, type Group } from '../../tensor/group.ts'
import { PartFiles } from '../../tensor/part-files.ts'
import { expectSameEverywhere } from '../../tensor/same-everywhere.ts'
import { encoderReward, expectTrainable } from '../encoder-training/encoder-reward.ts'
import { embed } from '../encoding/embeddings.ts'
import { disagreements, largestDifferences } from '../examples/disagreements.ts'
import type { StoredImageFile } from '../examples/read-examples.ts'
import { deviations, scoresOf } from './ensemble.ts'
import { FitCheckpoint } from './fit-checkpoint.ts'
import { fitHeads } from './fit-heads.ts'
import { headReward } from './head-reward.ts'
import { countsOf, readRewardInputs } from './reward-inputs.ts'
import type { RewardTrainConfig } from './reward-train-config.ts'

/** What only an unfinished run needs. */
const scratch = ['embeddings', 'fits']

/** Settings that may be others when a run goes on: embeddings stay, and fits begin again where they depend on them. */
const changeable = [
  ...['learningRate', 'weightDecay', 'checkpointsKept'],
  ...['encoderLearningRate', 'gradientAccumulationSteps', 'gradientCheckpointing'],
]

/** Rows of `disagreements.json`. */
const mostDisagreements = 50

/**
 * Fits the reward with the same settings: on the training prompts, to be measured on the held-out ones; on all judgments,
 * to be used; and the members of the ensemble on resampled prompts. Every judgment that stands counts, also several of one
 * image. Writes the reward, how unsure the ensemble is of each image of the store (`uncertainties.json`), where people
 * and reward disagree (`disagreements.json`), and the scores: of a judged image by fits that have not seen its prompt, where
 * there are any (`scores.json`). The generative model is opened only where no encoder is named.
 *
 * With `trainEncoder` the reward is the encoder itself, trained on the training prompts and measured against the head that
 * was fitted to them; the members of the ensemble stay heads on the frozen encoder.
 *
 * @param group its processes divide the images, the texts and the fits among them, and the first one writes: a fit is made
 *   by one process, and its numbers do not depend on which. The pairs of each update of an encoder are divided too.
 * @throws {RewardError} labels of one class only and no comparison with a better image, or too few prompts to hold any out;
 *   a fit that gives all images one score; no pairs that an encoder could learn from
 * @throws {DivergenceError} a fit that left the finite numbers: what was embedded stays, and no fit of it
 * @throws {ConfigError} no encoder is named and the model brings none
 * @throws {FormatError} an image or a line of distractors cannot be read, or all of these are for other prompts
 * @throws {StoppedError} this process was asked to end; embeddings and fits are kept
 */
export async function trainReward(config: RewardTrainConfig, open: Open, group: Group = alone): Promise<Manifest> {
  const { out, resume, ...settings } = config
  const { feedback, distractorsFile } = config
  const parents = { feedback, ...(distractorsFile === null ? {} : { distractors: distractorsFile }) }
  const options = { folder: out, stage: 'reward train', config: settings, parents, resume, changeable }
  using run = startRun({ ...options, chosen: ['gradientAccumulationSteps'] })
  const isWriter = group.rank === 0
  const tell = (line: string) => {
    if (isWriter) process.stderr.write(`${line}\n`)
  }
  const inputs = await readRewardInputs(config, open, tell)
  const { examples, judged, others, judgments, encoder, shown, hashes } = inputs
  if (config.trainEncoder !== null) expectTrainable(inputs)
  run.dependsOn(hashes)
  run.adopt(0)
  expectSameEverywhere(group, hashes)
  const fileOf = ({ file }: StoredImageFile) => readPicture(file)
  const partsOf = (name: string, images: readonly StoredImageFile[]) =>
    new PartFiles(run.path(`embeddings/${name}`), sha256(encoder.sha256, ...images.map(({ id }) => id)), () =>
      run.keep(),
    )
  using embedded = await embed(encoder, judged, fileOf, inputs.texts, partsOf('judged', judged), group)
  const checkpointOf = (name: string | number, rates: readonly unknown[]) =>
    new FitCheckpoint(run.path(`fits/${name}.safetensors`), {
      key: hashOfJson([hashes, name, ...rates]),
      kept: config.checkpointsKept,
      onWrite: () => run.keep(),
    })
  const rates = [config.learningRate, config.weightDecay]
  using heads = await fitHeads(embedded, inputs, config, { group, checkpointOf: (place) => checkpointOf(place, rates) })

  const checkpoint = checkpointOf('encoder', [config.encoderLearningRate])
  const { trainEncoder } = config
  using made =
    trainEncoder === null
      ? headReward(isWriter ? run : undefined, heads, embedded, inputs, config)
      : await encoderReward(run, heads, embedded, inputs, { ...config, trainEncoder }, { checkpoint, group })

  const writeJson = (name: string, content: unknown) => {
    if (isWriter) writeFileAtomic(run.path(name), `${JSON.stringify(content, null, 1)}\n`)
  }
  const rows = largestDifferences(disagreements(examples, made.scores, made.nu), mostDisagreements)
  writeJson(
    disagreementsName,
    rows.map(({ image, ...rest }) => ({ ...rest, image: judged[image].id })),
  )
  const scoreOf = new Map(judged.map(({ id }, i) => [id, made.scores[i]]))
  const { members } = heads
  if (members.length > 0) {
    const unsure = deviations(members.map(({ head }) => scoresOf(embedded, head, judged)))
    if (others.length > 0) {
      const othersTexts = others.map(({ text }) => text)
      using embeddedOthers = await embed(encoder, others, fileOf, othersTexts, partsOf('others', others), group)
      unsure.push(...deviations(members.map(({ head }) => scoresOf(embeddedOthers, head, others))))
      const given = await made.scoreOthers(others, embeddedOthers)
      for (const [i, { id }] of others.entries()) scoreOf.set(id, given[i])
    }
    const ids = [...judged, ...others].map(({ id }) => id)
    writeJson(uncertaintiesName, Object.fromEntries(ids.map((id, i) => [id, unsure[i]])))
  }
  writeJson(scoresName, Object.fromEntries(scoreOf))
  for (const line of made.words) tell(line)
  const results = {
    ...countsOf(examples, judgments),
    encoder: { name: encoder.name, sha256: encoder.sha256 },
    ...made.facts,
    ensemble: members.length,
    prompts: shown.distractors.size,
    ...cutResults(inputs.cut),
    promptsWithDistractors: inputs.promptsWithDistractors,
    heldOut: made.heldOut,
    ...run.changes(),
    note: made.note,
  }
  expectFiniteNumbers('results', results)
  return run.finish(results, scratch)
}
