/** A word of a text, and where it begins. */
export interface Word {
  readonly at: number
  readonly word: string
}

/** The words of a text in their order: letters, marks on them, digits, hyphens and apostrophes. A word is named by its place. */
export const wordsOf = (text: string): Word[] =>
  [...text.matchAll(/[\p{L}\p{M}\p{N}'-]+/gu)].map((match) => ({ at: match.index, word: match[0] }))
