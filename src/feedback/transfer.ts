/** Judgments in and out of the store, in the formats of `formats/formats.ts`. */
import { basename, dirname } from 'node:path'
import { ConfigError, FormatError, UnknownRecordError } from '../errors.ts'
import { readText, writePiecesAtomic } from '../files.ts'
import type { ProgressStream } from '../progress.ts'
import type { Judgment } from '../records.ts'
import { identified } from './store/content-ids.ts'
import { csvOf, judgmentsOfCsv } from './formats/csv.ts'
import { readers, writers } from './formats/codecs.ts'
import { imageFinder } from './formats/find-image.ts'
import { filesIn, type ForeignOptions } from './formats/foreign-json.ts'
import { addForeign, type ForeignCounts } from './formats/foreign.ts'
import { formatOf } from './formats/format-of.ts'
import { exportFormatNames, importFormatNames, formats, isForeign } from './formats/formats.ts'
import type { ExportFormatName, Format, ImportFormatName } from './formats/formats.ts'
import { judgmentsOfLines, linesOf } from './formats/json-lines.ts'
import { outwardRow } from './formats/outward-row.ts'
import { tiesIn } from './formats/preferred-pairs.ts'
import { contentIds, provenanceOf, unmask, type ProvenanceOptions } from './formats/provenance.ts'
import { exportComments } from './formats/comment-lines.ts'
import type { ImagesOfFolder } from './store/image-writes.ts'
import type { StoredImage } from './store/known-rows.ts'
import type { FeedbackStore } from './store/store.ts'

/** What an import reads, and into which store. */
export interface ImportOptions {
  /** By default what the ending of the file says; it does not of `.json`. */
  readonly format?: ImportFormatName
  /** Of the file, as its owner knows it; for messages. */
  readonly name?: string
  /** Who judged, for rows that do not say; default `anonymous`. */
  readonly rater?: string
  /** Default `person`. */
  readonly raterKind?: Judgment['raterKind']
  /** ISO 8601, UTC, for rows that do not say; default now. */
  readonly at?: string
  /** Images that were judged and are made known with the judgments; names of files mean these first. */
  readonly drawn?: readonly ImagesOfFolder[]
  /** The `sheet.csv` of contact sheets, where `image` holds their numbers. */
  readonly sheet?: string
  /** Run folder to write, for formats that bring images; it is not there afterwards where no image was new. */
  readonly folder?: string
  /** Finds images that the file names by paths; by default in the folder of the file. */
  readonly findFile?: ForeignOptions['findFile']
}

/** What an import added and what it left out. */
export type ImportCounts = ForeignCounts

/** What an ending may stand for; `.jsonl` is what Attune itself writes. */
const usualImports = importFormatNames.filter((name) => formats[name].ending !== '.jsonl' || !isForeign(name))

/**
 * Adds the judgments of a file, with the images that come with them: all of it, or nothing where one judgment is bad or
 * none is left. Of the columns of a `.csv` only `image` (id, file
 * name, or number on a contact sheet) and `answer` (good, bad, skip; 1, 0, empty) are needed. Importing a file twice
 * counts once; a corrected answer becomes a new judgment. In a filled-in `sheet.csv` (it has a column `number`) rows
 * without an answer are no judgments and are only counted. Pseudonyms of an export of this store become the raters again.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file, row and column of what is wrong
 * @throws {UnknownRecordError} names file and row of an image that the store does not have
 * @throws {ConfigError} the format cannot be told, or brings images and `folder` is missing
 */
export async function importFeedback(
  store: FeedbackStore,
  file: string,
  options: ImportOptions = {},
): Promise<ImportCounts> {
  const { format = formatOf(file, usualImports), name = basename(file), raterKind = 'person', drawn = [] } = options
  const defaults = { rater: options.rater ?? 'anonymous', raterKind, at: options.at ?? new Date().toISOString() }
  const [idOf, raterOf] = [await contentIds(store), await unmask(store)]
  if (isForeign(format)) {
    const { folder, findFile = filesIn(dirname(file)) } = options
    if (folder === undefined) {
      throw new ConfigError({
        where: name,
        expected: `a run folder for the images of ${formats[format].title}`,
        received: 'none',
        remedy: 'name a new folder with --out',
      })
    }
    const target = { store, folder, drawn, idOf, raterOf }
    const read = await readers[format]()
    return await addForeign(target, await read(file, { name, ...defaults, findFile }))
  }
  const text = await readText(file)
  const own = drawn.flatMap(({ records, folder }) => records.map((record) => ({ record, folder })))
  const images = [...(await store.images()), ...own]
  const { judgments, rows, unanswered } =
    format === 'csv'
      ? judgmentsOfCsv(name, text, await imageFinder(images, own, options.sheet), defaults)
      : judgmentsOfLines(name, text, new Set(images.map(({ record }) => record.id)))
  const named = judgments.map(({ judgment, ...rest }) => ({
    ...rest,
    judgment: { ...judgment, rater: raterOf(judgment.rater) },
  }))
  const complete = identified(named, idOf)
  if (complete.length === 0) return { added: 0, known: 0, unanswered, images: 0, leftOut: [] }
  const added = await store.add({ images: drawn, judgments: complete }).catch((error: unknown) => {
    throw withRow(error, name, (id) => rows[complete.findLastIndex((judgment) => judgment.id === id)])
  })
  const known = complete.length - added.judgments
  return { added: added.judgments, known, unanswered, images: 0, leftOut: [] }
}

/** What the store refuses it names by its id; a person looks for it in a file. */
function withRow(error: unknown, name: string, rowOf: (id: string) => number | undefined): unknown {
  if (!(error instanceof FormatError || error instanceof UnknownRecordError)) return error
  const [, id = '', field] = /^judgment (\S+)(?: (\w+))?$/.exec(error.where) ?? []
  const row = rowOf(id)
  if (row === undefined) return error
  const { where, expected, received, remedy, cause } = error
  const told = { where: `${name}:${row} ${field ?? where}`, expected, received, remedy, cause }
  return error instanceof FormatError ? new FormatError(told) : new UnknownRecordError(told)
}

/** What an ending stands for where nothing else is said; of `.json` that is ImageReward. */
const usualExports = exportFormatNames.filter(
  (name) => formats[name].start === undefined && formats[name].ending !== '',
)

/** What an export writes. */
export interface ExportOptions extends ProvenanceOptions {
  /** By default what the ending of the file says. */
  readonly format?: ExportFormatName
  /** Tells what is kept back, as if it had not been said; by default nothing. */
  readonly isHeld?: (judgment: Judgment) => boolean
  /** Hears how far an export is that copies images; by default nobody does. */
  readonly stderr?: ProgressStream
}

/** What an export wrote and what it left out. */
export interface ExportCounts {
  readonly rows: number
  /**
   * Judgments that the format has no place for, by their kinds; skips of the kinds that it has are among them. Ties are
   * counted by themselves, those within rankings too.
   */
  readonly leftOut: Readonly<Partial<Record<Judgment['kind'] | 'tie', number>>>
  /** Judgments, of all that were ever added, that were kept back. */
  readonly held: number
  /** Files and folders that were written beside the file. */
  readonly beside: readonly string[]
}

/**
 * Writes the judgments of a store, whole or not at all. `.csv` and `.jsonl` hold every row, undone ones too: importing
 * the file into a store with the same images gives the same rows; comments lie beside it, where there are some. Other formats hold the judgments that stand, as far
 * as they have a place for them. Raters are pseudonyms unless `names` are asked for.
 *
 * @param file where a format is a folder, that folder
 * @throws {FileError} the file cannot be written
 * @throws {ConfigError} the format cannot be told
 */
export async function exportFeedback(
  store: FeedbackStore,
  file: string,
  {
    format = formatOf(file, usualExports),
    stderr = { write: () => true },
    isHeld = () => false,
    ...options
  }: ExportOptions = {},
): Promise<ExportCounts> {
  const provenance = await provenanceOf(store, options)
  const byId = new Map((await store.images()).map((image) => [image.record.id, image]))
  // No judgment is in a store without its images.
  const imageOf = (id: string) => byId.get(id) as StoredImage
  const told = (judgments: readonly Judgment[]) => judgments.filter((one) => !isHeld(one))
  const every = await store.allRows()
  const all = told(every)
  const held = every.length - all.length
  if (!isForeign(format)) {
    const rows = all.values().map((judgment) => outwardRow(judgment, imageOf, provenance))
    writePiecesAtomic(file, format === 'csv' ? csvOf(rows, all.some(hasMarks)) : linesOf(rows))
    return { rows: all.length, leftOut: {}, held, beside: await exportComments(store, file, imageOf, provenance) }
  }
  const judgments = told(await store.judgments())
  const write = await writers[format]()
  return {
    held,
    leftOut: leftOutOf(judgments, formats[format]),
    ...(await write(file, judgments, imageOf, provenance, stderr)),
  }
}

const hasMarks = (judgment: Judgment) =>
  judgment.kind !== 'vote' && (judgment.regions !== undefined || judgment.misread !== undefined)

function leftOutOf(judgments: readonly Judgment[], { kinds, hasTies }: Format): ExportCounts['leftOut'] {
  const leftOut: Partial<Record<Judgment['kind'] | 'tie', number>> = {}
  const count = (what: Judgment['kind'] | 'tie', more: number) => {
    if (more > 0) leftOut[what] = (leftOut[what] ?? 0) + more
  }
  for (const judgment of judgments) {
    if (judgment.answer === 'skip' || !kinds.includes(judgment.kind)) count(judgment.kind, 1)
    else if (hasTies === false) count('tie', tiesIn(judgment))
  }
  return leftOut
}
