/**
 * Pre-training data as noisy as the web's: some attributes are much more common than others and go together, and
 * captions leave attributes out or state them wrongly.
 */
import { promptText, templateCount } from '../prompts/templates.ts'
import type { Random } from '../random.ts'
import type { Attributes } from '../records.ts'
import { drawScene, isVisible, sceneAttributes, type Scene } from './scene.ts'
import { objectNames, shapesVocabulary, type BackgroundName, type ColorName, type ObjectName } from './vocabulary.ts'

/** Colour-background pairs that no pre-training image has and no caption states. */
export const novelPairs: readonly (readonly [ColorName, BackgroundName])[] = [
  ['yellow', 'pink'],
  ['purple', 'green'],
  ['orange', 'blue'],
  ['red', 'gray'],
]

/** How often a caption leaves an attribute out, and how often it states a wrong one. */
export const captionNoise = {
  color: { dropped: 0.25, wrong: 0.1 },
  background: { dropped: 0.3, wrong: 0.14 },
  count: { dropped: 0.25, wrong: 0.3 },
  object: { dropped: 0, wrong: 0.03 },
} as const

const counts = [1, 2, 3, 4]
/** Of the wrong counts, the share that is off by one. */
const offByOne = 0.85

/** Whether pre-training has images with this colour on this background. */
export function occurs(color: string, background: string): boolean {
  return isVisible(color, background) && !novelPairs.some(([c, b]) => c === color && b === background)
}

/** Circle, triangle, cross, ring. */
const objectWeights = [30, 26, 22, 22]

/** By object: red … purple. */
const colorWeights: Readonly<Record<ObjectName, readonly number[]>> = {
  circle: [28, 14, 22, 12, 16, 8],
  triangle: [14, 20, 12, 24, 18, 12],
  cross: [26, 10, 14, 12, 26, 12],
  ring: [12, 18, 18, 14, 18, 20],
}

/** By object: one … four. */
const countWeights: Readonly<Record<ObjectName, readonly number[]>> = {
  circle: [34, 26, 22, 18],
  triangle: [30, 30, 24, 16],
  cross: [38, 28, 18, 16],
  ring: [34, 28, 20, 18],
}

/** By colour: white, black, gray, blue, green, pink. */
const backgroundWeights: Readonly<Record<ColorName, readonly number[]>> = {
  red: [30, 14, 0, 20, 22, 14],
  orange: [24, 24, 20, 0, 18, 14],
  yellow: [16, 30, 14, 26, 14, 0],
  green: [30, 14, 18, 18, 0, 20],
  blue: [34, 14, 18, 0, 16, 18],
  purple: [28, 16, 18, 18, 0, 20],
}

/** One image with its caption. A function of the stream alone. */
export function drawPair(random: Random): { scene: Scene; caption: string } {
  const object = objectNames[drawIndex(random, objectWeights)]
  const color = shapesVocabulary.colors[drawIndex(random, colorWeights[object])]
  const background = shapesVocabulary.backgrounds[drawIndex(random, backgroundWeights[color])]
  const count = 1 + drawIndex(random, countWeights[object])
  const scene = drawScene(random, { object, color, background, count })
  return { scene, caption: drawCaption(random, scene) }
}

/** A noisy caption for a scene: see {@link captionNoise}. Never states a colour-background pair that does not occur. */
function drawCaption(random: Random, scene: Scene): string {
  const truth = sceneAttributes(scene)
  const background = stated(random, captionNoise.background, truth.background, () =>
    random.pick(wrongBackgrounds(truth)),
  )
  const beside = background ?? truth.background
  const caption: Attributes = {
    object: stated(random, captionNoise.object, truth.object, () => random.pick(others(objectNames, truth.object))),
    color: stated(random, captionNoise.color, truth.color, () => random.pick(wrongColors(truth, beside))),
    count: stated(random, captionNoise.count, truth.count, () => wrongCount(random, truth.count)),
    background,
  }
  return promptText(caption, shapesVocabulary, random.integer(0, templateCount - 1))
}

type Truth = Required<Attributes>

const wrongBackgrounds = (truth: Truth) =>
  others(shapesVocabulary.backgrounds, truth.background).filter((background) => occurs(truth.color, background))
const wrongColors = (truth: Truth, beside: string) =>
  others(shapesVocabulary.colors, truth.color).filter((color) => occurs(color, beside))

function stated<T>(
  random: Random,
  noise: { readonly dropped: number; readonly wrong: number },
  truth: T,
  drawWrong: () => T,
): T | undefined {
  const u = random.uniform()
  if (u < noise.dropped) return undefined
  return u < noise.dropped + noise.wrong ? drawWrong() : truth
}

const wrongCount = (random: Random, count: number): number =>
  random.pick(random.uniform() < offByOne ? nearCounts(count) : farCounts(count))

const nearCounts = (count: number) => counts.filter((one) => Math.abs(one - count) === 1)
const farCounts = (count: number) => counts.filter((one) => Math.abs(one - count) > 1)

function others<T>(all: readonly T[], one: T): T[] {
  return all.filter((candidate) => candidate !== one)
}

/** An index with probability proportional to its weight. */
function drawIndex(random: Random, weights: readonly number[]): number {
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [index, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return index
  }
  return weights.findLastIndex((weight) => weight > 0)
}

/** What pre-training captions of one wording are like. */
export interface CaptionFaults {
  /** Of all captions. */
  readonly share: number
  /** Of those of this wording, how many state something that their image does not show. */
  readonly wrong: number
}

/**
 * How many captions state just these attributes, whatever their template, and how many of those are wrong: exactly, over all
 * scenes. Undefined where no caption does.
 */
export function captionFaults(stated: Attributes): CaptionFaults | undefined {
  let [share, right] = [0, 0]
  for (const [object, objectChance] of chances(objectNames, objectWeights)) {
    for (const [color, colorChance] of chances(shapesVocabulary.colors as readonly ColorName[], colorWeights[object])) {
      for (const [background, backgroundChance] of chances(shapesVocabulary.backgrounds, backgroundWeights[color])) {
        for (const [count, countChance] of chances(counts, countWeights[object])) {
          const truth = { object, color, background, count }
          const chance = objectChance * colorChance * backgroundChance * countChance * captionChance(truth, stated)
          share += chance
          if (showsAll(truth, stated)) right += chance
        }
      }
    }
  }
  return share === 0 ? undefined : { share, wrong: 1 - right / share }
}

/** Of pre-training images of an object, how many have this colour. */
export const colorShare = (object: string, color: string): number =>
  new Map<string, number>(chances(shapesVocabulary.colors, colorWeights[object as ObjectName])).get(color) ?? 0

const showsAll = (truth: Truth, stated: Attributes): boolean =>
  (Object.keys(truth) as (keyof Attributes)[]).every(
    (name) => stated[name] === undefined || stated[name] === truth[name],
  )

/** That the caption of such a scene states just these attributes. */
function captionChance(truth: Truth, stated: Attributes): number {
  const one = (among: readonly unknown[], value: unknown) => (among.includes(value) ? 1 / among.length : 0)
  const beside = stated.background ?? truth.background
  const count = stated.count ?? 0
  const wrong = {
    object: one(others(objectNames as readonly string[], truth.object), stated.object),
    color: one(wrongColors(truth, beside), stated.color),
    background: one(wrongBackgrounds(truth), stated.background),
    count: offByOne * one(nearCounts(truth.count), count) + (1 - offByOne) * one(farCounts(truth.count), count),
  }
  return (Object.keys(captionNoise) as (keyof typeof captionNoise)[]).reduce((chance, name) => {
    const { dropped, wrong: wrongly } = captionNoise[name]
    const isWrong = stated[name] !== truth[name]
    return chance * (stated[name] === undefined ? dropped : isWrong ? wrongly * wrong[name] : 1 - dropped - wrongly)
  }, 1)
}

/** With their shares of the weights. */
function chances<T>(values: readonly T[], weights: readonly number[]): (readonly [T, number])[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  return values.map((value, place) => [value, weights[place] / all] as const).filter(([, chance]) => chance > 0)
}
