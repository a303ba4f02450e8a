/** The fields of an entry in a prompt file: which of them is the prompt, and what else is read, by the names that other tools use. */
import { z } from 'zod'
import { FormatError, shownText } from '../errors.ts'
import { Attributes, Category, Composition } from '../records.ts'

/** A prompt as its file states it. `line` is 1-based; in a `.json` file it is the number of the entry. */
export interface StatedPrompt {
  readonly line: number
  readonly text: string
  readonly id?: string
  readonly category?: Category
  readonly attributes?: Attributes
  readonly objects?: Composition
  readonly seed?: number
  readonly negative?: string
}

/** Fields and columns that hold a prompt, in any case of letters. */
export const textNames = ['prompt', 'prompts', 'text', 'caption']

/** What DPOK, GenEval, DrawBench and PartiPrompts call our categories. */
const categoryNames: Readonly<Record<string, Category>> = {
  colors: 'color',
  colour: 'color',
  colours: 'color',
  counting: 'count',
  counts: 'count',
  quantity: 'count',
  numeracy: 'count',
  backgrounds: 'background',
  location: 'background',
  composition: 'combination',
  color_attr: 'combination',
}

/** It holds more than spaces and characters that nobody sees. */
export const isVisible = (text: string) => /[^\s\p{C}]/u.test(text)

/** Whatever else other tools call their fields is not looked at. */
const OwnFields = z.object({
  id: z
    .union([z.string().min(1), z.number().transform(String)])
    .optional()
    .catch(undefined),
  attributes: z.preprocess(
    (value) => (Object(value) === value && !Array.isArray(value) ? value : undefined),
    Attributes.optional(),
  ),
})

export function fromRecord(value: unknown, line: number, where: string, column: string | null): StatedPrompt {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError({
      where,
      expected: 'an object with a prompt',
      received: shown(value),
      remedy: 'write {"prompt": …}',
    })
  }
  const record = value as Record<string, unknown>
  const own = OwnFields.safeParse(record)
  if (!own.success) {
    const [issue] = own.error.issues
    throw new FormatError({
      where: [where, ...issue.path].join(' '),
      expected: 'a prompt with known fields',
      received: issue.message,
      remedy: 'correct the field',
    })
  }
  const objects = compositionOf(record, where)
  const text = onlyText(presentOf(record, textFields(Object.keys(record), column)), Object.keys(record), where, column)
  return { ...fromFields(record, text, line, where), ...own.data, ...(objects !== undefined && { objects }) }
}

/** GenEval's fields `include` and `exclude`, with its `tag`; of others that are so called nothing is read. @throws {FormatError} */
function compositionOf({ tag, include, exclude }: Record<string, unknown>, where: string): Composition | undefined {
  const isOurs = Array.isArray(include) && include.some((one) => Object(one) === one && 'class' in (one as object))
  if (!isOurs) return undefined
  const { data, error } = Composition.safeParse({ include, exclude, ...(typeof tag === 'string' && { tag }) })
  if (data !== undefined) return data
  const [issue] = error.issues
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: 'objects as GenEval states them: {"class", "count", "color", "position": ["left of", 0]}',
    received: issue.message,
    remedy: 'correct the field, or leave out include and exclude',
  })
}

/** Of several names for the prompt, an empty one beside another does not count. */
function presentOf(record: Record<string, unknown>, names: readonly string[]): readonly string[] {
  const stated = names.filter((name) => record[name] !== null && record[name] !== '')
  const texts = new Set(stated.map((name) => record[name]))
  return texts.size === 1 ? stated.slice(0, 1) : stated.length === 0 ? names.slice(0, 1) : stated
}

export function fromFields(record: Record<string, unknown>, text: string, line: number, where: string): StatedPrompt {
  const named = (name: string) => {
    const key = Object.keys(record).find((one) => one.toLowerCase() === name)
    return key === undefined ? undefined : record[key]
  }
  const category = named('category') ?? named('tag')
  const seed = seedOf(named('seed'), `${where} seed`)
  const negative = named('negative_prompt')
  return {
    line,
    text: promptText(record[text], `${where} ${text}`),
    ...(typeof category === 'string' && category.trim() !== '' && { category: categoryNamed(category) }),
    ...(seed !== undefined && { seed }),
    ...(typeof negative === 'string' &&
      negative.trim() !== '' && {
        negative: promptText(negative, `${where} negative_prompt`),
      }),
  }
}

/** @throws {FormatError} stated, and no whole number */
function seedOf(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const seed = typeof value === 'string' ? Number(value) : value
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return seed
  throw new FormatError({
    where,
    expected: 'a whole number ≥ 0',
    received: shown(value),
    remedy: 'correct the seed, or leave it out for that of the run',
  })
}

export function textFields(names: readonly string[], column: string | null): string[] {
  if (column === null) return names.filter((name) => textNames.includes(name.trim().toLowerCase()))
  const exact = names.filter((name) => name === column)
  return exact.length > 0 ? exact : names.filter((name) => name.trim().toLowerCase() === column.trim().toLowerCase())
}

export function onlyText(
  found: readonly string[],
  all: readonly string[],
  where: string,
  column: string | null,
): string {
  if (found.length === 1) return found[0]
  const isNone = found.length === 0
  throw new FormatError({
    where,
    expected: column === null ? `a field or column ${textNames.join(', ')}` : `a field or column ${column}`,
    received: isNone
      ? all.map((name) => JSON.stringify(name)).join(', ') || 'none'
      : `${found.join(' and ')}, which differ`,
    remedy: `name the one that holds the prompts with --prompt-column${isNone ? ', or name it prompt in the file' : ''}`,
  })
}

/** @throws {FormatError} no text, an empty one, or one that no database keeps */
export function promptText(value: unknown, where: string): string {
  const text = typeof value === 'string' ? value.trim() : ''
  const isWhole = !text.includes('\0') && text.isWellFormed()
  if (isVisible(text) && isWhole) return text
  throw new FormatError({
    where,
    expected: 'a prompt',
    received:
      isVisible(text) && !isWhole
        ? 'a text with a zero byte or half a character'
        : value === undefined
          ? 'nothing'
          : shown(value),
    remedy: isVisible(text) && !isWhole ? 'save the file again as UTF-8' : 'write one, or remove the entry',
  })
}

/** Nothing of what is nested, however deep. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : shownText(JSON.stringify(value), 200)
}

export function categoryNamed(name: string): Category {
  const key = name.trim().toLowerCase()
  return categoryNames[key] ?? Category.catch('other').parse(key)
}
