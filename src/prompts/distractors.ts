/**
 * Prompts that are wrong for a good image of a given prompt, because an attribute that it states is changed: colour,
 * count, background or object. The reward model learns to tell the true prompt from them (Lee et al. 2023 §4.2).
 */
import type { Attributes, Prompt } from '../records.ts'
import type { Random } from '../random.ts'
import { parseTemplate, promptText } from './templates.ts'
import type { PromptVocabulary } from './vocabulary.ts'
import { wordsOf } from './words.ts'

type Stated = 'object' | 'color' | 'count' | 'background'

/**
 * At most `count` distinct texts, each wrong for a good image of `prompt`, in random order; never the prompt itself or a
 * paraphrase of it. They keep the prompt's template, so that nothing but the meaning tells them from it. One attribute is
 * changed at a time, every stated one equally often, and two or more only once those run out. In free text known words
 * are swapped for others of their class, one at a time, and `a` for `an`; fewer texts, or none, come back where there are
 * not enough.
 */
export function distractors(
  prompt: Pick<Prompt, 'text'>,
  vocabulary: PromptVocabulary,
  count: number,
  random: Random,
): string[] {
  const parsed = parseTemplate(prompt.text, vocabulary)
  if (parsed === undefined) return takeTurns(swaps(prompt.text, vocabulary), count, random)
  const { attributes, template } = parsed
  const text = (changed: Attributes): string => promptText(changed, vocabulary, template)
  const single = singleChanges(attributes, vocabulary).map((changes) => changes.map(text))
  const texts = takeTurns(single, count, random)
  if (texts.length < count) {
    texts.push(...takeTurns([multipleChanges(attributes, vocabulary).map(text)], count - texts.length, random))
  }
  return texts
}

function valuesOf(name: Stated, vocabulary: PromptVocabulary): readonly (string | number)[] {
  switch (name) {
    case 'object':
      return vocabulary.objects.map((object) => object.singular)
    case 'color':
      return vocabulary.colors
    case 'count':
      return vocabulary.counts.map((_, place) => place + 1)
    case 'background':
      return vocabulary.backgrounds
  }
}

function statedIn(attributes: Attributes): Stated[] {
  return (['object', 'color', 'count', 'background'] as const).filter((name) => attributes[name] !== undefined)
}

/** An object that has the colour of its background would make an odd prompt, easy to tell for that alone. */
function isOdd(changed: Attributes, original: Attributes): boolean {
  return (
    changed.color !== undefined &&
    changed.color === changed.background &&
    (changed.color !== original.color || changed.background !== original.background)
  )
}

function singleChanges(attributes: Attributes, vocabulary: PromptVocabulary): Attributes[][] {
  return statedIn(attributes).map((name) =>
    valuesOf(name, vocabulary)
      .filter((value) => value !== attributes[name])
      .map((value): Attributes => ({ ...attributes, [name]: value }))
      .filter((changed) => !isOdd(changed, attributes)),
  )
}

function multipleChanges(attributes: Attributes, vocabulary: PromptVocabulary): Attributes[] {
  const stated = statedIn(attributes)
  let all: Attributes[] = [attributes]
  for (const name of stated) {
    all = all.flatMap((one) => valuesOf(name, vocabulary).map((value): Attributes => ({ ...one, [name]: value })))
  }
  return all.filter(
    (one) => !isOdd(one, attributes) && stated.filter((name) => one[name] !== attributes[name]).length > 1,
  )
}

/** Draws from the lists in turn, in random order and without repeats, until there are `count` or nothing is left. */
function takeTurns(lists: readonly (readonly string[])[], count: number, random: Random): string[] {
  const shuffled = random.shuffle(lists.map((list) => random.shuffle(list)))
  const taken = new Set<string>()
  for (let round = 0; shuffled.some((list) => round < list.length); round++) {
    for (const list of shuffled) {
      if (taken.size >= count) return [...taken]
      if (round < list.length) taken.add(list[round])
    }
  }
  return [...taken]
}

/** For every word of a known class, the texts that have another word of the class in its place. */
function swaps(text: string, vocabulary: PromptVocabulary): string[][] {
  const words = wordsOf(text)
  const singulars = vocabulary.objects.map((object) => object.singular)
  const plurals = vocabulary.objects.map((object) => object.plural)
  const lists: string[][] = []

  const replaced = (changes: readonly { place: number; by: string }[]): string => {
    let result = text
    const articles = changes.flatMap(({ place, by }) =>
      /^an?$/i.test(words[place - 1]?.word ?? '') ? [{ place: place - 1, by: /^[aeiou]/i.test(by) ? 'an' : 'a' }] : [],
    )
    for (const { place, by } of [...changes, ...articles].toSorted((a, b) => b.place - a.place)) {
      const { at, word } = words[place]
      const isCapital = word[0] !== word[0].toLowerCase()
      const spelled = isCapital ? by[0].toUpperCase() + by.slice(1) : by
      result = result.slice(0, at) + spelled + result.slice(at + word.length)
    }
    return result
  }

  for (const [place, { word }] of words.entries()) {
    const known = word.toLowerCase()
    const isBackground = words[place + 1]?.word.toLowerCase() === 'background' || !vocabulary.colors.includes(known)
    const others = (list: readonly string[]): string[] =>
      list.includes(known) ? list.filter((other) => other !== known) : []

    if (vocabulary.counts.includes(known)) {
      // the noun of this number is the first known one after it
      const noun = words.findIndex(
        (later, at) =>
          at > place && (singulars.includes(later.word.toLowerCase()) || plurals.includes(later.word.toLowerCase())),
      )
      lists.push(
        others(vocabulary.counts).flatMap((other) => {
          const changes = [{ place, by: other }]
          const isOne = other === vocabulary.counts[0]
          if (isOne !== (known === vocabulary.counts[0])) {
            if (noun < 0) return []
            const object = words[noun].word.toLowerCase()
            const which = Math.max(singulars.indexOf(object), plurals.indexOf(object))
            changes.push({ place: noun, by: isOne ? singulars[which] : plurals[which] })
          }
          return [replaced(changes)]
        }),
      )
      continue
    }
    const list = singulars.includes(known)
      ? others(singulars)
      : plurals.includes(known)
        ? others(plurals)
        : others(isBackground ? vocabulary.backgrounds : vocabulary.colors)
    if (list.length > 0) lists.push(list.map((by) => replaced([{ place, by }])))
  }
  return lists
}
