/** Judgments that an export of Attune holds beside a format that has no place for all of them. */
import { z } from 'zod'
import { Judgment } from '../../records.ts'

const Recorded = z.object({ attune: z.string(), judgments: z.array(z.unknown()) })

/**
 * The judgments of an export record; none where there is no such record, or another one: the format itself is enough
 * then.
 *
 * @param text JSON of an `ExportRecord`
 */
export function restoredJudgments(text: string | undefined): Judgment[] {
  const recorded = Recorded.safeParse(parsed(text))
  if (!recorded.success) return []
  return recorded.data.judgments.flatMap((given) => {
    const { success, data } = Judgment.safeParse(given)
    return success ? [data] : []
  })
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** With its images, and what else was shown, under the keys of a file. */
export function keyed(judgment: Judgment, keyOf: (image: string) => string): Judgment {
  const { images, shown } = judgment
  return { ...judgment, images: images.map(keyOf), ...(shown === undefined ? {} : { shown: shown.map(keyOf) }) }
}
