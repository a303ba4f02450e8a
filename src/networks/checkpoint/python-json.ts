/** JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity` among its numbers. */
import { randomUUID } from 'node:crypto'

/** A text in quotes, or one of the three words; what is in quotes is never looked into, nor what comes after quotes that do not end. */
const textOrWord = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|-?Infinity|NaN/gs

/**
 * Reads JSON in which numbers may be Python's words. A byte order mark in front is passed over.
 *
 * @throws {SyntaxError} as `JSON.parse`
 */
export function parsePythonJson(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '')
  try {
    return JSON.parse(json)
  } catch (error) {
    const words = json.match(textOrWord)?.filter((token) => !token.startsWith('"')) ?? []
    if (words.length === 0) throw error
  }
  // JSON has no number for NaN; a text that nobody else writes stands for it.
  const notANumber = randomUUID()
  const spelled: Readonly<Record<string, string>> = {
    NaN: JSON.stringify(notANumber),
    Infinity: '1e999',
    '-Infinity': '-1e999',
  }
  return JSON.parse(
    json.replace(textOrWord, (token) => spelled[token] ?? token),
    (_, value: unknown) => (value === notANumber ? NaN : value),
  )
}

/** What `JSON.parse` complains of, on one line: it may quote some lines of the file. */
export const jsonComplaint = (cause: unknown) => (cause as Error).message.replace(/\s+/g, ' ')
