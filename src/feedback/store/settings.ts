/** How raters are asked; kept with the feedback, so that every process asks alike. */
import { z } from 'zod'
import type { FeedbackDatabase } from './database.ts'

const share = z.number().min(0).max(1)

export const FeedbackSettings = z.object({
  mode: z.enum(['good-bad', 'pair', 'rating']).default('good-bad').describe('Way of asking that comes first.'),
  overlapShare: share.default(0.2).describe('Share of the images that two raters are asked about.'),
  goldShare: share.default(0.05).describe('Share of the tasks that hold an image with a known answer.'),
  byUncertainty: z
    .boolean()
    .default(false)
    .describe('Of a prompt that nobody has judged, the images come first of which the reward is least sure.'),
  seed: z.int().nonnegative().default(0).describe('Of the order in which raters are asked.'),
})
export type FeedbackSettings = z.infer<typeof FeedbackSettings>

/** A value that makes no sense is as good as none: raters are still asked. */
export async function readSettings(database: FeedbackDatabase): Promise<FeedbackSettings> {
  const rows = await database.selectFrom('settings').selectAll().execute()
  const known = rows.flatMap(({ key, value }): [string, unknown][] => {
    const field = Object.hasOwn(FeedbackSettings.shape, key)
      ? FeedbackSettings.shape[key as keyof FeedbackSettings]
      : undefined
    const parsed = field?.safeParse(jsonOf(value))
    return parsed?.success === true ? [[key, parsed.data]] : []
  })
  return FeedbackSettings.parse(Object.fromEntries(known))
}

function jsonOf(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

export async function changeSettings(database: FeedbackDatabase, change: Partial<FeedbackSettings>): Promise<void> {
  const rows = Object.entries(change).map(([key, value]) => ({ key, value: JSON.stringify(value) }))
  if (rows.length === 0) return
  await database
    .insertInto('settings')
    .values(rows)
    .onConflict((conflict) => conflict.column('key').doUpdateSet((row) => ({ value: row.ref('excluded.value') })))
    .execute()
}
