/** A table of prompts: `.csv` as spreadsheets write it, and `.tsv`, in which a quote is mostly an ordinary character. */
import { extname } from 'node:path'
import { CsvError, parse } from 'csv-parse/sync'
import { expectNarrow } from '../csv-rows.ts'
import { FormatError } from '../errors.ts'

export interface PromptTable {
  /** The cells of the first row, as they are written. */
  readonly columns: readonly string[]
  /** The number of that row: 1, unless others stand before it that hold nothing. */
  readonly header: number
  /** Rows that are not blank, with the cells under the columns. */
  readonly rows: readonly { readonly line: number; readonly fields: Readonly<Record<string, string>> }[]
}

/** Each row has a field a column, also where its line ends before. */
const mostCells = 5_000_000

/**
 * Reads a table whose first row names its columns. Lines may end with LF, CRLF or CR. `line` counts rows, as a
 * spreadsheet numbers them: the header is mostly 1. Blank rows before it, and the `sep=;` that Excel reads, are passed over.
 *
 * @throws {FormatError} names file and row: quotes that do not end, a row with a cell too many, two columns of one name
 */
export function readPromptTable(name: string, content: string): PromptTable {
  const whole = content.replace(/\r\n?/g, '\n')
  const [before] = /^(?:\s*\n)*(?:sep=.\n)?(?:\s*\n)*/.exec(whole)!
  const text = whole.slice(before.length)
  const header = before.split('\n').length
  const [names] = text.split('\n', 1)
  const delimiter = delimiterOf(extname(name).toLowerCase(), names)
  expectNarrow(name, text, delimiter)
  const [first = [], ...body] =
    (delimiter === '\t' ? plainCells(text) : undefined) ?? quotedCells(name, text, delimiter)
  const columns = first.map((column) => column.trim())
  refuseSecond(columns, `${name}:${header}`)
  if (columns.length * body.length > mostCells) {
    throw new FormatError({
      where: `${name}:${header}`,
      expected: `at most ${mostCells} cells`,
      received: `${columns.length} columns of ${body.length} rows`,
      remedy: 'keep the columns that are needed, or split the file',
    })
  }
  const rows = body.flatMap((cells, place) => {
    if (cells.every((cell) => cell.trim() === '')) return []
    const line = place + header + 1
    if (cells.slice(columns.length).some((cell) => cell.trim() !== '')) {
      throw new FormatError({
        where: `${name}:${line}`,
        expected: `${columns.length} cells, as in the first row`,
        received: String(cells.length),
        remedy: 'put quotes around cells that hold what separates them',
      })
    }
    return [{ line, fields: Object.fromEntries(columns.map((column, i) => [column, cells[i]?.trim() ?? ''])) }]
  })
  return { columns, header, rows }
}

function refuseSecond(columns: readonly string[], where: string): void {
  const twice = columns.find((column, place) => column !== '' && columns.indexOf(column) < place)
  if (twice === undefined) return
  throw new FormatError({
    where,
    expected: 'each column once',
    received: `${twice} twice`,
    remedy: 'rename or remove one of the two',
  })
}

function delimiterOf(ending: string, header: string): string {
  if (ending === '.tsv' && (header.includes('\t') || !/[,;]/.test(header))) return '\t'
  const parts = (delimiter: string) => header.split(delimiter).length
  return [',', ';', '\t'].reduce((best, one) => (parts(one) > parts(best) ? one : best))
}

/**
 * Cells between tabs, where every line is a row of its own: a quote at the start of a cell must not swallow the rows
 * that follow. Quotes around a whole cell are taken off. Nothing where cells seem to go on over lines.
 */
function plainCells(text: string): string[][] | undefined {
  const rows = text.split('\n').map((line) => line.split('\t'))
  const width = rows[0].length
  const goesOn = (cell: string) => cell.trimStart().startsWith('"') && innerOf(cell) === undefined
  const isWhole = (cells: readonly string[]) =>
    cells.length === width || (cells.length < width && (width === 1 || !cells.some(goesOn)))
  if (!rows.every(isWhole)) return undefined
  return rows.map((cells) => cells.map(unquoted))
}

const unquoted = (cell: string): string => innerOf(cell)?.replaceAll('""', '"') ?? cell

/** What stands between quotes around a whole cell, in which each quote is doubled. */
function innerOf(cell: string): string | undefined {
  const text = cell.trim()
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return undefined
  const inner = text.slice(1, -1)
  return inner.replaceAll('""', '').includes('"') ? undefined : inner
}

function quotedCells(name: string, text: string, delimiter: string): string[][] {
  try {
    return parse(text, { delimiter, relax_column_count: true, relax_quotes: true })
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new FormatError({
      where: `${name}:${cause.lines ?? '?'}`,
      expected: 'a table with balanced quotes',
      received: cause.message,
      remedy: 'correct the line, or save the table again',
      cause,
    })
  }
}
