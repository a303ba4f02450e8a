/** Judgments as a table that a person can fill in. */
import { stringify } from 'csv-stringify/sync'
import { csvRows, type CsvRow } from '../../csv-rows.ts'
import { FormatError } from '../../errors.ts'
import { Judgment } from '../../records.ts'
import type { Unidentified } from '../store/content-ids.ts'
import { answerOf } from './answer-words.ts'
import type { FindImage } from './find-image.ts'
import type { OutwardRow } from './outward-row.ts'

const columns = [
  'image',
  'answer',
  'rater',
  'at',
  'duration_ms',
  'id',
  'rater_kind',
  'kind',
  'undoes',
  'ranks',
  'overall',
  'alignment',
  'fidelity',
  'reasons',
  'shown',
  'policies',
  'question',
  'prompt',
  'sha256',
  'consent',
  'licence',
  'version',
] as const
/** At the end, and only where some judgment marks something. */
const markColumns = ['regions', 'misread'] as const

/** Under which column a field of the judgment stands, where that has another name. */
const columnOf: Readonly<Record<string, string>> = {
  images: 'image',
  raterKind: 'rater_kind',
  durationMs: 'duration_ms',
  ratings: 'overall',
}

/** What rows say that do not say it themselves. */
export type RowDefaults = Pick<Judgment, 'rater' | 'raterKind' | 'at'>

/**
 * Reads a table. In a filled-in `sheet.csv` (it has a column `number`) rows without an answer are no judgments.
 *
 * @param name of the file, for messages
 * @returns `rows`: where each judgment stands
 * @throws {FormatError | UnknownRecordError} names file, row and column
 */
export function judgmentsOfCsv(
  name: string,
  text: string,
  findImage: FindImage,
  defaults: RowDefaults,
): { judgments: Unidentified[]; rows: number[]; unanswered: number } {
  const { columns: present, rows } = csvRows(name, text, ['image', 'answer'])
  const answered = rows.filter((row) => !present.has('number') || row.cell('answer') !== '')
  return {
    judgments: answered.map((row) => judgmentOf(name, row, findImage, defaults)),
    rows: answered.map(({ row }) => row),
    unanswered: rows.length - answered.length,
  }
}

/** Rows that are text in memory at once. */
const rowsAtOnce = 500

/**
 * The table of judgments, with a header, piece by piece; no cell is one that a spreadsheet would compute.
 *
 * @param hasMarks whether any of them marks something
 */
export function* csvOf(rows: Iterable<OutwardRow>, hasMarks: boolean): Generator<string> {
  const shown = hasMarks ? [...columns, ...markColumns] : [...columns]
  const written = (cells: readonly object[], header: boolean) =>
    stringify([...cells], { header, columns: shown, escape_formulas: true, quoted_match: /[\r\n]/ })
  yield written([], true)
  let batch: object[] = []
  for (const row of rows) {
    batch.push(cellsOf(row))
    if (batch.length < rowsAtOnce) continue
    yield written(batch, false)
    batch = []
  }
  yield written(batch, false)
}

function judgmentOf(name: string, row: CsvRow, findImage: FindImage, defaults: RowDefaults): Unidentified {
  const kind = row.cell('kind').toLowerCase() || 'good-bad-skip'
  const stated = row.cell('answer').toLowerCase()
  const names = kind === 'good-bad-skip' || kind === 'rating' ? [row.cell('image')] : listOf(row.cell('image'))
  const images = names.map((image) => findImage(image, `${name}:${row.row} image`))
  const ratings = ['overall', 'alignment', 'fidelity'].map((column) => [column, row.cell(column)] as const)
  const id = textOf(row.cell('id'))
  const parsed = Judgment.safeParse({
    id: id || 'not yet',
    kind,
    images,
    answer: kind === 'good-bad-skip' ? (answerOf(stated) ?? stated) : stated,
    rater: textOf(row.cell('rater')) || defaults.rater,
    raterKind: row.cell('rater_kind') || defaults.raterKind,
    at: row.cell('at') || defaults.at,
    ...given('durationMs', row.cell('duration_ms'), Number),
    ...given('undoes', row.cell('undoes'), textOf),
    ...given('ranks', row.cell('ranks'), (cell) => listOf(cell).map(Number)),
    ...(ratings.some(([, cell]) => cell !== '') && {
      ratings: Object.fromEntries(ratings.map(([column, cell]) => [column, cell === '' ? undefined : Number(cell)])),
    }),
    ...given('reasons', row.cell('reasons'), listOf),
    ...given('shown', row.cell('shown'), listOf),
    ...given('regions', row.cell('regions'), parsedOrText),
    ...given('misread', row.cell('misread'), parsedOrText),
    ...given('policies', row.cell('policies'), listOf),
    ...given('question', row.cell('question'), String),
  })
  if (parsed.success) return { judgment: parsed.data, ...(id === '' ? { source: [row.cell('at')] } : {}) }
  const [issue] = parsed.error.issues
  const [field, inner] = issue.path.map(String)
  const column = issue.code === 'unrecognized_keys' ? issue.keys[0] : field === 'ratings' ? (inner ?? field) : field
  const ours = columnOf[column] ?? column
  const isForeign = issue.code === 'unrecognized_keys'
  throw new FormatError({
    where: `${name}:${row.row} ${ours}`,
    expected: isForeign
      ? `nothing: a judgment of the kind ${kind} has no ${ours}`
      : expectedIn(ours, kind, images, row),
    received: row.cell(ours) === '' ? 'nothing' : `"${row.cell(ours)}"`,
    remedy: isForeign ? 'empty the cell, or correct the kind' : remedyOf(ours, row),
  })
}

/** What may stand under a column. */
function expectedIn(column: string, kind: string, images: readonly string[], row: CsvRow): string {
  const answers = answersOf[kind]
  switch (column) {
    case 'at':
      return 'a time in UTC, as 2026-01-31T12:00:00Z'
    case 'duration_ms':
      return 'milliseconds, 0 or more'
    case 'kind':
      return 'good-bad-skip, pair, rating, ranking or vote'
    case 'answer':
      return answers
    case 'image':
      if (new Set(images).size < images.length) return 'different images'
      if (kind === 'pair') return 'two images, with a space between them'
      if (kind === 'ranking') return '2 to 16 images, with spaces between them'
      return '2 to 16 images, with spaces between them: as many of the second policy as of the first'
    case 'ranks':
      return row.cell('answer').toLowerCase() === 'skip'
        ? 'no ranks beside the answer skip'
        : `a rank of each of the ${images.length} images: whole numbers from 1, which is best; equal ones are ties`
    case 'overall':
    case 'alignment':
    case 'fidelity':
      return row.cell('answer').toLowerCase() === 'skip'
        ? 'no ratings beside the answer skip'
        : 'a whole number from 1 to 7: a rating has overall, alignment and fidelity'
    case 'rater':
      return 'a name of at most 10000 characters without NUL'
    case 'rater_kind':
      return 'person or simulated'
    case 'policies':
      return 'the names of two policies'
    case 'question':
      return 'alignment or fidelity'
    case 'regions':
      return 'a JSON list of {"image": place, "kind": "implausible" or "misaligned", "x": 0 to 1, "y": 0 to 1}, at most 8 of an image'
    case 'misread':
      return 'a JSON list of {"image": place, "word": place in the prompt}, each once, places counted from 0'
    case 'reasons':
      return 'at most 20 reasons of at most 60 characters each'
    default:
      return 'a text without NUL'
  }
}

const answersOf: Readonly<Record<string, string>> = {
  'good-bad-skip': 'good, bad or skip (1, 0 or empty)',
  pair: 'first, second, tie, both-bad or skip',
  rating: 'rated or skip',
  ranking: 'ranked or skip',
  vote: 'first, second, tie or skip',
}

function remedyOf(column: string, row: CsvRow): string {
  if (['answer', 'image'].includes(column)) return 'correct the cell'
  if (['overall', 'alignment', 'fidelity', 'ranks', 'policies', 'question'].includes(column)) {
    return row.cell(column) === '' ? 'fill in the cell' : 'correct the cell'
  }
  return 'correct the cell, or leave it empty'
}

const given = <T>(field: string, cell: string, read: (cell: string) => T) =>
  cell === '' ? {} : { [field]: read(cell) }

function cellsOf({
  judgment,
  ...said
}: OutwardRow): Record<(typeof columns)[number] | (typeof markColumns)[number], string | number | undefined> {
  const { ratings, ranks, policies, question, regions, misread } = { ...noDetails, ...judgment }
  return {
    image: cellOf(judgment.images),
    answer: judgment.answer,
    rater: textCellOf(judgment.rater),
    at: judgment.at,
    duration_ms: judgment.durationMs,
    id: textCellOf(judgment.id),
    rater_kind: judgment.raterKind,
    kind: judgment.kind,
    undoes: textCellOf(judgment.undoes),
    ranks: cellOf(ranks),
    overall: ratings?.overall,
    alignment: ratings?.alignment,
    fidelity: ratings?.fidelity,
    reasons: cellOf(judgment.reasons),
    shown: cellOf(judgment.shown),
    policies: cellOf(policies),
    question,
    prompt: said.prompt,
    sha256: cellOf(said.sha256),
    consent: said.consent,
    licence: said.licence,
    version: said.version,
    regions: regions && JSON.stringify(regions),
    misread: misread && JSON.stringify(misread),
  }
}

/** What only some kinds of judgment say. */
interface Details {
  readonly ratings?: { readonly overall: number; readonly alignment: number; readonly fidelity: number }
  readonly ranks?: readonly number[]
  readonly policies?: readonly string[]
  readonly question?: string
  readonly regions?: readonly object[]
  readonly misread?: readonly object[]
}
const noDetails: Details = {}

/** Several things in one cell: with spaces between them, or as a JSON list where one of them would be changed by that. */
function cellOf(list: readonly (string | number)[] | undefined): string | undefined {
  if (list === undefined) return undefined
  const isPlain = list.length > 0 && list.every((one) => isPlainText(String(one)) && !/\s/.test(String(one)))
  return isPlain ? list.join(' ') : JSON.stringify(list)
}

/**
 * A text as it is, or as JSON where it would be changed on the way, or computed by a spreadsheet: with space around it,
 * characters that control, or a first one that means something.
 */
const textCellOf = (text: string | undefined): string | undefined =>
  text === undefined || isPlainText(text) ? text : JSON.stringify(text)

const isPlainText = (text: string) =>
  text.trim() === text && /^[^\p{Cc}\p{Cf}"'[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]\P{Cc}*$/u.test(text)

function listOf(cell: string): string[] {
  const list = cell.startsWith('[') ? parsedJson(cell) : undefined
  return Array.isArray(list) ? list.map(String) : cell.split(/\s+/).filter(Boolean)
}

/** A text of {@link textCellOf}, or one with the apostrophe that keeps a spreadsheet from computing a cell. */
function textOf(cell: string): string {
  const text = cell.startsWith('"') ? parsedJson(cell) : undefined
  return typeof text === 'string' ? text : cell.replace(/^'(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/, '')
}

const parsedOrText = (text: string): unknown => parsedJson(text) ?? text

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A text that begins so.
    return undefined
  }
}
