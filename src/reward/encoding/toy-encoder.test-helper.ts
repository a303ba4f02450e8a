/**
 * A pair of encoders for tests: an image is a row of ten pixels that are white where an attribute is present, beside six
 * of noise; a text states attributes by their words, beside six numbers that mean nothing. The cosine of the two is
 * noisy, so a reward has something to learn.
 */
import type { Picture } from '../../images/png.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import type { PromptVocabulary } from '../../prompts/vocabulary.ts'
import { random, type Random } from '../../random.ts'
import { tensor } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { embed, type Embedded } from './embeddings.ts'
import { shownTexts, textsIn, type ShownTexts } from '../examples/shown-texts.ts'
import type { Comparison, Label, RewardExamples } from '../examples/reward-examples.ts'

export const vocabulary: PromptVocabulary = {
  objects: ['circle', 'ring', 'cross', 'star'].map((singular) => ({ singular, plural: `${singular}s` })),
  colors: ['red', 'orange', 'yellow', 'green', 'blue', 'purple'],
  counts: [],
  backgrounds: [],
}
const attributes = [...vocabulary.colors, ...vocabulary.objects.map(({ singular }) => singular)]
const nuisances = 6
const width = attributes.length + nuisances

function unit(rows: Tensor): Tensor {
  return rows.mul(rows.square().sum(1, true).rsqrt())
}

function embedPixels(pixels: Tensor): Tensor {
  return unit(pixels.select(1, 0).flatten(1).mul(0.5).add(0.5))
}

export const toyEncoder: ImageTextEncoder = {
  name: 'toy',
  sha256: 'c'.repeat(64),
  width,
  device: 'cpu',
  embedImages: embedPixels,
  embedWithGradient: embedPixels,
  embedTexts(texts) {
    const rows = texts.flatMap((text) => {
      const noise = random(...Array.from(text, (letter) => letter.charCodeAt(0)))
      return [
        ...attributes.map((word) => (text.includes(word) ? 1 : 0)),
        ...Array.from({ length: nuisances }, () => 0.8 * (noise.uniform() - 0.5)),
      ]
    })
    return unit(tensor(rows, [texts.length, width]))
  },
}

export function toyPicture(color: string, object: string, noise: Random): Picture {
  const levels = [
    ...attributes.map((word) => (word === color || word === object ? 255 : 0)),
    ...Array.from({ length: nuisances }, () => noise.integer(0, 255)),
  ]
  return { bytes: Uint8Array.from(levels.flatMap((level) => [level, level, level])), width, height: 1 }
}

/** A judged image, with the picture itself. */
export interface JudgedPicture extends Label {
  readonly picture: Picture
}

/** Judged images of "red circles" and the like: good where colour and object are those of the prompt. */
export function judgedImages(count: number, prompts: readonly string[], seed: number): JudgedPicture[] {
  const stream = random(seed)
  return Array.from({ length: count }, (_, image) => {
    const text = stream.pick(prompts)
    const [color, plural] = text.split(' ')
    const object = plural.slice(0, -1)
    const objects = vocabulary.objects.map(({ singular }) => singular)
    const shownColor = stream.uniform() < 0.6 ? color : stream.pick(vocabulary.colors)
    const shownObject = stream.uniform() < 0.7 ? object : stream.pick(objects)
    const good = shownColor === color && shownObject === object
    return { image, picture: toyPicture(shownColor, shownObject, stream), text, good }
  })
}

/** The embeddings that a fit to judged images needs. */
export function embedJudged(
  examples: readonly JudgedPicture[],
  shown: ShownTexts = shownTexts(examples, 0, { vocabulary }),
): Promise<Embedded> {
  return embed(toyEncoder, examples, ({ picture }) => Promise.resolve(picture), textsIn(shown))
}

/** All prompts of a colour and an object, every fifth one unseen. */
export const allPrompts = vocabulary.colors.flatMap((color) =>
  vocabulary.objects.map(({ plural }) => `${color} ${plural}`),
)
export const unseenPrompts = allPrompts.filter((_, i) => i % 5 === 0)
export const seenPrompts = allPrompts.filter((_, i) => i % 5 !== 0)

/** Labels alone. */
export const labelsOnly = (labels: readonly Label[]): RewardExamples => ({ labels, comparisons: [] })

/** How many attributes of the prompt an image shows, 0 … 2, by its pixels. */
function shownAttributes({ picture, text }: Pick<JudgedPicture, 'picture' | 'text'>): number {
  const [color, plural] = text.split(' ')
  return attributes.filter((word, i) => (word === color || `${word}s` === plural) && picture.bytes[3 * i] === 255)
    .length
}

/** Pairs of images of one prompt, by raters whose answers follow Davidson's model: utility 4 for each shown attribute. */
export function judgedPairs(images: readonly JudgedPicture[], count: number, nu: number, seed: number): Comparison[] {
  const stream = random(seed)
  return drawnPairs(images, count, seed).map(([a, b]) => {
    const [first, second] = [a, b].map((image) => Math.exp(4 * shownAttributes(image)))
    const tie = nu * Math.sqrt(first * second)
    const draw = stream.uniform() * (first + second + tie)
    const [better, worse] = draw < first ? [a, b] : [b, a]
    return { better: better.image, worse: worse.image, text: a.text, isTie: draw >= first + second, weight: 1 }
  })
}

/** Pairs of images of one prompt of which one shows more of it, that one as the better one. */
export function truePairs(images: readonly JudgedPicture[], count: number, seed: number): Comparison[] {
  return drawnPairs(images, count, seed).flatMap((pair) => {
    const [worse, better] = pair.toSorted((a, b) => shownAttributes(a) - shownAttributes(b))
    if (shownAttributes(worse) === shownAttributes(better)) return []
    return [{ better: better.image, worse: worse.image, text: better.text, isTie: false, weight: 1 }]
  })
}

function drawnPairs(images: readonly JudgedPicture[], count: number, seed: number): JudgedPicture[][] {
  const stream = random(seed, 1)
  const groups = [...Map.groupBy(images, ({ text }) => text).values()].filter((group) => group.length > 1)
  return Array.from({ length: count }, () => stream.shuffle(stream.pick(groups)).slice(0, 2))
}
