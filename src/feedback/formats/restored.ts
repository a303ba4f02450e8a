/** Judgments that an export of Attune holds beside a format that has no place for all of them. */
import { z } from 'zod'
import { Judgment } from '../../records.ts'

/** What an import needs of an `ExportRecord`. */
export interface Recorded {
  readonly judgments: readonly unknown[]
  /** By id: the SHA-256 of the picture as it was written; exports of earlier versions do not say it. */
  readonly images: Readonly<Partial<Record<string, { readonly sha256: string | undefined }>>>
}

const Recorded = z.object({
  attune: z.string(),
  judgments: z.array(z.unknown()),
  images: z.record(z.string(), z.object({ written: z.string().optional() })).default({}),
})

/** @param text JSON of an `ExportRecord`; nothing is read where it is none: the format itself is enough then */
export function exportRecord(text: string | undefined): Recorded {
  const { success, data } = Recorded.safeParse(parsed(text))
  if (!success) return { judgments: [], images: {} }
  const images = Object.entries(data.images).map(([id, { written }]) => [id, { sha256: written }] as const)
  return { judgments: data.judgments, images: Object.fromEntries(images) }
}

/** Those that are judgments; one that takes another back stands in no export. */
export function restoredJudgments(recorded: readonly unknown[]): Judgment[] {
  return recorded.flatMap((given) => {
    const { success, data } = Judgment.safeParse(given)
    return success && data.undoes === undefined ? [data] : []
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
