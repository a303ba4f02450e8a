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
    random.pick(others(shapesVocabulary.backgrounds, truth.background).filter((b) => occurs(truth.color, b))),
  )
  const beside = background ?? truth.background
  const caption: Attributes = {
    object: stated(random, captionNoise.object, truth.object, () => random.pick(others(objectNames, truth.object))),
    color: stated(random, captionNoise.color, truth.color, () =>
      random.pick(others(shapesVocabulary.colors, truth.color).filter((c) => occurs(c, beside))),
    ),
    count: stated(random, captionNoise.count, truth.count, () => wrongCount(random, truth.count)),
    background,
  }
  return promptText(caption, shapesVocabulary, random.integer(0, templateCount - 1))
}

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

function wrongCount(random: Random, count: number): number {
  const wrong = others([1, 2, 3, 4], count)
  const near = wrong.filter((one) => Math.abs(one - count) === 1)
  const far = wrong.filter((one) => Math.abs(one - count) > 1)
  return random.pick(random.uniform() < offByOne ? near : far)
}

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
