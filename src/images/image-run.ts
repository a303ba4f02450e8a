/** A run folder of images: PNG files under `images/` and one ImageRecord a line in `images.jsonl`. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FileError, FormatError } from '../errors.ts'
import { placeInside } from '../files.ts'
import { ImageRecord } from '../records.ts'
import { readRun } from '../run.ts'

export const imageListName = 'images.jsonl'

/** An image of a run and where its PNG lies. */
export interface ImageOfRun {
  readonly record: ImageRecord
  readonly file: string
}

/**
 * The images of finished runs, in their order.
 *
 * @throws {FileError} no such run, one that is not finished, or a PNG that is not there
 * @throws {FormatError} names file and line of a broken record
 */
export async function readImages(...folders: readonly string[]): Promise<ImageOfRun[]> {
  return folders.flatMap((folder) => {
    readRun(folder)
    return readImageList(join(folder, imageListName)).map((record, line) => {
      const file = join(folder, record.file)
      if (existsSync(file)) return { record, file }
      throw new FileError({
        where: `${join(folder, imageListName)}:${line + 1} file`,
        expected: 'an image of this folder',
        received: `${record.file}, which is not there`,
        remedy: 'restore the file, or draw the images again',
      })
    })
  })
}

/**
 * The records of an `images.jsonl`, whose files lie below its folder.
 *
 * @throws {FileError} no such file
 * @throws {FormatError} names file and line of a broken record, or of one whose file leads out of the folder
 */
export function readImageList(file: string): ImageRecord[] {
  if (!existsSync(file)) {
    throw new FileError({
      where: file,
      expected: 'the list of the images of a run',
      received: 'no such file',
      remedy: 'give the folder of an `images generate` or `policy best-of-n` run',
    })
  }
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, place) =>
    line === '' ? [] : [readImageRecord(line, dirname(file), `${file}:${place + 1}`)],
  )
}

/**
 * A line of an `images.jsonl`.
 *
 * @param where names it in errors
 * @throws {FormatError} a broken record, or one whose file leads out of the folder
 */
export function readImageRecord(line: string, folder: string, where: string): ImageRecord {
  const refuse = (field: string, received: string, cause: unknown) =>
    new FormatError({
      where: `${where} ${field}`.trim(),
      expected: 'an image record',
      received,
      remedy: 'draw the images again, or restore the file',
      cause,
    })
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw refuse('', (cause as Error).message, cause)
  }
  const parsed = ImageRecord.safeParse(value)
  if (parsed.success) {
    placeInside(folder, parsed.data.file, `${where} file`)
    return parsed.data
  }
  const [issue] = parsed.error.issues
  throw refuse(issue.path.join('.'), issue.message, parsed.error)
}

/** Runs of images as the parents of a manifest. */
export function imageParents(folders: readonly string[]): Record<string, string> {
  return Object.fromEntries(folders.map((folder, i) => [folders.length === 1 ? 'images' : `images ${i + 1}`, folder]))
}
