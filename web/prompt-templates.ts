/** Lines of prompts by category, from lists of words: colour, count, background, and all three (Lee et al. 2023 §4.1). */
import type { PromptWords } from '../src/studio/schemas/prompts.ts'
import { literally } from './alternatives.ts'

export const templateCategories = ['color', 'count', 'background', 'combination'] as const
export type TemplateCategory = (typeof templateCategories)[number]

/** A word by itself, or a choice between several. */
const either = (words: readonly string[]): string =>
  words.length === 1 ? literally(words[0]) : `{${words.map(literally).join('|')}}`

/**
 * Each line chooses between all its words. An object never has the colour of its background, in front of which nobody would
 * see it.
 *
 * @returns none where a list that the category needs is empty
 */
export function templateLines(
  category: TemplateCategory,
  { objects, colors, counts, backgrounds }: PromptWords,
): string[] {
  const plurals = objects.map(({ plural }) => plural)
  const [one, ...more] = counts
  const line = (...lists: (readonly string[] | string)[]): string[] =>
    lists.some((list) => list.length === 0)
      ? []
      : [lists.map((list) => (typeof list === 'string' ? list : either(list))).join(' ')]
  switch (category) {
    case 'color':
      return line(colors, plurals)
    case 'count':
      return [
        ...(one === undefined
          ? []
          : line(
              [one],
              objects.map(({ singular }) => singular),
            )),
        ...line(more, plurals),
      ]
    case 'background':
      return line(plurals, 'on a', backgrounds, 'background')
    case 'combination':
      return backgrounds.flatMap((background) =>
        line(
          more,
          colors.filter((color) => color !== background),
          plurals,
          `on a ${literally(background)} background`,
        ),
      )
  }
}

/** Words as they are typed: `red, dark blue`. */
export const wordsTyped = (text: string): string[] => [
  ...new Set(text.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]))),
]

/** Objects as they are typed: `circle, mouse/mice`; a plural that is not given ends in s. */
export const objectsTyped = (text: string): PromptWords['objects'] =>
  wordsTyped(text).map((word) => {
    const [singular, plural = pluralOf(singular)] = word.split('/').map((part) => part.trim())
    return { singular, plural }
  })

export const objectsAsTyped = (objects: PromptWords['objects']): string =>
  objects.map(({ singular, plural }) => (plural === pluralOf(singular) ? singular : `${singular}/${plural}`)).join(', ')

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`
}
