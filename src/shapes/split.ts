/**
 * The demo's prompts. Seen prompts are drawn, labelled and trained on; unseen ones only measured. The ring is in no seen
 * prompt; of the other three objects some colours, counts and backgrounds are held back, alone and in combinations.
 * "one circle" … "four crosses" are only twelve phrases, so the count category is the smallest in both lists.
 */
import { promptText } from '../prompts/templates.ts'
import { random } from '../random.ts'
import type { Attributes, Category, Prompt } from '../records.ts'
import { shapesStreams } from '../streams.ts'
import { occurs } from './captions.ts'
import { shapesVocabulary, type BackgroundName, type ColorName, type ObjectName } from './vocabulary.ts'

const { colors, backgrounds } = shapesVocabulary
const counts = [1, 2, 3, 4]

const seenObjects: readonly ObjectName[] = ['circle', 'triangle', 'cross']
export const heldOutObject: ObjectName = 'ring'

/** What no seen prompt combines with the object: every colour, background and all counts but one are held back once. */
const heldBack: Readonly<
  Record<string, { colors: readonly ColorName[]; counts: readonly number[]; backgrounds: readonly BackgroundName[] }>
> = {
  circle: { colors: ['orange', 'blue'], counts: [3], backgrounds: ['black', 'pink'] },
  triangle: { colors: ['red', 'purple'], counts: [2], backgrounds: ['white', 'blue'] },
  cross: { colors: ['yellow', 'green'], counts: [4], backgrounds: ['gray', 'green'] },
}

/** Combinations of three attributes, and of two, per object: of a seen one in each list, and of the held-out one. */
const combinationsSeen = { three: 9, two: 15 }
const combinationsUnseen = { three: 5, two: 4 }
const combinationsHeldOut = { three: 12, two: 9 }

/** 105 prompts: 12 of colour, 9 of count, 12 of background, 72 combinations. */
export function seenPrompts(): Prompt[] {
  return seenObjects.flatMap((object) => {
    const { color, count, background } = newTo(object)
    return [
      ...colors.filter((one) => !color(one)).map((one) => prompt('color', { object, color: one })),
      ...counts.filter((one) => !count(one)).map((one) => prompt('count', { object, count: one })),
      ...backgrounds.filter((one) => !background(one)).map((one) => prompt('background', { object, background: one })),
      ...pickCombinations(
        object,
        ({ color: c, count: n, background: b }) =>
          !(c !== undefined && color(c)) && !(n !== undefined && count(n)) && !(b !== undefined && background(b)),
        combinationsSeen,
      ),
    ]
  })
}

/** 79 prompts: 12 of colour, 7 of count, 12 of background, 48 combinations. Each holds something no seen prompt has. */
export function unseenPrompts(): Prompt[] {
  return [...seenObjects, heldOutObject].flatMap((object) => {
    const { color, count, background } = newTo(object)
    return [
      ...colors.filter(color).map((one) => prompt('color', { object, color: one })),
      ...counts.filter(count).map((one) => prompt('count', { object, count: one })),
      ...backgrounds.filter(background).map((one) => prompt('background', { object, background: one })),
      ...pickCombinations(
        object,
        ({ color: c, count: n, background: b }) =>
          (c !== undefined && color(c)) || (n !== undefined && count(n)) || (b !== undefined && background(b)),
        object === heldOutObject ? combinationsHeldOut : combinationsUnseen,
      ),
    ]
  })
}

/** All 856 prompts of the world: seen ones, unseen ones, and those in neither list. */
export function allPrompts(): Prompt[] {
  return [...seenObjects, heldOutObject].flatMap((object) => {
    const { three, two } = combinationsOf(object)
    return [
      ...colors.map((color) => prompt('color', { object, color })),
      ...counts.map((count) => prompt('count', { object, count })),
      ...backgrounds.map((background) => prompt('background', { object, background })),
      ...[...three, ...two].map((one) => prompt('combination', one)),
    ]
  })
}

/** What is held back for an object; everything for the held-out one. */
function newTo(object: ObjectName) {
  const held = heldBack[object]
  return {
    color: (one: string) => held === undefined || held.colors.some((other) => other === one),
    count: (one: number) => held === undefined || held.counts.includes(one),
    background: (one: string) => held === undefined || held.backgrounds.some((other) => other === one),
  }
}

/** What can be stated of an object together: three attributes, and two. */
function combinationsOf(object: ObjectName): { readonly three: Attributes[]; readonly two: Attributes[] } {
  const colored = colors.flatMap((color) =>
    backgrounds.filter((background) => occurs(color, background)).map((background) => ({ object, color, background })),
  )
  return {
    three: colored.flatMap(({ color, background }) => counts.map((count) => ({ object, color, count, background }))),
    two: [
      ...colors.flatMap((color) => counts.map((count) => ({ object, color, count }))),
      ...backgrounds.flatMap((background) => counts.map((count) => ({ object, count, background }))),
      ...colored,
    ],
  }
}

/** Prompts that state three or two attributes of an object. */
function pickCombinations(
  object: ObjectName,
  fits: (attributes: Attributes) => boolean,
  picks: { readonly three: number; readonly two: number },
): Prompt[] {
  const { three, two } = combinationsOf(object)
  return [...balanced(three.filter(fits), picks.three), ...balanced(two.filter(fits), picks.two)].map((one) =>
    prompt('combination', one),
  )
}

/** Picks combinations so that every colour, count and background comes up about equally often. */
function balanced(from: readonly Attributes[], picks: number): Attributes[] {
  const left = random(...shapesStreams.combinations()).shuffle(from)
  const keys = (one: Attributes) => [`color ${one.color}`, `count ${one.count}`, `background ${one.background}`]
  const uses = new Map<string, number>()
  const picked: Attributes[] = []
  while (picked.length < picks) {
    const cost = (one: Attributes) => keys(one).reduce((sum, key) => sum + (uses.get(key) ?? 0) ** 2, 0)
    const next = left.reduce((best, one) => (cost(one) < cost(best) ? one : best))
    left.splice(left.indexOf(next), 1)
    picked.push(next)
    for (const key of keys(next)) uses.set(key, (uses.get(key) ?? 0) + 1)
  }
  return picked
}

function prompt(category: Category, attributes: Attributes): Prompt {
  const text = promptText(attributes, shapesVocabulary)
  return { id: text.replaceAll(' ', '-'), text, category, attributes }
}
