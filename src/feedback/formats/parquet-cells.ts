/** What readers of parquet files ask of columns and cells. */
import { FormatError } from '../../errors.ts'
import type { ForeignOptions } from './foreign-json.ts'
import type { Parquet } from './parquet-file.ts'

/** Types of columns that hold numbers, and texts. */
export const numbers = ['DOUBLE', 'INT64', 'INT32', 'FLOAT'] as const
export const texts = ['BYTE_ARRAY'] as const

/**
 * @param types the first one is named
 * @param hint   what to do
 * @param typeOf of a column; by default of its values
 * @throws {FormatError} the column is missing, or of another type
 */
export function expectType(
  parquet: Parquet,
  column: string,
  types: readonly string[],
  hint: string,
  typeOf: (column: string) => string | undefined = (one) => parquet.typeOf(one),
): void {
  const received = typeOf(column)
  if (received !== undefined && types.includes(received)) return
  throw new FormatError({
    where: `${parquet.name} ${column}`,
    expected: `a column of type ${types[0]}`,
    received: received ?? `none (there are ${parquet.columns.join(', ')})`,
    remedy: hint,
  })
}

/** The text of a cell; empty where there is nothing. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)
}

/**
 * The bytes of a picture: those in the file, or of the file that it names; undefined where there are neither.
 *
 * @param list where it stands in the list of the row, and how long that has to be
 * @throws {FormatError} the list is of another length
 */
export async function pictureBytes(
  parquet: Parquet,
  row: number,
  column: string,
  findFile: ForeignOptions['findFile'],
  list?: { readonly place: number; readonly length: number },
): Promise<Uint8Array | undefined> {
  const { bytes, path, among } = await parquet.picture(row, column, list?.place)
  if (list !== undefined && among !== list.length) {
    throw new FormatError({
      where: `${parquet.name} row ${row + 1} ${column}`,
      expected: `${list.length} images, as in the other lists of the row`,
      received: `${among ?? 'none'}`,
      remedy: 'correct the row, or leave it out',
    })
  }
  return bytes ?? (path === undefined ? new Uint8Array() : findFile(path))
}
