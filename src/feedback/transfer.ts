/** Judgments in and out of the store: CSV that a person can fill in, and JSON lines of Judgment records. */
import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { ConfigError, FormatError, UnknownRecordError } from '../errors.ts'
import { readText, writeFileAtomic } from '../files.ts'
import { Judgment } from '../records.ts'
import { csvRows, type CsvRow } from '../csv-rows.ts'
import type { FeedbackStore, StoredImage } from './store.ts'

export interface ImportOptions {
  /** Who judged, for rows that do not say; default `anonymous`. */
  readonly rater?: string
  /** Default `person`. */
  readonly raterKind?: Judgment['raterKind']
  /** ISO 8601, UTC, for rows that do not say; default now. */
  readonly at?: string
  /** The `sheet.csv` of contact sheets, where `image` holds their numbers. */
  readonly sheet?: string
}

export interface ImportCounts {
  readonly added: number
  /** Were there already. */
  readonly known: number
  /** Rows of a contact sheet that nobody has answered. */
  readonly unanswered: number
}

const columns = ['image', 'answer', 'rater', 'at', 'duration_ms', 'id', 'rater_kind', 'kind', 'undoes'] as const

const answers: Readonly<Record<string, Judgment['answer']>> = {
  good: 'good',
  '1': 'good',
  bad: 'bad',
  '0': 'bad',
  skip: 'skip',
  '': 'skip',
}

/**
 * Adds the judgments of a `.csv` or `.jsonl` file: all of them, or none where one is bad. Of the columns that
 * {@link exportFeedback} writes only `image` (id, file name, or number on a contact sheet) and `answer` (good, bad, skip;
 * 1, 0, empty) are needed. Importing a file twice counts once; a corrected answer becomes a new judgment. In a filled-in
 * `sheet.csv` (it has a column `number`) rows without an answer are no judgments and are only counted.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file, row and column of what is wrong
 * @throws {UnknownRecordError} names file and row of an image that the store does not have
 */
export async function importFeedback(
  store: FeedbackStore,
  file: string,
  options: ImportOptions = {},
): Promise<ImportCounts> {
  const name = basename(file)
  const text = await readText(file)
  const images = await store.images()
  const { judgments, unanswered } =
    formatOf(file) === 'csv'
      ? fromCsv(name, text, await imageFinder(images, options.sheet), options)
      : { judgments: fromJsonLines(name, text, images), unanswered: 0 }
  const added = await store.addJudgments(judgments)
  return { added, known: judgments.length - added, unanswered }
}

/**
 * Writes every row of the store, undone ones too, as `.csv` or `.jsonl`, whole or not at all. Importing the file into a
 * store with the same images gives the same rows.
 *
 * @returns how many rows
 * @throws {FileError} the file cannot be written
 */
export async function exportFeedback(store: FeedbackStore, file: string): Promise<number> {
  const format = formatOf(file)
  const rows = await store.allRows()
  writeFileAtomic(
    file,
    format === 'csv'
      ? stringify(rows.map(cellsOf), { header: true, columns: [...columns] })
      : rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  )
  return rows.length
}

function cellsOf(row: Judgment): Record<(typeof columns)[number], string | number | undefined> {
  return {
    image: row.images[0],
    answer: row.answer,
    rater: row.rater,
    at: row.at,
    duration_ms: row.durationMs,
    id: row.id,
    rater_kind: row.raterKind,
    kind: row.kind,
    undoes: row.undoes,
  }
}

function formatOf(file: string): 'csv' | 'jsonl' {
  const ending = extname(file).toLowerCase()
  if (ending === '.csv') return 'csv'
  if (ending === '.jsonl') return 'jsonl'
  throw new ConfigError({
    where: basename(file),
    expected: 'a file named .csv or .jsonl',
    received: ending || 'no ending',
    remedy: 'rename it by its format',
  })
}

type FindImage = (name: string, where: string) => string

/** Finds images by id, then by number on the sheet, then by file name or the path in their run folder. */
async function imageFinder(images: readonly StoredImage[], sheet: string | undefined): Promise<FindImage> {
  const ids = new Set(images.map(({ record }) => record.id))
  const named = new Map<string, Set<string>>()
  for (const { record } of images) {
    for (const key of [record.file, basename(record.file)]) {
      named.set(key, (named.get(key) ?? new Set()).add(record.id))
    }
  }
  const numbered = new Map<string, string>()
  if (sheet !== undefined) {
    const { rows } = csvRows(basename(sheet), await readText(sheet), ['number', 'image'])
    for (const row of rows) numbered.set(row.cell('number'), row.cell('image'))
  }
  return (name, where) => {
    const id = numbered.get(name) ?? name
    if (ids.has(id)) return id
    const found = [...(named.get(name) ?? [])]
    if (found.length === 1) return found[0]
    if (found.length > 1) {
      throw new FormatError({
        where,
        expected: 'the name of one image',
        received: `${name}, which ${found.length} images have`,
        remedy: `use their ids (${found.slice(0, 2).join(', ')} …)`,
      })
    }
    throw unknownImage(where, name)
  }
}

function unknownImage(where: string, name: string): UnknownRecordError {
  return new UnknownRecordError({
    where,
    expected: 'an image of this store (id or file name, or a number with its contact sheet)',
    received: name === '' ? 'nothing' : `unknown image ${name}`,
    remedy: 'was this file made for another run?',
  })
}

function fromCsv(
  name: string,
  text: string,
  findImage: FindImage,
  options: ImportOptions,
): { judgments: Judgment[]; unanswered: number } {
  const { columns: present, rows } = csvRows(name, text, ['image', 'answer'])
  const defaults = {
    rater: options.rater ?? 'anonymous',
    raterKind: options.raterKind ?? 'person',
    at: options.at ?? new Date().toISOString(),
  }
  const judgments: Judgment[] = []
  let unanswered = 0
  for (const row of rows) {
    if (present.has('number') && row.cell('answer') === '') unanswered++
    else judgments.push(judgmentOf(name, row, findImage, defaults))
  }
  return { judgments, unanswered }
}

function judgmentOf(
  name: string,
  row: CsvRow,
  findImage: FindImage,
  defaults: Pick<Judgment, 'rater' | 'raterKind' | 'at'>,
): Judgment {
  const image = findImage(row.cell('image'), `${name}:${row.row} image`)
  const stated = row.cell('answer').toLowerCase()
  if (!Object.hasOwn(answers, stated)) {
    throw new FormatError({
      where: `${name}:${row.row} answer`,
      expected: 'good, bad or skip (1, 0 or empty)',
      received: `"${row.cell('answer')}"`,
      remedy: 'correct the cell',
    })
  }
  const answer = answers[stated]
  const rater = row.cell('rater') || defaults.rater
  const duration = row.cell('duration_ms')
  const undoes = row.cell('undoes')
  const parsed = Judgment.safeParse({
    id: row.cell('id') || idOf(image, rater, String(row.row), answer),
    kind: row.cell('kind') || 'good-bad-skip',
    images: [image],
    answer,
    rater,
    raterKind: row.cell('rater_kind') || defaults.raterKind,
    at: row.cell('at') || defaults.at,
    ...(duration !== '' && { durationMs: Number(duration) }),
    ...(undoes !== '' && { undoes }),
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const column = { raterKind: 'rater_kind', durationMs: 'duration_ms' }[String(issue.path[0])] ?? String(issue.path[0])
  throw new FormatError({
    where: `${name}:${row.row} ${column}`,
    expected: issue.message,
    received: `"${row.cell(column)}"`,
    remedy: 'correct the cell, or leave it empty',
  })
}

function idOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function fromJsonLines(name: string, text: string, images: readonly StoredImage[]): Judgment[] {
  const ids = new Set(images.map(({ record }) => record.id))
  const judgments = text.split('\n').flatMap((line, place): Judgment[] => {
    if (line.trim() === '') return []
    const where = `${name}:${place + 1}`
    const judgment = parsedLine(where, line)
    const missing = judgment.images.find((image) => !ids.has(image))
    if (missing !== undefined) throw unknownImage(`${where} images`, missing)
    return [judgment]
  })
  if (judgments.length > 0) return judgments
  throw new FormatError({ where: name, expected: 'a judgment', received: 'an empty file', remedy: 'add a line' })
}

function parsedLine(where: string, line: string): Judgment {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError({ where, expected: 'JSON', received, remedy: 'correct the syntax', cause })
  }
  const parsed = Judgment.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: 'a Judgment record',
    received: issue.message,
    remedy: 'correct the field',
  })
}
