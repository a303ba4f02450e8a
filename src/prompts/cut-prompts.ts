/** Prompts that are longer than a text encoder reads: their end is cut off, and that is told. */
import { shownText } from '../errors.ts'
import type { TextLength } from '../networks/text-length.ts'

/** In the manifest of a run. */
export interface CutPrompts {
  readonly count: number
  /** Tokens that are read of a prompt, with those of its start and end. */
  readonly read: number
  /** The longest of them, with the tokens that the whole prompt would need. */
  readonly named: readonly { readonly prompt: string; readonly tokens: number }[]
}

const mostNamed = 10

/** What is cut of which texts; nothing where all are read whole. */
export function cutPrompts(texts: readonly string[], lengthOf: (text: string) => TextLength): CutPrompts | undefined {
  const long = texts
    .map((prompt) => ({ prompt, ...lengthOf(prompt) }))
    .filter(({ tokens, read }) => tokens > read)
    .sort((a, b) => b.tokens - b.read - (a.tokens - a.read))
  if (long.length === 0) return undefined
  const [{ read }] = long
  const named = long.slice(0, mostNamed).map(({ prompt, tokens }) => ({ prompt, tokens }))
  return { count: long.length, read, named }
}

/** For a manifest, which people read. */
export function cutResults(cut: CutPrompts | undefined): { readonly cutPrompts?: CutPrompts } {
  if (cut === undefined) return {}
  return { cutPrompts: { ...cut, named: cut.named.map((one) => ({ ...one, prompt: shownText(one.prompt, 200) })) } }
}

/**
 * Says it in one sentence.
 *
 * @param placeOf where a prompt was stated: `my.txt:3`
 */
export function cutSentence({ count, read, named }: CutPrompts, placeOf: (text: string) => string = () => ''): string {
  const some = named.map(({ prompt, tokens }) => {
    return `${placeOf(prompt)} “${shownText(prompt, 60)}” (${tokens} tokens, ${tokens - read} cut off)`.trim()
  })
  const more = count > named.length ? `; and ${count - named.length} more` : ''
  const are = count === 1 ? '1 prompt is' : `${count} prompts are`
  return `${are} longer than the ${read} tokens that the text encoder reads: ${some.join('; ')}${more}`
}
