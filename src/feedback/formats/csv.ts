/** Judgments as a table that a person can fill in. */
import { stringify } from 'csv-stringify/sync'
import { csvRows, type CsvRow } from '../../csv-rows.ts'
import { FormatError } from '../../errors.ts'
import { Judgment } from '../../records.ts'
import type { FindImage } from './find-image.ts'
import type { OutwardRow } from './outward-row.ts'
import type { ContentId } from './provenance.ts'

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

/** Under which column a field of the judgment stands, where that has another name. */
const columnOf: Readonly<Record<string, string>> = {
  images: 'image',
  raterKind: 'rater_kind',
  durationMs: 'duration_ms',
  ratings: 'overall',
}

const answers: Readonly<Record<string, string>> = {
  good: 'good',
  '1': 'good',
  bad: 'bad',
  '0': 'bad',
  skip: 'skip',
  '': 'skip',
}

/** What may stand under a column. */
const contents: Readonly<Record<string, string>> = {
  at: 'a time in UTC, as 2026-01-31T12:00:00Z',
  duration_ms: 'milliseconds, 0 or more',
  kind: 'good-bad-skip, pair, rating, ranking or vote',
  ranks: 'a rank of each image of a ranking, 1 is best',
  rater: 'a name of at most 10000 characters without NUL',
  ...Object.fromEntries(['overall', 'alignment', 'fidelity'].map((column) => [column, 'a whole number from 1 to 7'])),
}

/** What rows say that do not say it themselves. */
export type RowDefaults = Pick<Judgment, 'rater' | 'raterKind' | 'at'> & { readonly idOf: ContentId }

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
): { judgments: Judgment[]; rows: number[]; unanswered: number } {
  const { columns: present, rows } = csvRows(name, text, ['image', 'answer'])
  const answered = rows.filter((row) => !present.has('number') || row.cell('answer') !== '')
  return {
    judgments: answered.map((row) => judgmentOf(name, row, findImage, defaults)),
    rows: answered.map(({ row }) => row),
    unanswered: rows.length - answered.length,
  }
}

/** The table of judgments, with a header; a cell that a spreadsheet would compute gets an apostrophe before it. */
export function csvOf(rows: readonly OutwardRow[]): string {
  return stringify(rows.map(cellsOf), { header: true, columns: [...columns], escape_formulas: true })
}

function judgmentOf(name: string, row: CsvRow, findImage: FindImage, defaults: RowDefaults): Judgment {
  const kind = row.cell('kind') || 'good-bad-skip'
  const stated = row.cell('answer').toLowerCase()
  const names = kind === 'good-bad-skip' || kind === 'rating' ? [row.cell('image')] : listOf(row.cell('image'))
  const images = names.map((image) => findImage(image, `${name}:${row.row} image`))
  const answer = kind === 'good-bad-skip' && Object.hasOwn(answers, stated) ? answers[stated] : stated
  const rater = plain(row.cell('rater')) || defaults.rater
  const [overall, alignment, fidelity] = ['overall', 'alignment', 'fidelity'].map(row.cell)
  const parsed = Judgment.safeParse({
    id: plain(row.cell('id')) || defaults.idOf(images.join(' '), rater, String(row.row), answer),
    kind,
    images,
    answer,
    rater,
    raterKind: row.cell('rater_kind') || defaults.raterKind,
    at: row.cell('at') || defaults.at,
    ...given('durationMs', row.cell('duration_ms'), Number),
    ...given('undoes', row.cell('undoes'), plain),
    ...given('ranks', row.cell('ranks'), (cell) => listOf(cell).map(Number)),
    ...given('ratings', overall, () => ({
      overall: Number(overall),
      alignment: Number(alignment),
      fidelity: Number(fidelity),
    })),
    ...given('reasons', row.cell('reasons'), listOf),
    ...given('shown', row.cell('shown'), listOf),
    ...given('policies', row.cell('policies'), listOf),
    ...given('question', row.cell('question'), String),
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const [field, inner] = issue.path.map(String)
  const column = issue.code === 'unrecognized_keys' ? issue.keys[0] : field === 'ratings' ? (inner ?? field) : field
  const ours = columnOf[column] ?? column
  throw new FormatError({
    where: `${name}:${row.row} ${ours}`,
    expected:
      ours === 'answer' && kind === 'good-bad-skip'
        ? 'good, bad or skip (1, 0 or empty)'
        : (contents[ours] ?? issue.message.replace(/^Invalid \w+: expected /, '')),
    received: `"${row.cell(ours)}"`,
    remedy: ours === 'answer' ? 'correct the cell' : 'correct the cell, or leave it empty',
  })
}

const given = <T>(field: string, cell: string, read: (cell: string) => T) =>
  cell === '' ? {} : { [field]: read(cell) }

function cellsOf({ judgment, ...said }: OutwardRow): Record<(typeof columns)[number], string | number | undefined> {
  const { ratings, ranks, policies, question } = { ...noDetails, ...judgment }
  return {
    image: cellOf(judgment.images),
    answer: judgment.answer,
    rater: judgment.rater,
    at: judgment.at,
    duration_ms: judgment.durationMs,
    id: judgment.id,
    rater_kind: judgment.raterKind,
    kind: judgment.kind,
    undoes: judgment.undoes,
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
  }
}

/** What only some kinds of judgment say. */
interface Details {
  readonly ratings?: { readonly overall: number; readonly alignment: number; readonly fidelity: number }
  readonly ranks?: readonly number[]
  readonly policies?: readonly string[]
  readonly question?: string
}
const noDetails: Details = {}

/** Several things in one cell: with spaces between them, or as a JSON list where one of them holds a space. */
function cellOf(list: readonly (string | number)[] | undefined): string | undefined {
  if (list === undefined) return undefined
  const joined = list.join(' ')
  const isPlain = list.length > 0 && joined.split(/\s/).length === list.length && !joined.startsWith('[')
  return isPlain ? joined : JSON.stringify(list)
}

function listOf(cell: string): string[] {
  if (cell.startsWith('[')) {
    try {
      return (JSON.parse(cell) as unknown[]).map(String)
    } catch {
      // A text that begins so.
    }
  }
  return cell.split(/\s+/).filter(Boolean)
}

/** Without the apostrophe that keeps a spreadsheet from computing a cell. */
const plain = (cell: string) => cell.replace(/^'(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/, '')
