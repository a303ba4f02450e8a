/** The words from which templates build prompts, by the attribute that they state. */
export interface PromptVocabulary {
  /** Nouns; the plural is used for every count but one, and where no count is stated. */
  readonly objects: readonly { readonly singular: string; readonly plural: string }[]
  readonly colors: readonly string[]
  /** `counts[0]` is the word for one. */
  readonly counts: readonly string[]
  readonly backgrounds: readonly string[]
}
