/** Comments as a file of their own beside an export of judgments: JSON lines. */
import { writePiecesAtomic } from '../../files.ts'
import { readComments } from '../comments.ts'
import type { StoredImage } from '../store/known-rows.ts'
import type { FeedbackStore } from '../store/store.ts'
import type { Provenance } from './provenance.ts'

/**
 * Writes `judgments.comments.jsonl` beside `judgments.csv`, where there are comments.
 *
 * @returns the files that it wrote
 * @throws {FileError}
 */
export async function exportComments(
  { database }: Pick<FeedbackStore, 'database'>,
  file: string,
  imageOf: (id: string) => StoredImage,
  { nameOf, licence, version }: Provenance,
): Promise<string[]> {
  const comments = await readComments(database)
  if (comments.length === 0) return []
  const place = `${file.replace(/\.[^./\\]+$/, '')}.comments.jsonl`
  const lines = comments.values().map(({ image, rater, text, at }) => {
    const { text: prompt, sha256 } = imageOf(image).record
    return `${JSON.stringify({ image, prompt, sha256, rater: nameOf(rater), at, text, licence, version })}\n`
  })
  writePiecesAtomic(place, lines)
  return [place]
}
