/** The reward that is a trained encoder: written, and measured against the head on the frozen one. */
import { mean } from 'simple-statistics'
import { Disposables } from '../../disposables.ts'
import { ConfigError } from '../../errors.ts'
import { asOutOfMemory, type Room } from '../../images/at-once.ts'
import { readPicture } from '../../images/png.ts'
import type { Run } from '../../run.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Group } from '../../tensor/group.ts'
import { embed, textRows, type Embedded } from '../encoding/embeddings.ts'
import { heldOutWords } from '../examples/held-out-words.ts'
import { expectDecided, preferencesOf } from '../examples/preferences.ts'
import type { StoredImageFile } from '../examples/read-examples.ts'
import type { Comparison } from '../examples/reward-examples.ts'
import { rewardFileName } from '../reward-file.ts'
import { expectTeaching } from '../teaching-scores.ts'
import type { FitCheckpoint } from '../training/fit-checkpoint.ts'
import type { FittedHeads } from '../training/fit-heads.ts'
import { notMeasured } from '../training/head-reward.ts'
import { accuracyGain, clipScoreMargins, headMargins, noLabels, qualityOfMargins } from '../training/measure-reward.ts'
import type { Ends } from '../training/prompt-interval.ts'
import type { RewardInputs } from '../training/reward-inputs.ts'
import type { RewardMade } from '../training/reward-made.ts'
import type { RewardTrainConfig } from '../training/reward-train-config.ts'
import { ownEncoderName, writeEncoder } from './encoder-file.ts'
import type { EncoderTrainingSettings } from './fields.ts'
import { pairsAtOnce, withParts } from './memory.ts'
import { splitPairs } from './split-pairs.ts'
import { logScaleName } from './trained-encoder.ts'
import { trainEncoder, type TrainedToEnd } from './train-encoder.ts'

/** The head on the frozen encoder that was fitted to the same judgments, on the same held-out pairs. */
interface AgainstFrozen {
  readonly frozenHead: {
    readonly head: string
    readonly pairAccuracy: number
    readonly pairAccuracyInterval: Ends | null
  }
  /** Share of right pairs of the trained encoder less that of the frozen head. */
  readonly gain: number
  readonly gainInterval: Ends | null
  /** The interval lies above 0. */
  readonly isBetter: boolean
}

interface Training {
  readonly checkpoint: FitCheckpoint
  readonly group: Group
}

/**
 * @param run into which it is written by the first process
 * @param inputs of which {@link expectTrainable} thinks well
 * @throws {RewardError} all images have one score
 * @throws {DivergenceError | OutOfMemoryError | StoppedError} from its training
 */
export async function encoderReward(
  run: Run,
  { measured }: FittedHeads,
  embedded: Embedded,
  inputs: RewardInputs,
  config: RewardTrainConfig & EncoderTrainingSettings,
  { checkpoint, group }: Training,
): Promise<RewardMade> {
  const { encoder, judged, examples, split, shown, head } = inputs
  const { seed, gradientCheckpointing } = config
  const tuning = encoder.tuning!
  const pairs = splitPairs(preferencesOf(split?.training ?? examples), seed)
  const room: Room = { stage: 'reward train', device: encoder.device, checkpoints: gradientCheckpointing, group }
  const settings = withParts(run, encoder, config, pairs.training.length, room)
  const read = (image: number) => readPicture(judged[image].file)
  const options = { tuning, pairs, wordings: shown.wordings, read, settings, seed, checkpoint, group }
  using kept = new Disposables()
  const trained = kept.use(
    await trainEncoder(options).catch((error: unknown) => {
      const counts = { pairs: pairs.training.length, processes: group.size }
      throw asOutOfMemory(error, run, room, () => pairsAtOnce(encoder, settings, counts))
    }),
  )
  if (group.rank === 0) {
    const encoderPath = config.encoder ?? undefined
    const own = { trained: config.trainEncoder, adapterScale: config.loraAlpha / config.rank }
    run.path(ownEncoderName)
    writeEncoder(run.path(rewardFileName), { encoder, encoderPath, parameters: trained.parameters, ...own })
  }
  const scores = await scoresOf(trained, judged, group)
  expectTeaching('the trained encoder', scores, { remedy: 'nothing was learned; lower --encoder-learning-rate' })
  const held = split === undefined ? [] : preferencesOf(split.heldOut)
  const margins = (of: readonly number[]) => held.map(({ better, worse }) => of[better] - of[worse])
  const quality = split && {
    ...{ prompts: split.prompts, ...noLabels },
    ...qualityOfMargins(held, { reward: margins(scores), clipScore: clipScoreMargins(embedded, held) }, seed),
  }
  const against = measured && againstFrozen(held, margins(scores), headMargins(embedded, measured.head, held), head, seed) // prettier-ignore
  const share = sharesWithinPrompts(scores, judged)
  const own = kept.move()
  return {
    scores: share(scores, judged),
    scoreOthers: async (others) => share(await scoresOf(trained, others, group), others),
    [Symbol.dispose]: () => own[Symbol.dispose](),
    nu: null,
    heldOut: quality ? { ...quality, ...against } : null,
    words: [
      trainingWords(trained),
      ...(quality ? heldOutWords(quality.prompts, quality) : [notMeasured]),
      ...(against === undefined ? [] : [againstWords(against)]),
    ],
    facts: { head: null, nu: null, clipShare: null, mixture: null, encoderTraining: trained.facts },
    note:
      'heldOut is of the encoder that was written, on pairs of prompts that it has not seen; scores compare images of one prompt.' +
      (against === undefined || against.isBetter ? '' : ` ${notBetter}`),
  }
}

const notBetter = 'The trained encoder is not shown to order pairs better than the head on the frozen one.'

/** s of images for their prompts. */
async function scoresOf(trained: TrainedToEnd, images: readonly StoredImageFile[], group: Group): Promise<number[]> {
  const texts = images.map(({ text }) => text)
  using embedded = await embed(trained.encoder, images, ({ file }) => readPicture(file), texts, undefined, group)
  using _scope = tensorScope()
  const scale = Math.exp(trained.parameters.get(logScaleName)!.item())
  return embedded.images.mul(textRows(embedded, texts)).sum(1).mul(scale).toArray()
}

/** σ(s − mean s of the judged images of the prompt): the chance of an image against a middling one, ½ where none is judged. */
function sharesWithinPrompts(scores: readonly number[], judged: readonly StoredImageFile[]) {
  const places = Map.groupBy(judged.keys(), (place) => judged[place].text)
  const means = new Map([...places].map(([text, own]) => [text, mean(own.map((place) => scores[place]))]))
  return (some: readonly number[], images: readonly StoredImageFile[]): number[] =>
    some.map((score, i) => 1 / (1 + Math.exp((means.get(images[i].text) ?? score) - score)))
}

/** Undefined where no held-out pair says which image is better. */
function againstFrozen(
  held: readonly Comparison[],
  own: readonly number[],
  frozen: readonly number[],
  head: string,
  seed: number,
): AgainstFrozen | undefined {
  const gained = accuracyGain(held, own, frozen, seed)
  if (gained === undefined) return undefined
  const { pairAccuracy, pairAccuracyInterval } = qualityOfMargins(held, { reward: frozen, clipScore: frozen }, seed)
  return {
    frozenHead: { head, pairAccuracy: pairAccuracy!, pairAccuracyInterval },
    ...gained,
    isBetter: gained.gainInterval !== null && gained.gainInterval[0] > 0,
  }
}

function trainingWords({ facts }: TrainedToEnd): string {
  const { updates, updateTaken, validationPairs } = facts
  if (validationPairs === 0)
    return `note: all pairs that say which image is better are of one prompt, so none could say when the encoder is best; its weights are those after ${updates} updates`
  if (updateTaken > 0) return `the encoder is that after ${updateTaken} of ${updates} updates, which foretells pairs of prompts that it was not trained on best` // prettier-ignore
  return `warning: no update made the encoder foretell pairs of other prompts better: it is as it was; judge more images, of more prompts`
}

function againstWords({ frozenHead, gain, gainInterval, isBetter }: AgainstFrozen): string {
  const figure = (value: number) => value.toFixed(3)
  const within = gainInterval === null ? '' : ` (${figure(gainInterval[0])} to ${figure(gainInterval[1])})`
  const said = `the head on the frozen encoder orders ${figure(frozenHead.pairAccuracy)} of these pairs right: the trained encoder is ahead by ${figure(gain)}${within}`
  return isBetter ? said : `note: ${said}. ${notBetter}`
}

/**
 * @throws {ConfigError} an encoder that cannot be trained
 * @throws {RewardError} no pairs of the training say which image is better
 */
export function expectTrainable({ encoder, split, examples }: RewardInputs): void {
  expectDecided(preferencesOf(split?.training ?? examples))
  if (encoder.tuning !== undefined) return
  throw new ConfigError({
    where: '--train-encoder',
    expected: 'an encoder whose weights can be changed',
    received: encoder.name,
    remedy: 'name a CLIPModel with --encoder, or leave this out',
  })
}
