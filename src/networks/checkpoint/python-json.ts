/** JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity` among its numbers. */
import { randomUUID } from 'node:crypto'

/** Of what describes a network; JSON takes many times its size in memory. */
export const mostConfigCharacters = 16 * 2 ** 20

/** How deep lists and objects may lie: each takes a part of the stack. */
const mostDepth = 200

const words = ['NaN', '-Infinity', 'Infinity'] as const
type Word = (typeof words)[number]

/**
 * Reads JSON in which numbers may be Python's words. A byte order mark in front is passed over.
 *
 * @throws {SyntaxError} as `JSON.parse`; or the text is longer than `mostCharacters`, or very deep
 */
export function parsePythonJson(text: string, mostCharacters = Infinity): unknown {
  const json = text.replace(/^\uFEFF/, '')
  if (json.length > mostCharacters) throw new SyntaxError(`${json.length} characters, above ${mostCharacters}`)
  const found = wordsOf(json)
  if (found.length === 0) return JSON.parse(json)
  // JSON has no number for NaN; a text that nobody else writes stands for it.
  const notANumber = randomUUID()
  const spelled = { NaN: JSON.stringify(notANumber), Infinity: '1e999', '-Infinity': '-1e999' } as const
  const parts: string[] = []
  let from = 0
  for (const { at, word } of found) {
    parts.push(json.slice(from, at), spelled[word])
    from = at + word.length
  }
  return replaced(JSON.parse(parts.join('') + json.slice(from)), notANumber)
}

/** NaN for every text that stands for it, in place. `JSON.parse` could do it, in ten times the time. */
function replaced(value: unknown, notANumber: string): unknown {
  if (value === notANumber) return NaN
  if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>
    for (const key of Object.keys(fields)) {
      const old = fields[key]
      const fresh = replaced(old, notANumber)
      if (fresh !== old) Object.defineProperty(fields, key, { value: fresh })
    }
  }
  return value
}

/** The words outside of quotes, in their order. No regular expression: of a long text in quotes it would overflow. */
function wordsOf(json: string): { readonly at: number; readonly word: Word }[] {
  const found: { at: number; word: Word }[] = []
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const sign = json[at]
    if (sign === '"') {
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++
    } else if (sign === '{' || sign === '[') {
      if (++depth > mostDepth) throw new SyntaxError(`lists and objects more than ${mostDepth} deep`)
    } else if (sign === '}' || sign === ']') depth--
    else if (sign === 'N' || sign === 'I' || sign === '-') {
      const word = words.find((one) => json.startsWith(one, at))
      if (word === undefined) continue
      found.push({ at, word })
      at += word.length - 1
    }
  }
  return found
}

/** What `JSON.parse` complains of, on one line: it may quote some lines of the file. */
export const jsonComplaint = (cause: unknown) => (cause as Error).message.replace(/\s+/g, ' ')
