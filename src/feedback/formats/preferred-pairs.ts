/** What formats of other trainers hold: of two images of a prompt the one that is better. */
import { copyFileSync, linkSync, writeFileSync } from 'node:fs'
import { progress, type ProgressStream } from '../../progress.ts'
import type { Judgment } from '../../records.ts'
import { writing } from '../../files.ts'
import type { StoredImage } from '../store/known-rows.ts'
import { imageFile } from './image-file.ts'
import { pairsOf } from './pick-a-pic.ts'

export interface PreferredPair {
  readonly judgment: Judgment
  /** Ids of images. */
  readonly chosen: string
  readonly rejected: string
}

/** Of a pair its two images, of a ranking every two; none of a tie, which such trainers do not know. */
export function preferredPairs(judgment: Judgment): PreferredPair[] {
  return pairsOf(judgment).flatMap(({ images: [first, second], label }) => {
    if (label === 0.5) return []
    const [chosen, rejected] = label === 1 ? [first, second] : [second, first]
    return [{ judgment, chosen, rejected }]
  })
}

/** How many ties a judgment holds. */
export const tiesIn = (judgment: Judgment): number => pairsOf(judgment).filter(({ label }) => label === 0.5).length

interface Copy {
  readonly image: string
  readonly file: string
}

/**
 * Copies pictures, in turns with whatever else the process does. A picture that is asked for again is a hard link to its
 * first copy, and never to the image of the store, which whoever works on the copies could change; where the file system
 * has no links, another copy.
 *
 * @throws {FileError | FormatError} an image is gone or broken, or a file cannot be written
 */
export async function copyPictures(
  copies: readonly Copy[],
  imageOf: (id: string) => StoredImage,
  stderr: ProgressStream,
): Promise<void> {
  const bar = progress('export', copies.length, 'images', stderr)
  const first = new Map<string, string>()
  for (const { image, file } of copies) {
    const before = first.get(image)
    if (before !== undefined) writing(file, () => linkOrCopy(before, file))
    else {
      const png = imageFile(imageOf(image))
      writing(file, () => writeFileSync(file, png))
      first.set(image, file)
    }
    bar.advance()
    await new Promise(setImmediate)
  }
  if (copies.length > 0) bar.done()
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
