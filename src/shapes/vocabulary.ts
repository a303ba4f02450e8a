/** The words of the embedded world and their tokens. */
import { nearest } from '../config.ts'
import { VocabularyError } from '../errors.ts'
import type { PromptVocabulary } from '../prompts/vocabulary.ts'

export const shapesVocabulary = {
  objects: [
    { singular: 'circle', plural: 'circles' },
    { singular: 'triangle', plural: 'triangles' },
    { singular: 'cross', plural: 'crosses' },
    { singular: 'ring', plural: 'rings' },
  ],
  colors: ['red', 'orange', 'yellow', 'green', 'blue', 'purple'],
  counts: ['one', 'two', 'three', 'four'],
  backgrounds: ['white', 'black', 'gray', 'blue', 'green', 'pink'],
} as const satisfies PromptVocabulary

export type ObjectName = (typeof shapesVocabulary.objects)[number]['singular']
export type ColorName = (typeof shapesVocabulary.colors)[number]
export type BackgroundName = (typeof shapesVocabulary.backgrounds)[number]

export const objectNames: readonly ObjectName[] = shapesVocabulary.objects.map(({ singular }) => singular)

/** Words that hold a caption together. */
const functionWords = ['a', 'an', 'the', 'on', 'with', 'in', 'front', 'of', 'background', 'and']

const words: readonly string[] = [
  ...new Set([
    ...functionWords,
    ...shapesVocabulary.counts,
    ...shapesVocabulary.colors,
    ...shapesVocabulary.backgrounds,
    ...shapesVocabulary.objects.flatMap(({ singular, plural }) => [singular, plural]),
  ]),
]

const tokens = new Map(words.map((word, index) => [word, index + 1]))

/** Tokens per caption; shorter captions are padded with 0. */
export const captionLength = 12

/** Tokens are 0 … vocabularySize − 1; 0 is padding. */
export const vocabularySize = words.length + 1

/**
 * Words to tokens: lower case, commas and full stops ignored, padded with 0. The empty text is all padding, which
 * stands for "no prompt".
 *
 * @returns [captionLength]
 * @throws {VocabularyError} at an unknown word or a text of more than captionLength words
 */
export function tokenize(text: string): number[] {
  const found = text
    .toLowerCase()
    .split(/[\s,.]+/)
    .filter((word) => word !== '')
  if (found.length > captionLength) {
    throw new VocabularyError({
      where: `prompt "${text}"`,
      expected: `at most ${captionLength} words`,
      received: `${found.length} words`,
      remedy: 'shorten it',
    })
  }
  const ids = found.map((word) => tokens.get(word) ?? unknownWord(word, text))
  return [...ids, ...new Array<number>(captionLength - ids.length).fill(0)]
}

function unknownWord(word: string, text: string): never {
  const near = nearest(word, words)
  throw new VocabularyError({
    where: `prompt "${text}"`,
    expected: 'only words that the model knows',
    received: `"${word}"`,
    remedy: near !== undefined ? `did you mean ${near}?` : `use these words: ${words.join(', ')}`,
  })
}
