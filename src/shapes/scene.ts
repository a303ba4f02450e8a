/** What a picture of the embedded world shows, down to every number that the renderer needs. */
import { ConfigError, VocabularyError } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Attributes } from '../records.ts'
import { extents, type Placement } from './outline.ts'
import { objectNames, shapesVocabulary, type BackgroundName, type ColorName, type ObjectName } from './vocabulary.ts'

/** Images are imageSize x imageSize. */
export const imageSize = 24

/** 0 … 255 per channel. */
export type Rgb = readonly [number, number, number]

/** Equal objects of one colour on one background. */
export interface Scene {
  readonly object: ObjectName
  readonly color: ColorName
  readonly count: number
  readonly background: BackgroundName
  readonly objectRgb: Rgb
  /** At the centre of the image. */
  readonly backgroundRgb: Rgb
  /** Change of the background's brightness, levels per pixel in x and in y. */
  readonly gradient: readonly [number, number]
  /** One per object. */
  readonly placements: readonly Placement[]
}

export const colorRgb: Readonly<Record<ColorName, Rgb>> = {
  red: [216, 40, 42],
  orange: [250, 135, 20],
  yellow: [250, 212, 30],
  green: [30, 145, 68],
  blue: [35, 82, 215],
  purple: [138, 52, 188],
}

export const backgroundRgb: Readonly<Record<BackgroundName, Rgb>> = {
  white: [238, 238, 236],
  black: [24, 24, 28],
  gray: [146, 147, 150],
  blue: [112, 172, 234],
  green: [136, 202, 132],
  pink: [240, 178, 204],
}

/** Smallest and largest radius by the number of objects, pixels. */
const radii: readonly (readonly [number, number])[] = [
  [6.4, 8.6],
  [4.9, 5.8],
  [4.5, 5.1],
  [4.3, 4.8],
]
/** Least distance between two objects and to the image's edge, pixels. */
const gap = 1.7
const edge = 0.7
const colorJitter = 9
const backgroundJitter = 6

/** Whether objects of this colour can be told from this background: blue on blue and green on green cannot. */
export function isVisible(color: string, background: string): boolean {
  return color !== background
}

/**
 * Draws a scene with the stated attributes; the others are uniform over what remains possible.
 *
 * @throws {VocabularyError} at a word that is not of this world
 * @throws {ConfigError} when the colour and the background stated are the same
 */
export function drawScene(random: Random, stated: Attributes): Scene {
  const colors = shapesVocabulary.colors.filter((color) => isVisible(color, stated.background ?? ''))
  const object = known('object', stated.object, objectNames) ?? random.pick(objectNames)
  const color = known('color', stated.color, shapesVocabulary.colors) ?? random.pick(colors)
  const backgrounds = shapesVocabulary.backgrounds.filter((background) => isVisible(color, background))
  const background = known('background', stated.background, shapesVocabulary.backgrounds) ?? random.pick(backgrounds)
  const count = stated.count ?? random.integer(1, radii.length)
  if (count > radii.length) {
    throw new VocabularyError({
      where: 'scene count',
      expected: `1 … ${radii.length}`,
      received: String(count),
      remedy: 'ask for fewer objects',
    })
  }
  if (!isVisible(color, background)) {
    throw new ConfigError({
      where: 'scene',
      expected: 'objects of another colour than the background',
      received: `${color} on ${background}`,
      remedy: 'change one of the two',
    })
  }
  const direction = 2 * Math.PI * random.uniform()
  const slope = (8 + 12 * random.uniform()) / imageSize
  return {
    object,
    color,
    count,
    background,
    objectRgb: jittered(random, colorRgb[color], colorJitter),
    backgroundRgb: jittered(random, backgroundRgb[background], backgroundJitter),
    gradient: [slope * Math.cos(direction), slope * Math.sin(direction)],
    placements: drawPlacements(random, object, count),
  }
}

/** The attributes that a scene has, all of them. */
export function sceneAttributes(scene: Scene): Required<Attributes> {
  return { object: scene.object, color: scene.color, count: scene.count, background: scene.background }
}

function known<T extends string>(where: string, word: string | undefined, words: readonly T[]): T | undefined {
  if (word === undefined) return undefined
  const found = words.find((candidate) => candidate === word)
  if (found !== undefined) return found
  throw new VocabularyError({
    where: `scene ${where}`,
    expected: words.join(', '),
    received: `"${word}"`,
    remedy: 'use one of these words',
  })
}

function jittered(random: Random, [red, green, blue]: Rgb, amount: number): Rgb {
  const shift = (level: number) => Math.min(255, Math.max(0, level + amount * (2 * random.uniform() - 1)))
  return [shift(red), shift(green), shift(blue)]
}

/** Random centres pushed apart until nothing overlaps; the objects shrink where they do not fit. */
function drawPlacements(random: Random, object: ObjectName, count: number): Placement[] {
  const [smallest, largest] = radii[count - 1]
  let size = smallest + (largest - smallest) * random.uniform()
  for (;;) {
    const placements = Array.from({ length: count }, () => ({
      x: imageSize * random.uniform(),
      y: imageSize * random.uniform(),
      radius: size * (1 + 0.04 * (2 * random.uniform() - 1)),
      rotation: object === 'circle' || object === 'ring' ? 0 : 0.15 * (2 * random.uniform() - 1),
    }))
    for (let round = 0; round < 40; round++) {
      if (!pushApart(placements, object)) return placements
    }
    size *= 0.98
  }
}

/** One round of moving overlapping objects apart and into the image. Returns whether anything moved. */
function pushApart(placements: { x: number; y: number; radius: number }[], object: ObjectName): boolean {
  const { side, up, down } = extents[object]
  let moved = false
  for (let i = 0; i < placements.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [placements[i], placements[j]]
      const wanted = side * (a.radius + b.radius) + gap
      const distance = Math.hypot(a.x - b.x, a.y - b.y)
      if (distance >= wanted - 0.05) continue
      moved = true
      const push = (wanted - distance) / 2 / Math.max(distance, 0.01)
      const [dx, dy] = [(a.x - b.x) * push, (a.y - b.y) * push]
      a.x += dx
      a.y += dy
      b.x -= dx
      b.y -= dy
    }
  }
  for (const one of placements) {
    const x = clamp(one.x, side * one.radius + edge, imageSize - side * one.radius - edge)
    const y = clamp(one.y, up * one.radius + edge, imageSize - down * one.radius - edge)
    if (Math.abs(x - one.x) + Math.abs(y - one.y) > 0.01) moved = true
    one.x = x
    one.y = y
  }
  return moved
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
