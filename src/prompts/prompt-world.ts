/** A closed world of prompts that models come with: all that is known of it without their networks. */
import type { Prompt } from '../records.ts'
import type { PromptVocabulary } from './vocabulary.ts'

/** Prompts that belong to a model. */
export interface PromptWorld {
  /** What `--model` says of them. */
  readonly models: readonly string[]
  readonly vocabulary: PromptVocabulary
  /** Prompts to train on, and others. */
  readonly seen: () => Prompt[]
  readonly unseen: () => Prompt[]
  /** @throws {VocabularyError} a text that its models cannot read */
  readonly expectReadable: (text: string) => void
}
