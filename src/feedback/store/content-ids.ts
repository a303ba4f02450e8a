/** Ids of judgments that come without one: by what they say, so that a file counts once however often it is imported. */
import type { Judgment } from '../../records.ts'
import type { ContentId } from '../formats/provenance.ts'
import { questionOf } from '../raters/standing.ts'

export interface Unidentified {
  /** With the ids of its images. Its id counts only where `source` is missing; its time only where `source` has it. */
  readonly judgment: Judgment
  /** What else tells it from others, as its file states it: an id, a time. */
  readonly source?: readonly unknown[]
}

/**
 * Judgments with ids. Two with the same content are one, unless the rater has said something else about the same images
 * in between: then the mind was changed back, which is another judgment.
 */
export function identified(judgments: readonly Unidentified[], idOf: ContentId): Judgment[] {
  const latest = new Map<string, string>()
  const times = new Map<string, number>()
  return judgments.map(({ judgment, source }) => {
    const question = JSON.stringify([judgment.rater, questionOf(judgment)])
    const { id: _id, at: _at, ...said } = judgment
    const content = JSON.stringify([source ?? judgment.id, Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1))])
    const isRepeated = latest.get(question) === content
    latest.set(question, content)
    const time = (times.get(content) ?? 0) + (isRepeated ? 0 : 1)
    times.set(content, time)
    return source === undefined ? judgment : { ...judgment, id: idOf(content, time) }
  })
}
