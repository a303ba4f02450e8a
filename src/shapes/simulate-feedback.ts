/** `feedback simulate`: the simulated rater judges images of the embedded world, and its file is imported as a person's. */
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { ImportConfig, importLabels } from '../feedback/import-labels.ts'
import type { ImportCounts } from '../feedback/transfer.ts'
import { writeFileAtomic } from '../files.ts'
import { readImages } from '../images/image-run.ts'
import { readPictures } from '../images/pictures.ts'
import { simulateJudgments } from './simulated-rater.ts'

/** Settings of `feedback simulate`. */
export const SimulateConfig = z.strictObject({
  feedback: z.string().min(1).describe('Feedback store, a SQLite file.'),
  images: z.array(z.string().min(1)).min(1).describe('Run folders of the images to judge.'),
  errorRate: z.number().min(0).max(1).default(0.05).describe('Share of the answers that are flipped.'),
  skipRate: z.number().min(0).max(1).default(0.05).describe('Share of the images that are skipped.'),
  seed: z.int().nonnegative().default(0).describe('Seed of the errors and skips.'),
  labels: optionalText.describe('The .jsonl of judgments that is written and imported; beside the store without it.'),
})
export type SimulateConfig = z.infer<typeof SimulateConfig>

/**
 * Judges every image and imports the judgments, each marked as simulated.
 *
 * @throws {VocabularyError} a prompt that the judge cannot read
 */
export async function simulateFeedback(config: SimulateConfig): Promise<ImportCounts> {
  const { feedback, images, labels = null, ...rater } = config
  const stored = await readImages(...images)
  const pictures = await readPictures(stored.map(({ file }) => file))
  const judgments = simulateJudgments(
    stored.map(({ record }, i) => ({ record, bytes: pictures[i].bytes })),
    rater,
  )
  const file = labels ?? `${feedback}.simulated.jsonl`
  writeFileAtomic(file, judgments.map((judgment) => `${JSON.stringify(judgment)}\n`).join(''))
  return await importLabels(ImportConfig.parse({ feedback, images, labels: file }))
}
