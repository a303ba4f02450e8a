/** Guidelines that somebody writes: kept in the browser until they are saved or given up, whatever happens to the page. */
import { useState } from 'react'
import { z } from 'zod'
import { ImageRef } from '../../../src/studio/schemas/basics.ts'
import type { Guidelines, ShownGuidelines } from '../../../src/studio/schemas/labelling.ts'
import { readStored, writeStored } from '../../stored.ts'

const key = 'attune.guidelines-draft'

/** As it is typed: its codes and labels need not be right yet. */
const Written = z.object({
  text: z.string(),
  reasons: z.array(z.object({ code: z.string(), label: z.string() })),
  consent: z.string(),
  /** Those whose images are there. */
  examples: z.array(
    z.object({
      picture: ImageRef,
      prompt: z.string(),
      answer: z.enum(['good', 'bad']),
      note: z.string(),
    }),
  ),
})
export type Written = z.infer<typeof Written>
const Draft = z.object({
  written: Written,
  /** What was saved when it was begun. */
  begunFrom: Written,
})
type Draft = z.infer<typeof Draft>

interface GuidelinesDraft {
  readonly written: Written
  /** Something is not saved yet. */
  readonly isChanged: boolean
  /** Somebody else has saved others since it was begun. */
  readonly isOvertaken: boolean
  readonly change: (change: Partial<Written>) => void
  /** Back to what is saved. */
  readonly giveUp: () => void
}

export function useGuidelinesDraft(saved: ShownGuidelines): GuidelinesDraft {
  const [draft, setDraft] = useState(readDraft)
  const keep = (next: Draft | undefined) => {
    setDraft(next)
    writeStored(key, next === undefined ? null : JSON.stringify(next))
  }
  const current = written(saved)
  return {
    written: draft?.written ?? current,
    isChanged: draft !== undefined && !isSame(draft.written, current),
    isOvertaken: draft !== undefined && !isSame(draft.begunFrom, current) && !isSame(draft.written, current),
    change: (change) => {
      const next = { ...(draft?.written ?? current), ...change }
      keep(isSame(next, current) ? undefined : { begunFrom: draft?.begunFrom ?? current, written: next })
    },
    giveUp: () => keep(undefined),
  }
}

const written = ({ text, reasons, consent, examples }: ShownGuidelines): Written => ({
  text,
  reasons: reasons.map(({ code, label }) => ({ code, label })),
  consent,
  examples: examples.flatMap(({ picture, prompt, answer, note }) =>
    picture === null ? [] : [{ picture, prompt, answer, note }],
  ),
})

/** As they are sent. */
export const toSave = ({ examples, ...rest }: Written): Guidelines => ({
  ...rest,
  examples: examples.map(({ picture, answer, note }) => ({ image: picture.id, answer, note: note.trim() })),
})
const isSame = (a: Written, b: Written) => JSON.stringify(a) === JSON.stringify(b)

function readDraft(): Draft | undefined {
  const stored = readStored(key)
  if (stored === null) return undefined
  try {
    return Draft.safeParse(JSON.parse(stored)).data
  } catch {
    return undefined
  }
}
