/**
 * Prompts made from attributes by three templates, and read back from them (Lee et al. 2023 §4.1: prompts by category,
 * from colours, counts and backgrounds). Words used: those of the vocabulary and a, on, in, front, of, with, background.
 */
import { ConfigError, VocabularyError } from '../errors.ts'
import type { Attributes, Category } from '../records.ts'
import type { PromptVocabulary } from './vocabulary.ts'

export const templateCount = 3

/**
 * The text that states these attributes and nothing else. Template 0: "two red circles on a blue background", 1: "a blue
 * background with two red circles", 2: "two red circles in front of a blue background". Without a background all three
 * read "two red circles". The noun is plural unless the count is one.
 *
 * @throws {VocabularyError} no object is stated, or a value is not in the vocabulary
 * @throws {ConfigError} there is no such template
 */
export function promptText(attributes: Attributes, vocabulary: PromptVocabulary, template = 0): string {
  const { background, color, count } = attributes
  const noun = vocabulary.objects.find((object) => object.singular === attributes.object)
  if (noun === undefined) {
    throw unknownWord(
      'object',
      attributes.object,
      vocabulary.objects.map((object) => object.singular),
    )
  }
  if (color !== undefined && !vocabulary.colors.includes(color)) throw unknownWord('color', color, vocabulary.colors)
  if (background !== undefined && !vocabulary.backgrounds.includes(background)) {
    throw unknownWord('background', background, vocabulary.backgrounds)
  }
  if (count !== undefined && vocabulary.counts[count - 1] === undefined) {
    throw unknownWord('count', count, [`1 to ${vocabulary.counts.length}`])
  }
  const words = [
    count === undefined ? undefined : vocabulary.counts[count - 1],
    color,
    count === 1 ? noun.singular : noun.plural,
  ]
  const objects = words.filter((word) => word !== undefined).join(' ')
  const scene = background === undefined ? undefined : `a ${background} background`
  switch (template) {
    case 0:
      return scene === undefined ? objects : `${objects} on ${scene}`
    case 1:
      return scene === undefined ? objects : `${scene} with ${objects}`
    case 2:
      return scene === undefined ? objects : `${objects} in front of ${scene}`
    default:
      throw new ConfigError({
        where: 'prompt template',
        expected: `0 to ${templateCount - 1}`,
        received: String(template),
        remedy: 'choose one of the templates',
      })
  }
}

/** One stated attribute besides the object names the category, more make a combination, none is `other`. */
export function categoryOf(attributes: Attributes): Category {
  const stated = (['color', 'count', 'background'] as const).filter((name) => attributes[name] !== undefined)
  if (stated.length > 1) return 'combination'
  return stated[0] ?? 'other'
}

/**
 * The attributes that a text states, if it is what {@link promptText} makes of them under some template; upper case and
 * repeated blanks do not matter. Everything else is free text: `undefined`.
 */
export function parsePrompt(text: string, vocabulary: PromptVocabulary): Attributes | undefined {
  return parseTemplate(text, vocabulary)?.attributes
}

/** As {@link parsePrompt}, with the number of the template (0 where all agree, for want of a background). */
export function parseTemplate(
  text: string,
  vocabulary: PromptVocabulary,
): { readonly attributes: Attributes; readonly template: number } | undefined {
  const normal = text.trim().toLowerCase().replace(/\s+/g, ' ')
  for (const [template, pattern] of patternsOf(vocabulary).entries()) {
    const words = pattern.exec(normal)?.groups
    if (words === undefined) continue
    const object = vocabulary.objects.find((noun) => words.noun === noun.singular || words.noun === noun.plural)
    const place = vocabulary.counts.indexOf(words.count)
    const attributes: Attributes = {
      object: object?.singular,
      ...(words.color !== undefined && { color: words.color }),
      ...(place >= 0 && { count: place + 1 }),
      ...(words.background !== undefined && { background: words.background }),
    }
    // "two circle" and "one circles" are not sentences of the templates
    if (promptText(attributes, vocabulary, template) === normal) return { attributes, template }
  }
  return undefined
}

const patterns = new WeakMap<PromptVocabulary, readonly RegExp[]>()

function patternsOf(vocabulary: PromptVocabulary): readonly RegExp[] {
  const known = patterns.get(vocabulary)
  if (known !== undefined) return known
  const nouns = vocabulary.objects.flatMap((object) => [object.singular, object.plural])
  const count = `(?:${oneOf('count', vocabulary.counts)} )?`
  const objects = `${count}(?:${oneOf('color', vocabulary.colors)} )?${oneOf('noun', nouns)}`
  const scene = `a ${oneOf('background', vocabulary.backgrounds)} background`
  const made = [
    new RegExp(`^${objects}(?: on ${scene})?$`),
    new RegExp(`^${scene} with ${objects}$`),
    new RegExp(`^${objects} in front of ${scene}$`),
  ]
  patterns.set(vocabulary, made)
  return made
}

function oneOf(name: string, words: readonly string[]): string {
  // an empty group would match the empty word
  if (words.length === 0) return `(?<${name}>(?!))`
  return `(?<${name}>${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`
}

function unknownWord(name: string, value: string | number | undefined, known: readonly string[]): VocabularyError {
  return new VocabularyError({
    where: `prompt ${name}`,
    expected: `one of ${known.join(', ')}`,
    received: value === undefined ? 'nothing' : `"${value}"`,
    remedy: 'use a word of the vocabulary',
  })
}
