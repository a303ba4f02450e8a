/** Content of files against zod schemas, with errors that name the field. */
import type { z } from 'zod'
import { DivergenceError, FormatError } from './errors.ts'

/**
 * @param where  names the file
 * @param remedy of every complaint
 * @throws {FormatError} names the field, what is accepted there (the message of the schema) and what was found
 */
export function checked<S extends z.ZodType>(schema: S, content: unknown, where: string, remedy: string): z.output<S> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  // What is wrong with the name of a field lies a level deeper, and what was found is the name.
  const isName = issue.code === 'invalid_key'
  const { message } = isName ? issue.issues[0] : issue
  const value = isName
    ? issue.path.at(-1)
    : issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], content)
  throw new FormatError({
    where: `${where} ${issue.path.join('.')}`.trim(),
    expected: /expected (.*?)(?:, received .*)?$/.exec(message)?.[1] ?? message,
    received: shown(value),
    remedy,
    cause: parsed.error,
  })
}

/** Numbers as they are: JSON has no words for those that are not finite. */
const shown = (value: unknown) =>
  value === undefined ? 'nothing' : typeof value === 'number' ? String(value) : JSON.stringify(value).slice(0, 80)

/**
 * Numbers anywhere in a record, before it becomes JSON, which has no NaN and no ∞.
 *
 * @param where what the record is: `metrics of step 7`
 * @throws {DivergenceError} names the place of the first number that is not finite
 */
export function expectFiniteNumbers(where: string, record: unknown, remedy = 'nothing was written'): void {
  if (typeof record === 'number' && !Number.isFinite(record)) {
    throw new DivergenceError({ where, expected: 'a finite number', received: String(record), remedy })
  }
  if (typeof record !== 'object' || record === null) return
  for (const [name, value] of Object.entries(record)) expectFiniteNumbers(`${where} ${name}`, value, remedy)
}
