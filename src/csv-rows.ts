/** A table as a spreadsheet program writes it: BOM, CRLF, quotes, commas or semicolons or tabs. */
import { CsvError, parse } from 'csv-parse/sync'
import { FormatError } from './errors.ts'

/** Signs between cells on one line, as a spreadsheet has columns; what has more takes minutes. */
const mostCells = 16_384

/** One row that is not blank. */
export interface CsvRow {
  /** As a spreadsheet numbers it; the header is row 1. */
  readonly row: number
  /**
   * The trimmed cell under a column; empty where the column is missing.
   *
   * @throws {FormatError} two columns have the name: which one is meant cannot be told
   */
  cell(column: string): string
}

/**
 * Reads a table with a header. Names of columns are compared without case; a quote within a cell is an ordinary character.
 *
 * @param refuse sees a row with a cell too many, which is left out; without it such a row is thrown
 * @throws {FormatError} names the file and the row: quotes that do not end, a missing column, no header
 */
export function csvRows(
  name: string,
  text: string,
  required: readonly string[],
  refuse?: (error: FormatError) => void,
): { readonly columns: ReadonlySet<string>; readonly rows: readonly CsvRow[] } {
  const [header, ...body] = cells(name, text)
  const columns = (header ?? []).map((column) => column.trim().toLowerCase())
  for (const column of required) {
    if (columns.includes(column)) continue
    throw new FormatError({
      where: `${name}:1 ${column}`,
      expected: `a first row with the columns ${required.join(', ')}`,
      received: columns.some((other) => other !== '') ? columns.join(', ') : 'an empty file',
      remedy: 'add the column',
    })
  }
  const places = new Map<string, number>()
  const twice = new Set<string>()
  for (const [place, column] of columns.entries()) {
    if (places.has(column)) twice.add(column)
    else places.set(column, place)
  }
  const placeOf = (column: string): number => {
    if (!twice.has(column)) return places.get(column) ?? -1
    throw new FormatError({
      where: `${name}:1 ${column}`,
      expected: 'one column of this name',
      received: 'two',
      remedy: 'rename or remove one of them',
    })
  }
  const rows = body.flatMap((record, place): CsvRow[] => {
    const row = place + 2
    if (record.every((value) => value.trim() === '')) return []
    const extra = record.slice(columns.length).find((value) => value.trim() !== '')
    if (extra !== undefined) {
      const error = new FormatError({
        where: `${name}:${row}`,
        expected: `${columns.length} cells, as in the first row`,
        received: `${record.length}`,
        remedy: 'put quotes around cells that contain commas',
      })
      if (refuse === undefined) throw error
      refuse(error)
      return []
    }
    const cell = (column: string) => record[placeOf(column)]?.trim() ?? ''
    return [{ row, cell }]
  })
  return { columns: new Set(columns), rows }
}

function cells(name: string, text: string): string[][] {
  const [header] = text.split('\n', 1)
  const delimiter = header.includes(',') ? ',' : header.includes(';') ? ';' : header.includes('\t') ? '\t' : ','
  expectNarrow(name, text, delimiter)
  try {
    return parse(text, { bom: true, delimiter, relax_column_count: true, relax_quotes: true })
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new FormatError({
      where: `${name}:${cause.lines ?? '?'}`,
      expected: 'CSV with balanced quotes',
      received: cause.message,
      remedy: 'correct the line, or save the table again as CSV',
      cause,
    })
  }
}

/** @throws {FormatError} a line with more cells than any table has */
export function expectNarrow(name: string, text: string, delimiter: string): void {
  let count = 0
  let line = 1
  for (const sign of text) {
    if (sign === '\n') line++
    if (sign === '\n' || sign === '\r') count = 0
    else if (sign === delimiter && ++count > mostCells) {
      throw new FormatError({
        where: `${name}:${line}`,
        expected: `at most ${mostCells} cells`,
        received: 'more',
        remedy: 'keep the columns that are needed',
      })
    }
  }
}
