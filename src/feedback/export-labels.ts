/** `feedback export`: the judgments of a store as a file. */
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { exportFormatNames } from './formats/formats.ts'
import { feedbackField, openExistingFeedback } from './store/feedback-file.ts'
import { exportFeedback, type ExportCounts } from './transfer.ts'

export const ExportConfig = z.strictObject({
  feedback: feedbackField,
  out: z
    .string()
    .min(1)
    .describe(
      'File to write: .csv or .jsonl, .parquet (Pick-a-Pic), .json (ImageReward, or HPDv2 with --format), .jsonl (Flow-Factory with --format); with --format kohya a new folder.',
    ),
  format: z.enum(exportFormatNames).nullable().default(null).describe('Format of the file; by its ending without it.'),
  names: z.boolean().default(false).describe('Names raters as the store does, not by pseudonyms.'),
  licence: optionalText.describe('What others may do with the judgments; part of the export.'),
})
export type ExportConfig = z.infer<typeof ExportConfig>

/** Writes the judgments of a store: see {@link exportFeedback}. */
export async function exportLabels(config: ExportConfig): Promise<ExportCounts> {
  const { feedback, out, format, names, licence } = config
  await using store = await openExistingFeedback(feedback)
  return await exportFeedback(store, out, {
    names,
    stderr: process.stderr,
    ...(licence === null ? {} : { licence }),
    ...(format === null ? {} : { format }),
  })
}
