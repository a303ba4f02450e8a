/** JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity` among its numbers. */
import { randomUUID } from 'node:crypto'

/** Characters of a text, of one that holds a word, and how deep lists and objects may lie: JSON takes many times its size. */
const most = { characters: 16 * 2 ** 20, charactersWithWords: 2 ** 20, depth: 200 } as const

const words = ['NaN', '-Infinity', 'Infinity'] as const
type Word = (typeof words)[number]

/**
 * Reads JSON in which numbers may be Python's words. A byte order mark in front is passed over.
 *
 * @throws {SyntaxError} as `JSON.parse`; or the text is longer or deeper than any that describes a network
 */
export function parsePythonJson(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '')
  if (json.length > most.characters) throw new SyntaxError(`${json.length} characters, above ${most.characters}`)
  const found = wordsOf(json)
  if (found.length === 0) return JSON.parse(json)
  if (json.length > most.charactersWithWords) {
    throw new SyntaxError(`NaN or Infinity in ${json.length} characters, above ${most.charactersWithWords}`)
  }
  // JSON has no number for NaN; a text that nobody else writes stands for it.
  const notANumber = randomUUID()
  const spelled = { NaN: JSON.stringify(notANumber), Infinity: '1e999', '-Infinity': '-1e999' } as const
  const parts: string[] = []
  let from = 0
  for (const { at, word } of found) {
    parts.push(json.slice(from, at), spelled[word])
    from = at + word.length
  }
  return JSON.parse(parts.join('') + json.slice(from), (_, value: unknown) => (value === notANumber ? NaN : value))
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
      if (++depth > most.depth) throw new SyntaxError(`lists and objects more than ${most.depth} deep`)
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
