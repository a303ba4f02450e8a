/**
 * Prompt files: `.txt` (one a line), `.jsonl` (`{"prompt" or "text", "category"?, "id"?, "attributes"?}`; other fields
 * are ignored) and the `.json` of the public DPOK code (`{prompt: {"category"}}`).
 */
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { readText, writeFileAtomic } from '../files.ts'
import { Attributes, Category, type Prompt } from '../records.ts'
import { categoryOf, parsePrompt } from './templates.ts'
import type { PromptVocabulary } from './vocabulary.ts'

const Text = z.string().trim().min(1)
const Line = z
  .object({
    prompt: Text.optional(),
    text: Text.optional(),
    category: Category.optional(),
    id: z.string().min(1).optional(),
    attributes: Attributes.optional(),
  })
  .refine((line) => (line.prompt === undefined) !== (line.text === undefined), { error: 'needs "prompt" or "text"' })
const DpokFile = z.record(z.string(), z.object({ category: z.string().optional() }))

/** DPOK's names for categories of ours. */
const dpokCategories: Readonly<Record<string, Category>> = { composition: 'combination', location: 'background' }

/** A prompt as its file states it. `line` is 1-based; in DPOK's `.json` it is the number of the entry. */
interface Stated {
  readonly line: number
  readonly text: string
  readonly id?: string
  readonly category?: Category
  readonly attributes?: Attributes
}

/**
 * Reads a prompt file. Ids default to the line (`p0001`); attributes that the file does not give are read from the text
 * where a vocabulary is passed and understands it; the category defaults to that of the attributes. DPOK's categories
 * that we do not have become `other`. In `.txt` files blank lines and lines that start with # are skipped.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file and line: a broken line, the same text or id twice, no prompt at all, a foreign format
 */
export async function readPrompts(file: string, vocabulary?: PromptVocabulary): Promise<Prompt[]> {
  const name = basename(file)
  const stated = statedIn(name, await readText(file))
  if (stated.length === 0) {
    throw new FormatError({ where: name, expected: 'at least one prompt', received: 'none', remedy: 'add a line' })
  }
  const lineOfText = new Map<string, number>()
  const lineOfId = new Map<string, number>()
  return stated.map(({ line, text, ...given }) => {
    const id = given.id ?? `p${String(line).padStart(4, '0')}`
    const attributes = given.attributes ?? (vocabulary && parsePrompt(text, vocabulary))
    refuseSecond(lineOfText, text, 'prompt', name, line)
    refuseSecond(lineOfId, id, 'id', name, line)
    const category = given.category ?? (attributes === undefined ? 'other' : categoryOf(attributes))
    return { id, text, category, ...(attributes !== undefined && { attributes }) }
  })
}

/**
 * Writes prompts as `.jsonl`, whole or not at all.
 *
 * @throws {FileError} the file cannot be written
 */
export async function writePrompts(file: string, prompts: readonly Prompt[]): Promise<void> {
  const lines = prompts.map(({ id, text, category, attributes }) =>
    JSON.stringify({ id, prompt: text, category, attributes }),
  )
  writeFileAtomic(file, lines.map((line) => `${line}\n`).join(''))
}

function statedIn(name: string, content: string): Stated[] {
  const lines = content
    .split(/\r?\n/)
    .map((text, place) => ({ line: place + 1, text: text.trim() }))
    .filter(({ text }) => text !== '')
  switch (extname(name).toLowerCase()) {
    case '.txt':
      return lines.filter(({ text }) => !text.startsWith('#'))
    case '.jsonl':
      return lines.map(({ line, text }) => {
        const where = `${name}:${line}`
        const { prompt, text: alias, ...given } = checked(Line, parsedJson(text, where), where)
        return { line, text: prompt ?? alias ?? '', ...given }
      })
    case '.json':
      return Object.entries(checked(DpokFile, parsedJson(content, name), name)).map(([text, { category }], place) => ({
        line: place + 1,
        text: checked(Text, text, `${name}:${place + 1}`),
        category: category === undefined ? undefined : dpokCategory(category),
      }))
    default:
      throw new FormatError({
        where: name,
        expected: 'a file named .txt, .jsonl or .json',
        received: extname(name) || 'no ending',
        remedy: 'rename it by its format',
      })
  }
}

function dpokCategory(name: string): Category {
  return dpokCategories[name] ?? Category.catch('other').parse(name)
}

function refuseSecond(seen: Map<string, number>, value: string, what: string, name: string, line: number): void {
  const first = seen.get(value)
  if (first !== undefined) {
    throw new FormatError({
      where: `${name}:${line} ${what}`,
      expected: `each ${what} once`,
      received: `"${value}", which line ${first} has too`,
      remedy: 'remove one of the two lines',
    })
  }
  seen.set(value, line)
}

function parsedJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FormatError({ where, expected: 'JSON', received: messageOf(cause), remedy: 'correct the syntax', cause })
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: 'a prompt with known fields',
    received: issue.message,
    remedy: 'correct the field',
  })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
