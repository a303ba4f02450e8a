/**
 * The demo's prompts. Seen prompts are drawn, labelled and trained on; unseen ones only measured. The ring is in no seen
 * prompt; of the other three objects some colours, counts and backgrounds are held back, alone and in combinations.
 * "one circle" … "four crosses" are only twelve phrases, so the count category is the smallest in both lists.
 */
import { promptText } from '../prompts/templates.ts'
import { random } from '../random.ts'
import type { Attributes, Category, Prompt } from '../records.ts'
import { occurs } from './captions.ts'
import { shapesVocabulary, type BackgroundName, type ColorName, type ObjectName } from './vocabulary.ts'

const { colors, backgrounds } = shapesVocabulary
const counts = [1, 2, 3, 4]

export const seenObjects: readonly ObjectName[] = ['circle', 'triangle', 'cross']
export const heldOutObject: ObjectName = 'ring'

/** What no seen prompt combines with the object: every colour, background and all counts but one are held back once. */
const heldBack: Readonly<
  Record<string, { colors: readonly ColorName[]; counts: readonly number[]; backgrounds: readonly BackgroundName[] }>
> = {
  circle: { colors: ['orange', 'blue'], counts: [3], backgrounds: ['black', 'pink'] },
  triangle: { colors: ['red', 'purple'], counts: [2], backgrounds: ['white', 'blue'] },
  cross: { colors: ['yellow', 'green'], counts: [4], backgrounds: ['gray', 'green'] },
}

/** Full combinations per object: of each seen object in the seen list, of each seen and the held-out one in the unseen. */
const combinationsSeen = 9
const combinationsUnseen = 5
const combinationsHeldOut = 12

type Full = Required<Attributes>

/** 60 prompts: 12 of colour, 9 of count, 12 of background, 27 combinations. */
export function seenPrompts(): Prompt[] {
  return seenObjects.flatMap((object) => {
    const { color, count, background } = newTo(object)
    return [
      ...colors.filter((one) => !color(one)).map((one) => prompt('color', { object, color: one })),
      ...counts.filter((one) => !count(one)).map((one) => prompt('count', { object, count: one })),
      ...backgrounds.filter((one) => !background(one)).map((one) => prompt('background', { object, background: one })),
      ...balanced(
        combinations(object).filter((one) => !color(one.color) && !count(one.count) && !background(one.background)),
        combinationsSeen,
      ).map((one) => prompt('combination', one)),
    ]
  })
}

/** 58 prompts: 12 of colour, 7 of count, 12 of background, 27 combinations. Each holds something no seen prompt has. */
export function unseenPrompts(): Prompt[] {
  return [...seenObjects, heldOutObject].flatMap((object) => {
    const { color, count, background } = newTo(object)
    return [
      ...colors.filter(color).map((one) => prompt('color', { object, color: one })),
      ...counts.filter(count).map((one) => prompt('count', { object, count: one })),
      ...backgrounds.filter(background).map((one) => prompt('background', { object, background: one })),
      ...balanced(
        combinations(object).filter((one) => color(one.color) || count(one.count) || background(one.background)),
        object === heldOutObject ? combinationsHeldOut : combinationsUnseen,
      ).map((one) => prompt('combination', one)),
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

function combinations(object: ObjectName): Full[] {
  return colors.flatMap((color) =>
    backgrounds
      .filter((background) => occurs(color, background))
      .flatMap((background) => counts.map((count) => ({ object, color, count, background }))),
  )
}

/** Picks combinations so that every colour, count and background comes up about equally often. */
function balanced(from: readonly Full[], picks: number): Full[] {
  const left = random(2305, 16381).shuffle(from)
  const uses = new Map<string | number, number>()
  const picked: Full[] = []
  while (picked.length < picks) {
    const cost = (one: Full) =>
      [`${one.color} objects`, one.count, one.background].reduce<number>(
        (sum, key) => sum + (uses.get(key) ?? 0) ** 2,
        0,
      )
    const next = left.reduce((best, one) => (cost(one) < cost(best) ? one : best))
    left.splice(left.indexOf(next), 1)
    picked.push(next)
    for (const key of [`${next.color} objects`, next.count, next.background]) uses.set(key, (uses.get(key) ?? 0) + 1)
  }
  return picked
}

function prompt(category: Category, attributes: Attributes): Prompt {
  const text = promptText(attributes, shapesVocabulary)
  return { id: text.replaceAll(' ', '-'), text, category, attributes }
}
