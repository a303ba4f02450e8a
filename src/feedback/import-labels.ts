/** `feedback import`: judgments of people, and of other tools, into a store. */
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { FormatError } from '../errors.ts'
import { readImages } from '../images/image-run.ts'
import { filesIn } from './formats/foreign-json.ts'
import { importFormatNames } from './formats/formats.ts'
import { addToFeedback, feedbackField } from './store/feedback-file.ts'
import { importFeedback, type ImportCounts } from './transfer.ts'

export const ImportConfig = z.strictObject({
  feedback: feedbackField,
  images: z
    .array(z.string().min(1))
    .min(1)
    .nullable()
    .default(null)
    .describe('Run folders of the images that were judged, where the store does not know them.'),
  labels: z.string().min(1).describe('Judgments to add: .csv (image, answer, …), .jsonl, or a file of another tool.'),
  format: z
    .enum(importFormatNames)
    .nullable()
    .default(null)
    .describe('Format of the judgments; by its ending without it.'),
  rater: z.string().min(1).default('anonymous').describe('Who judged, for rows that do not say.'),
  sheet: optionalText.describe('sheet.csv of the contact sheets, where the labels name images by their numbers.'),
  out: optionalText.describe('Run folder to write for images that the judgments of another tool bring.'),
  imageFolder: optionalText.describe(
    'Folder in which such images are looked for by their paths; that of the judgments without it.',
  ),
})
export type ImportConfig = z.infer<typeof ImportConfig>

/**
 * Makes the images known to the store and adds all judgments of a file: all of it, or nothing. A store that did not exist
 * before does not exist after a failure either.
 *
 * @param tell hears what was counted, before the complaint that there is no judgment in it
 * @throws {FormatError | UnknownRecordError} names file, row and column
 */
export async function importLabels(
  config: ImportConfig,
  tell: (counts: ImportCounts) => void = () => undefined,
): Promise<ImportCounts> {
  const { feedback, images, labels, format, rater, sheet, out, imageFolder } = config
  const drawn = await Promise.all(
    (images ?? []).map(async (folder) => ({
      folder,
      records: (await readImages(folder)).map(({ record }) => record),
    })),
  )
  return await addToFeedback(feedback, async (store) => {
    const counts = await importFeedback(store, labels, {
      rater,
      drawn,
      ...(format === null ? {} : { format }),
      ...(sheet === null ? {} : { sheet }),
      ...(out === null ? {} : { folder: out }),
      ...(imageFolder === null ? {} : { findFile: filesIn(imageFolder) }),
    })
    tell(counts)
    if (counts.added + counts.known > 0) return counts
    const { unanswered, leftOut } = counts
    const [received, remedy] =
      leftOut.length > 0
        ? ['none that can be used', 'mend what was left out']
        : unanswered > 0
          ? [`none in ${unanswered} ${unanswered === 1 ? 'row' : 'rows'}`, 'fill in some answers']
          : ['none in 0 rows', 'give a file with judgments']
    throw new FormatError({
      where: labels,
      expected: 'at least one judgment',
      received,
      remedy: `${remedy}; nothing was added`,
    })
  })
}
