import type { z } from 'zod'
import { texts } from '../../texts/texts.ts'

/** What a schema does not accept: by the field, as `reasons.2.code`, what it expects there. */
export function wrongOf(schema: z.ZodType, given: unknown): Map<string, string> {
  const { expected } = texts().asking
  const { error } = schema.safeParse(given)
  const issues =
    error?.issues.map(({ path, message }): [string, string] => [path.join('.'), expected[message] ?? message]) ?? []
  // The first of a field is the one to tell.
  return new Map(issues.reverse())
}
