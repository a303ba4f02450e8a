/**
 * Lists of captioned images: a folder as Hugging Face's `imagefolder` (a `metadata.jsonl` or `metadata.csv` in it, or in
 * folders below it), or one such list by its own name. Paths are relative to the list.
 */
import { globSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, posix, relative, resolve, win32 } from 'node:path'
import { csvRows } from '../csv-rows.ts'
import { ConfigError, FileError, FormatError } from '../errors.ts'
import { placeInside, readText } from '../files.ts'
import type { LeftOut } from './left-out.ts'

export interface CaptionedImage {
  readonly file: string
  readonly caption: string
  /** The number of its row, which goes on from list to list. Rows that cannot be used have theirs too. */
  readonly index: number
  readonly bytes: number
  readonly modifiedMs: number
}

export interface ListColumns {
  readonly imageColumn: string
  readonly captionColumn: string
}

/** A row as it was read. */
interface Row {
  readonly line: number
  readonly image: unknown
  readonly caption: unknown
}

/**
 * The images of a folder or a list that are there and have a caption, in the order of the rows. Captions lose the space
 * around them. Images that no row names are not looked at.
 *
 * @param leftOut notes rows without a caption or a file name, that are not JSON, or whose file is missing or elsewhere
 * @throws {FileError} no such folder or file
 * @throws {ConfigError} a file that is neither .csv nor .jsonl
 * @throws {FormatError} a folder without a list or with two, a table without these columns, or with broken quotes
 */
export async function readCaptionedImages(
  place: string,
  columns: ListColumns,
  leftOut: LeftOut,
): Promise<CaptionedImage[]> {
  const images: CaptionedImage[] = []
  let before = 0
  for (const { name, file } of listsOf(place)) {
    const text = await readText(file)
    const isTable = extname(file).toLowerCase() === '.csv'
    const rows = isTable ? tableRows(name, text, columns, leftOut) : jsonRows(name, text, columns, leftOut)
    for (const row of rows) {
      const image = await leftOut.attempt(() => checkedImage(row, name, dirname(file), columns))
      if (image !== undefined) images.push({ ...image, index: before + row.line })
    }
    before += text.split('\n').length
  }
  return images
}

function listsOf(place: string): { readonly name: string; readonly file: string }[] {
  const found = statSync(place, { throwIfNoEntry: false })
  if (found === undefined) {
    throw new FileError({
      where: place,
      expected: 'a folder of captioned images, or a list of them',
      received: 'no such folder or file',
      remedy: 'check the path',
    })
  }
  if (!found.isDirectory()) {
    const ending = extname(place).toLowerCase()
    if (ending === '.csv' || ending === '.jsonl') return [{ name: basename(place), file: place }]
    throw new ConfigError({
      where: place,
      expected: 'a folder, or a file named .csv or .jsonl',
      received: ending === '' ? 'a file without an ending' : `a file named ${ending}`,
      remedy: 'give the folder of the images, or rename the list by its format',
    })
  }
  const names = globSync('**/metadata.{jsonl,csv}', { cwd: place }).sort()
  const second = names.find((name, i) => i > 0 && dirname(name) === dirname(names[i - 1]))
  if (names.length > 0 && second === undefined) return names.map((name) => ({ name, file: join(place, name) }))
  throw new FormatError({
    where: second === undefined ? place : join(place, dirname(second)),
    expected: 'one metadata.jsonl or metadata.csv beside the images',
    received: second === undefined ? 'a folder without one' : 'both',
    remedy: second === undefined ? 'write a line an image: {"file_name": "a.png", "text": "…"}' : 'remove one of them',
  })
}

function tableRows(name: string, text: string, columns: ListColumns, leftOut: LeftOut): Row[] {
  const [image, caption] = [columns.imageColumn, columns.captionColumn].map((column) => column.trim().toLowerCase())
  const table = csvRows(name, text, [], (error) => leftOut.add(error))
  for (const [column, flag] of [
    [image, '--image-column'],
    [caption, '--caption-column'],
  ]) {
    if (table.columns.has(column)) continue
    throw new FormatError({
      where: `${name}:1 ${column}`,
      expected: 'a column of this name',
      received: [...table.columns].join(', ') || 'an empty file',
      remedy: `name another column with ${flag}, or add it`,
    })
  }
  return table.rows.map(({ row, cell }) => ({ line: row, image: cell(image), caption: cell(caption) }))
}

function jsonRows(name: string, text: string, columns: ListColumns, leftOut: LeftOut): Row[] {
  return text.split('\n').flatMap((line, place): Row[] => {
    if (line.trim() === '') return []
    const row = place + 1
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (cause) {
      leftOut.add(brokenRow(`${name}:${row}`, 'JSON', (cause as Error).message, 'correct the syntax', cause))
      return []
    }
    // What is no record has no member of these names.
    const record = Object(value) as Readonly<Record<string, unknown>>
    return [{ line: row, image: record[columns.imageColumn], caption: record[columns.captionColumn] }]
  })
}

function checkedImage(
  row: Row,
  list: string,
  folder: string,
  { imageColumn, captionColumn }: ListColumns,
): Omit<CaptionedImage, 'index'> {
  const where = `${list}:${row.line} ${imageColumn}`
  const name = statedText(row.image, where, 'a file name', '--image-column')
  const caption = statedText(row.caption, `${list}:${row.line} ${captionColumn}`, 'a caption', '--caption-column')
  const expected = 'an image in the folder of the list, or below it'
  const inside = posix.normalize(name.replaceAll('\\', '/'))
  if (win32.isAbsolute(name) || inside === '..' || inside.startsWith('../')) {
    throw brokenRow(where, expected, `${name}, which leaves it`, 'move the image there, and state its path from there')
  }
  const file = join(folder, name)
  let found
  try {
    found = statSync(file)
  } catch (cause) {
    throw brokenRow(where, expected, `${name}, which is not there`, 'restore the file, or remove the row', cause)
  }
  if (!found.isFile()) throw brokenRow(where, expected, `${name}, which is no file`, 'name an image')
  const bounds = hubRepository(folder) ?? folder
  placeInside(bounds, relative(bounds, file), where)
  return { file, caption, bytes: found.size, modifiedMs: found.mtimeMs }
}

/**
 * The folder of a repository in Hugging Face's cache that holds this one: its snapshots are links to the blobs beside them.
 * Undefined elsewhere.
 */
function hubRepository(folder: string): string | undefined {
  return /^(.*[\\/]datasets--[^\\/]+)[\\/]snapshots[\\/]/.exec(`${resolve(folder)}/`)?.[1]
}

function statedText(value: unknown, where: string, expected: string, flag: string): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (text !== '') return text
  const received = value === undefined || value === '' || value === null ? 'nothing' : JSON.stringify(value)
  throw brokenRow(where, expected, received, `write one, or name another column with ${flag}`)
}

function brokenRow(where: string, expected: string, received: string, remedy: string, cause?: unknown): FormatError {
  return new FormatError({ where, expected, received, remedy, cause })
}
