/** What a schema has against a value that came from a file, in words. */
import type { z } from 'zod'

const words: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/**
 * @param value that was parsed
 * @returns what was expected where the issue lies, and what stands there
 */
export function complaintOf(
  issue: z.core.$ZodIssue,
  value: unknown,
): { readonly expected: string; readonly received: string } {
  return { expected: expectedBy(issue), received: receivedAt(issue, value) }
}

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return words[issue.expected] ?? issue.expected
    case 'invalid_value':
      return issue.values.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' or ')
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? issue.options.join(' or ') : issue.message
    case 'too_small':
    case 'too_big': {
      const bound = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum)
      const isStrict = issue.inclusive === false
      const number = issue.origin === 'number' || issue.origin === 'int'
      const side = issue.code === 'too_small' ? 'at least' : 'at most'
      const amount = isStrict ? `${issue.code === 'too_small' ? 'more' : 'less'} than ${bound}` : `${side} ${bound}`
      if (number) return isStrict && bound === 0 ? '1 or more' : amount
      if (issue.exact === true) return `${bound} of them`
      return issue.origin === 'string' ? `${amount} ${bound === 1 ? 'character' : 'characters'}` : `${amount} of them`
    }
    case 'invalid_format':
      return issue.format === 'datetime' ? 'a time in UTC, as 2026-01-31T12:00:00Z' : issue.message
    case 'unrecognized_keys':
      return `no ${issue.keys.join(', ')} here`
    default:
      return issue.message
  }
}

function receivedAt(issue: z.core.$ZodIssue, value: unknown): string {
  let found = value
  for (const step of issue.path) found = (Object(found) as Record<PropertyKey, unknown>)[step]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => shown(Object(found)[key])).join(', ')
  if (Array.isArray(found) && (issue.code === 'too_small' || issue.code === 'too_big')) return `${found.length}`
  return shown(found)
}

const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : value === null ? 'null' : (JSON.stringify(value) ?? typeof value).slice(0, 200)
