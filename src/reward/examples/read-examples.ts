/** What a feedback store teaches a reward, with the images that it is about. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openExistingFeedback } from '../../feedback/store/feedback-file.ts'
import { trainingJudgments } from '../../feedback/training-judgments.ts'
import type { Judgment } from '../../records.ts'
import { misreadWords, type MisreadWords } from './misread-words.ts'
import type { RewardExamples } from './reward-examples.ts'
import { examplesOfJudgments } from './examples-of-judgments.ts'

export interface StoredImageFile {
  readonly id: string
  readonly text: string
  readonly file: string
}

export interface StoredExamples {
  /** Their images are places in `judged`. */
  readonly examples: RewardExamples
  /** Images of the examples, in order of appearance. */
  readonly judged: readonly StoredImageFile[]
  /** The other images of the store, as far as their files are there. */
  readonly others: readonly StoredImageFile[]
  /** All that may train, skips too. */
  readonly judgments: readonly Judgment[]
  readonly misread: MisreadWords
  /** How many prompts cannot be read; their images and the judgments of them are left out. */
  readonly unreadable: number
}

/**
 * @param canRead whether the encoder knows the words of a prompt: people bring images with any
 * @throws {FileError | FormatError} there is no such store
 */
export async function readExamples(
  store: string,
  canRead: (text: string) => boolean = () => true,
): Promise<StoredExamples> {
  await using feedback = await openExistingFeedback(store)
  const all = await feedback.images()
  const prompts = [...new Set(all.map(({ record }) => record.text))]
  const readable = new Set(prompts.filter(canRead))
  const images = new Map(
    all
      .filter(({ record }) => readable.has(record.text))
      .map(({ record: { id, text, file }, folder }) => [id, { id, text, file: join(folder, file) }]),
  )
  const judgments = (await trainingJudgments(feedback)).filter((judgment) => images.has(judgment.images[0]))
  const { labels, comparisons } = examplesOfJudgments(judgments, (id) => images.get(id)?.text)
  const places = new Map<string, number>()
  const placeOf = (id: string) => {
    if (!places.has(id)) places.set(id, places.size)
    return places.get(id)!
  }
  const examples = {
    labels: labels.map(({ image, ...rest }) => ({ ...rest, image: placeOf(image) })),
    comparisons: comparisons.map(({ better, worse, ...rest }) => ({
      ...rest,
      better: placeOf(better),
      worse: placeOf(worse),
    })),
  }
  return {
    examples,
    judged: [...places.keys()].map((id) => images.get(id)!),
    others: [...images.values()].filter(({ id, file }) => !places.has(id) && existsSync(file)),
    judgments,
    misread: misreadWords(judgments, (id) => images.get(id)?.text),
    unreadable: prompts.length - readable.size,
  }
}
