/** Images as people name them. */
import { basename } from 'node:path'
import { csvRows } from '../../csv-rows.ts'
import { FormatError, UnknownRecordError } from '../../errors.ts'
import { readText } from '../../files.ts'
import type { StoredImage } from '../store/known-rows.ts'

/** @throws {UnknownRecordError | FormatError} no image has the name, or several have */
export type FindImage = (name: string, where: string) => string

/**
 * Finds images by id, then by number on the sheet, then by file name or the path in their run folder.
 *
 * @param first those that a name of a file means where it is one of theirs
 * @param sheet the `sheet.csv` of contact sheets
 */
export async function imageFinder(
  images: readonly StoredImage[],
  first: readonly StoredImage[],
  sheet: string | undefined,
): Promise<FindImage> {
  const ids = new Set(images.map(({ record }) => record.id))
  const named = [namesOf(first), namesOf(images)]
  const numbered = new Map<string, string>()
  if (sheet !== undefined) {
    const { rows } = csvRows(basename(sheet), await readText(sheet), ['number', 'image'])
    for (const row of rows) {
      const [number, image] = [row.cell('number'), row.cell('image')]
      if ((numbered.get(number) ?? image) !== image) {
        throw new FormatError({
          where: `${basename(sheet)}:${row.row} number`,
          expected: 'each number once',
          received: `${number} again, for another image`,
          remedy: 'give the sheet.csv of these contact sheets alone',
        })
      }
      numbered.set(number, image)
    }
  }
  return (name, where) => {
    const id = numbered.get(name) ?? name
    if (ids.has(id)) return id
    const found = [...(named.find((names) => names.has(name))?.get(name) ?? [])]
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

function namesOf(images: readonly StoredImage[]): Map<string, Set<string>> {
  const named = new Map<string, Set<string>>()
  for (const { record } of images) {
    for (const key of [record.file, basename(record.file)]) {
      named.set(key, (named.get(key) ?? new Set()).add(record.id))
    }
  }
  return named
}

export function unknownImage(where: string, name: string): UnknownRecordError {
  return new UnknownRecordError({
    where,
    expected: 'an image of this store (id or file name, or a number with its contact sheet)',
    received: name === '' ? 'nothing' : `unknown image ${name}`,
    remedy: 'was this file made for another run?',
  })
}
