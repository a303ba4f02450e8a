/** `feedback import`, `export` and `sheet`: judgments of people in and out. None of them needs a model. */
import { existsSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { FileError, FormatError } from '../errors.ts'
import { readImages } from '../images/image-run.ts'
import { isDatabaseUrl } from './store/database.ts'
import { filesIn } from './formats/foreign-json.ts'
import { exportFormatNames, formatNames } from './formats/formats.ts'
import { writeSheets } from './sheet.ts'
import { openFeedback, type FeedbackStore } from './store/store.ts'
import { exportFeedback, importFeedback, type ExportCounts, type ImportCounts } from './transfer.ts'

const feedbackField = z.string().min(1).describe('Feedback store: a SQLite file, or postgres://….')
const optional = (sentence: string) => z.string().min(1).nullable().default(null).describe(sentence)
const folders = (sentence: string) => z.array(z.string().min(1)).min(1).describe(sentence)

export const ImportConfig = z.strictObject({
  feedback: feedbackField,
  images: z
    .array(z.string().min(1))
    .min(1)
    .nullable()
    .default(null)
    .describe('Run folders of the images that were judged, where the store does not know them.'),
  labels: z.string().min(1).describe('Judgments to add: .csv (image, answer, …), .jsonl, or a file of another tool.'),
  format: z.enum(formatNames).nullable().default(null).describe('Format of the judgments; by its ending without it.'),
  rater: z.string().min(1).default('anonymous').describe('Who judged, for rows that do not say.'),
  sheet: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('sheet.csv of the contact sheets, where the labels name images by their numbers.'),
  out: optional('Run folder to write for images that the judgments of another tool bring.'),
  imageFolder: optional('Folder in which such images are looked for by their paths; that of the judgments without it.'),
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

/** Adds something to a store. One that was not there before is not there after a failure either. */
export async function addToFeedback<T>(file: string, add: (store: FeedbackStore) => Promise<T>): Promise<T> {
  const isNew = !isDatabaseUrl(file) && !existsSync(file)
  try {
    await using store = await openFeedback(file)
    return await add(store)
  } catch (error) {
    if (isNew) for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
    throw error
  }
}

export const ExportConfig = z.strictObject({
  feedback: feedbackField,
  out: z.string().min(1).describe('File to write: .csv or .jsonl, .parquet (Pick-a-Pic) or .json (ImageReward).'),
  format: z.enum(exportFormatNames).nullable().default(null).describe('Format of the file; by its ending without it.'),
  names: z.boolean().default(false).describe('Names raters as the store does, not by pseudonyms.'),
  licence: optional('What others may do with the judgments; part of the export.'),
})
export type ExportConfig = z.infer<typeof ExportConfig>

/** Writes the judgments of a store: see {@link exportFeedback}. */
export async function exportLabels(config: ExportConfig): Promise<ExportCounts> {
  const { feedback, out, format, names, licence } = config
  await using store = await openExistingFeedback(feedback)
  return await exportFeedback(store, out, {
    names,
    ...(licence === null ? {} : { licence }),
    ...(format === null ? {} : { format }),
  })
}

export const SheetConfig = z.strictObject({
  images: folders('Run folders of the images to judge.'),
  out: z.string().min(1).describe('Folder for the sheets and the sheet.csv to fill in.'),
  columns: z.int().positive().default(6).describe('Pictures beside each other.'),
  rows: z.int().positive().default(5).describe('Pictures below each other.'),
  thumbnailSize: z
    .int()
    .min(16)
    .max(2048)
    .default(256)
    .describe(
      'Longest side of a picture on the sheet, pixels: larger ones are made smaller, small ones enlarged by a whole factor.',
    ),
})
export type SheetConfig = z.infer<typeof SheetConfig>

/** Writes numbered contact sheets and a `sheet.csv` that can be filled in and imported. @returns the files */
export async function makeSheets({ images, out, ...options }: SheetConfig): Promise<string[]> {
  return await writeSheets(await readImages(...images), out, options)
}

/**
 * Opens a store that must be there already.
 *
 * @throws {FileError} no such file
 */
export async function openExistingFeedback(file: string): Promise<FeedbackStore> {
  if (isDatabaseUrl(file) || existsSync(file)) return await openFeedback(file)
  throw new FileError({
    where: file,
    expected: 'a feedback store',
    received: 'no such file',
    remedy: 'import labels first: attune feedback import',
  })
}
