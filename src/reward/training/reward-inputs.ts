/** What a run of `reward train` learns from: judgments, the encoder that reads their images, and the texts that are shown. */
import { hashOfJson } from '../../content-hash.ts'
import { ConfigError, FormatError } from '../../errors.ts'
import type { Open } from '../../images/open-model.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { cutPrompts, cutSentence, type CutPrompts } from '../../prompts/cut-prompts.ts'
import { readDistractors } from '../../prompts/distractors-file.ts'
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import type { Judgment } from '../../records.ts'
import { openEncoder } from '../encoding/open-encoder.ts'
import { readExamples, type StoredExamples } from '../examples/read-examples.ts'
import { expectTellsApart, promptsOf, type RewardExamples } from '../examples/reward-examples.ts'
import { shownTexts, tellingWeight, textsIn, type ShownTexts } from '../examples/shown-texts.ts'
import { splitByPrompt, type PromptSplit } from '../examples/split-by-prompt.ts'
import type { HeadKind } from '../heads/reward-head.ts'
import type { RewardTrainConfig } from './reward-train-config.ts'

export interface RewardInputs extends Omit<StoredExamples, 'unreadable' | 'misread'> {
  readonly encoder: ImageTextEncoder
  readonly head: HeadKind
  /** Undefined where nothing is held out. */
  readonly split: PromptSplit | undefined
  /** Of all prompts, and of those of the training where some are held out. */
  readonly shown: ShownTexts
  readonly shownInTraining: ShownTexts | undefined
  /** All that may be shown. */
  readonly texts: readonly string[]
  readonly promptsWithDistractors: number
  readonly cut: CutPrompts | undefined
  /** SHA-256 of what the run depends on beside its settings. */
  readonly hashes: Readonly<Record<string, string>>
}

/**
 * @param tell hears of what is left out
 * @throws {RewardError} judgments that tell no image from another, or too few prompts to hold any out
 * @throws {ConfigError} no encoder is named and the model brings none
 * @throws {FileError | FormatError} store, encoder or distractors
 */
export async function readRewardInputs(
  config: RewardTrainConfig,
  open: Open,
  tell: (line: string) => void,
): Promise<RewardInputs> {
  const { feedback, distractorsFile, seed } = config
  const own = config.encoder === null ? await ownEncoder(config, open) : undefined
  const { unreadable, misread, ...stored } = await readExamples(feedback, own?.encoder.canRead)
  const { examples, judged, judgments } = stored
  if (unreadable > 0) tell(unreadableWords(unreadable))
  expectTellsApart(examples)
  const split = config.heldOut === 0 ? undefined : splitByPrompt(examples, config.heldOut, seed)
  const given = distractorsFile === null ? undefined : await givenDistractors(distractorsFile, promptsOf(examples))
  const { encoder, vocabulary } = own ?? { encoder: openEncoder(config.encoder!, config) }
  const shownFor = (part: RewardExamples) =>
    shownTexts(
      promptsOf(part).map((text) => ({ text })),
      seed,
      { vocabulary, given, misread },
    )
  const shown = shownFor(examples)
  const shownInTraining = split && shownFor(split.training)
  const texts = [shown, shownInTraining].flatMap((each) => (each === undefined ? [] : textsIn(each)))
  const promptsWithDistractors = [...shown.distractors.values()].filter((wrong) => wrong.length > 0).length
  if (config.classificationWeight > 0) {
    if (promptsWithDistractors < shown.distractors.size)
      tell(distractorWords(promptsWithDistractors, shown.distractors.size))
    if (shown.telling.size > 0) tell(tellingWords(shown.telling.size))
  }
  const cut = encoder.textLength && cutPrompts([...new Set(texts)], (text) => encoder.textLength!(text))
  if (cut !== undefined) tell(`reward: ${cutSentence(cut)}`)
  return {
    ...stored,
    ...{ encoder, split, shown, shownInTraining, texts, promptsWithDistractors, cut },
    head: config.head ?? (config.encoder === null ? 'agreement' : 'mlp'),
    hashes: {
      judgments: hashOfJson([judgments, judged.map(({ id }) => id)]),
      encoder: encoder.sha256,
      ...(given && { distractors: hashOfJson([...given]) }),
    },
  }
}

/** @throws {ConfigError} the model brings none */
async function ownEncoder(
  config: RewardTrainConfig,
  open: Open,
): Promise<{ readonly encoder: ImageTextEncoder; readonly vocabulary?: PromptVocabulary | undefined }> {
  const { encoder, vocabulary } = await open(config)
  if (encoder !== undefined) return { encoder, vocabulary }
  throw new ConfigError({
    where: '--encoder',
    expected: 'a CLIPModel: a folder, or owner/name in the Hugging Face cache',
    received: 'nothing',
    remedy: `name one, such as openai/clip-vit-large-patch14: ${config.model} brings no encoder of its own`,
  })
}

/** What the results say that was learned from. */
export function countsOf({ comparisons }: RewardExamples, judgments: readonly Judgment[]) {
  const answers = (answer: Judgment['answer']) => judgments.filter((judgment) => judgment.answer === answer).length
  const kinds = (kind: Judgment['kind']) => judgments.filter((one) => one.kind === kind && one.answer !== 'skip').length
  const [good, bad] = [answers('good'), answers('bad')]
  return {
    labels: good + bad,
    good,
    bad,
    skipped: answers('skip'),
    pairs: kinds('pair'),
    rankings: kinds('ranking'),
    ratings: kinds('rating'),
    comparisons: comparisons.length,
    ties: comparisons.filter(({ isTie }) => isTie).length,
    raters: new Set(judgments.map(({ rater }) => rater)).size,
    simulated: judgments.some(({ raterKind }) => raterKind === 'simulated'),
  }
}

async function givenDistractors(
  file: string,
  prompts: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const given = await readDistractors(file)
  if (prompts.some((text) => given.has(text))) return given
  throw new FormatError({
    where: file,
    expected: `prompts that have labels, such as "${prompts[0]}"`,
    received: `${given.size} other prompts`,
    remedy: 'write each prompt as it was drawn',
  })
}

function unreadableWords(prompts: number): string {
  const remedy = 'name an encoder that reads any text with --encoder'
  return `note: images of ${prompts} prompts are left out, whose words the encoder does not know; ${remedy}`
}

function tellingWords(prompts: number): string {
  const of = prompts === 1 ? '1 prompt' : `${prompts} prompts`
  return `reward: raters marked misread words of ${of}; distractors that change them have ${tellingWeight} times the weight`
}

function distractorWords(some: number, all: number): string {
  const remedy = 'add wrong prompts for the others with --distractors-file'
  return `note: prompt classification has distractors for ${some} of ${all} prompts; ${remedy}`
}
