/** What the JSON of a safetensors header would become, looked at before anything is made of it: a small file can name millions of things. */

/** Far above what is published; a header of 15.5 MB with 49,900 tensors was read in 0.7 s and 100 MB. */
export const headerLimits = {
  /** The reference implementation allows 100 MB, of which JSON would take more than 1 GB. Real ones have some MB: 100 a tensor, and what trainers note. */
  bytes: 16 * 2 ** 20,
  tensors: 50_000,
  /** Of all objects together: four a tensor, and those of the metadata. */
  keys: 250_000,
  rank: 8,
  nameBytes: 1024,
} as const

interface Fault {
  readonly expected: string
  readonly received: string
}

const [quote, backslash, colon, comma, space] = [...'"\\:, '].map((sign) => sign.charCodeAt(0))
const opening = new Set([...'{['].map((sign) => sign.charCodeAt(0)))
const closing = new Set([...'}]'].map((sign) => sign.charCodeAt(0)))

/**
 * Why a header should not be parsed; `undefined` where it may. What is no JSON at all is left to the parser.
 *
 * @param bytes UTF-8
 */
export function headerFault(bytes: Uint8Array): Fault | undefined {
  let [depth, objects, keys, elements] = [0, 0, 0, 0]
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      const from = at + 1
      for (at++; at < bytes.length && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++
      // A text of the outermost object that a colon follows is the name of a tensor; others may be long.
      if (depth === 1 && at - from > headerLimits.nameBytes && isKey(bytes, at + 1)) {
        return { expected: `names of at most ${headerLimits.nameBytes} bytes`, received: `one of ${at - from}` }
      }
    } else if (opening.has(byte)) {
      // An object of entries, each of which holds lists.
      if (++depth > 3) return { expected: 'entries of texts and lists of numbers', received: 'lists within lists' }
      if (depth === 2 && ++objects > headerLimits.tensors + 1) {
        return { expected: `at most ${headerLimits.tensors} tensors`, received: 'more' }
      }
      elements = 0
    } else if (closing.has(byte)) depth--
    else if (byte === colon && ++keys > headerLimits.keys) {
      return { expected: `at most ${headerLimits.keys} names in all`, received: 'more' }
    } else if (byte === comma && depth === 3 && ++elements >= headerLimits.rank) {
      return { expected: `tensors of at most ${headerLimits.rank} dimensions`, received: 'one of more' }
    }
  }
  return undefined
}

function isKey(bytes: Uint8Array, from: number): boolean {
  let at = from
  while (bytes[at] <= space) at++
  return bytes[at] === colon
}

/** A key that stands twice in one object of sound JSON; `JSON.parse` would silently take the last. */
export function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = []
  for (let at = 0; at < json.length; at++) {
    const sign = json[at]
    if (sign === '{') open.push(new Set())
    else if (sign === '}') open.pop()
    else if (sign === '"') {
      const from = at
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++
      let next = at + 1
      while (json.charCodeAt(next) <= space) next++
      if (json[next] !== ':') continue
      const key = JSON.parse(json.slice(from, at + 1)) as string
      if (open.at(-1)!.has(key)) return key
      open.at(-1)!.add(key)
    }
  }
  return undefined
}
