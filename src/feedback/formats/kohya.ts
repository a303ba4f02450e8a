/**
 * A folder of pairs for kohya's sd-scripts (pull request 1427): `w/000001.png` won against `l/000001.png`, and beside each
 * lies its caption, `000001.txt`. `train.jsonl` says the same as records of Flow-Factory, with the rater and the time of each
 * pair, so that the folder is a data set of that trainer as well, and Attune reads it again as such.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFolderAtomic, writing } from '../../files.ts'
import { writeRecords } from './flow-factory.ts'
import type { WriteForeign } from './foreign.ts'
import { copyPictures, preferredPairs } from './preferred-pairs.ts'

/** Trainers take the first line of a caption. */
const captionOf = (text: string) => `${text.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ').trim()}\n`

/**
 * Writes the folder, whole or not at all. Ties are left out.
 *
 * @throws {FileError} there is something in the folder, or it cannot be written
 */
export const writeKohya: WriteForeign = async (folder, judgments, imageOf, provenance, stderr) => {
  const pairs = judgments.flatMap(preferredPairs)
  const digits = Math.max(6, String(pairs.length).length)
  const placed = pairs.map((pair, place) => {
    const name = String(place + 1).padStart(digits, '0')
    return { ...pair, name, chosenPath: `w/${name}.png`, rejectedPath: `l/${name}.png` }
  })
  await writeFolderAtomic(folder, async (partial) => {
    writing(folder, () => {
      for (const side of ['w', 'l']) mkdirSync(join(partial, side))
      for (const { name, chosen } of placed) {
        const caption = captionOf(imageOf(chosen).record.text)
        for (const side of ['w', 'l']) writeFileSync(join(partial, side, `${name}.txt`), caption)
      }
    })
    const copies = placed.flatMap(({ chosen, rejected, chosenPath, rejectedPath }) => [
      { image: chosen, file: join(partial, chosenPath) },
      { image: rejected, file: join(partial, rejectedPath) },
    ])
    await copyPictures(copies, imageOf, stderr)
    writeRecords(join(partial, 'train.jsonl'), placed, imageOf, provenance)
  })
  return { rows: pairs.length, beside: [] }
}
