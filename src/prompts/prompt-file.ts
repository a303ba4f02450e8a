/** Prompt files as people have them become prompts with ids and categories, each once. The forms: `stated-prompts.ts`. */
import { basename } from 'node:path'
import { FormatError } from '../errors.ts'
import { readText, writeFileAtomic } from '../files.ts'
import type { Prompt } from '../records.ts'
import type { StatedPrompt } from './prompt-fields.ts'
import { statedPrompts } from './stated-prompts.ts'
import { categoryOf, parsePrompt } from './templates.ts'
import type { PromptVocabulary } from './vocabulary.ts'

export interface PromptFileOptions {
  /** Reads attributes from texts where the file does not give them. */
  readonly vocabulary?: PromptVocabulary
  /** The field or column that holds the prompts, where the file has several. */
  readonly column?: string | null
}

export interface PromptList {
  readonly prompts: Prompt[]
  /** Where each was stated: lines, or entries of a `.json` file. */
  readonly lines: readonly number[]
  /** Prompts that were stated again, which are left out. */
  readonly repeated: readonly { readonly line: number; readonly text: string }[]
}

/**
 * Reads a prompt file. A prompt that repeats is kept once. Ids default to the line (`p0001`); attributes that the file
 * does not give are read from the text where a vocabulary is passed and understands it; the category defaults to that of
 * the attributes. Categories that we do not have become `other`. In `.txt` files blank lines and lines that start with #
 * are skipped.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file and line: a broken line, one id for two prompts, no prompt at all, a foreign format
 */
export async function readPromptList(file: string, options: PromptFileOptions = {}): Promise<PromptList> {
  return promptList(basename(file), await readText(file), options)
}

/** As `readPromptList`, without what was left out. */
export async function readPrompts(file: string, vocabulary?: PromptVocabulary): Promise<Prompt[]> {
  return (await readPromptList(file, { vocabulary })).prompts
}

/** As `readPromptList`, from the text of a file. */
export function promptList(name: string, content: string, { vocabulary, column }: PromptFileOptions = {}): PromptList {
  const stated = statedPrompts(name, content, column)
  if (stated.length === 0) {
    throw new FormatError({ where: name, expected: 'at least one prompt', received: 'none', remedy: 'add a line' })
  }
  const known = new Map<string, StatedPrompt>()
  const repeated: StatedPrompt[] = []
  for (const one of stated) {
    const key = JSON.stringify([one.text, one.seed, one.negative])
    if (known.has(key)) repeated.push(one)
    else known.set(key, one)
  }
  const kept = [...known.values()]
  const lineOfId = new Map<string, number>()
  const prompts = kept.map(({ line, text, ...given }) => {
    const id = given.id ?? `p${String(line).padStart(4, '0')}`
    const attributes = given.attributes ?? (vocabulary && parsePrompt(text, vocabulary))
    refuseSecond(lineOfId, id, name, line)
    const category = given.category ?? (attributes === undefined ? 'other' : categoryOf(attributes))
    const { seed, negative } = given
    return {
      id,
      text,
      category,
      ...(attributes !== undefined && { attributes }),
      ...(given.objects !== undefined && { objects: given.objects }),
      ...(seed !== undefined && { seed }),
      ...(negative !== undefined && { negative }),
    }
  })
  return { prompts, lines: kept.map(({ line }) => line), repeated }
}

/**
 * Writes prompts as `.jsonl`, whole or not at all.
 *
 * @throws {FileError} the file cannot be written
 */
export async function writePrompts(file: string, prompts: readonly Prompt[]): Promise<void> {
  const lines = prompts.map(({ id, text, category, attributes, objects, seed, negative }) =>
    JSON.stringify({ id, prompt: text, category, attributes, ...objects, seed, negative_prompt: negative }),
  )
  writeFileAtomic(file, lines.map((line) => `${line}\n`).join(''))
}

function refuseSecond(seen: Map<string, number>, id: string, name: string, line: number): void {
  const first = seen.get(id)
  if (first !== undefined) {
    throw new FormatError({
      where: `${name}:${line} id`,
      expected: 'each id once',
      received: `"${id}", which line ${first} has too`,
      remedy: 'give one of the two another id, or none',
    })
  }
  seen.set(id, line)
}
