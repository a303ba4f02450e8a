/** Words of prompts that raters marked as misread: what of a prompt images get wrong. */
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import { wordsOf } from '../../prompts/words.ts'
import type { Judgment } from '../../records.ts'

/** By prompt: its words that somebody marked, in lower case. */
export type MisreadWords = ReadonlyMap<string, ReadonlySet<string>>

/** @param textOf prompt of an image */
export function misreadWords(
  judgments: readonly Judgment[],
  textOf: (image: string) => string | undefined,
): MisreadWords {
  const found = new Map<string, Set<string>>()
  for (const judgment of judgments) {
    if (judgment.kind === 'vote') continue
    for (const { image, word } of judgment.misread ?? []) {
      const text = textOf(judgment.images[image])
      const marked = text === undefined ? undefined : wordsOf(text).at(word)
      if (text === undefined || marked === undefined) continue
      const words = found.get(text) ?? new Set()
      found.set(text, words.add(marked.word.toLowerCase()))
    }
  }
  return found
}

/**
 * Whether a wrong prompt differs from a right one in one of these words: it has the word less often. Singular and plural of an
 * object are one word, since a changed number changes them too.
 */
export function changesAny(
  words: ReadonlySet<string>,
  right: string,
  wrong: string,
  vocabulary: PromptVocabulary | undefined,
): boolean {
  const singularOf = new Map(vocabulary?.objects.map(({ singular, plural }) => [plural, singular]))
  const plain = (word: string) => singularOf.get(word) ?? word
  const plainWords = (text: string) => wordsOf(text).map(({ word }) => plain(word.toLowerCase()))
  const [before, after] = [plainWords(right), plainWords(wrong)]
  const count = (list: readonly string[], word: string) => list.filter((one) => one === word).length
  return [...words].map(plain).some((word) => count(after, word) < count(before, word))
}
