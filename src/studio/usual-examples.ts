/** Example images that come with the usual guidelines where the world of the model is known: drawn by its renderer, not by the model. */
import { hashOfJson } from '../content-hash.ts'
import { random } from '../random.ts'
import type { Attributes } from '../records.ts'
import { renderScene } from '../shapes/render.ts'
import { drawScene, imageSize } from '../shapes/scene.ts'
import { shapesWorld } from '../shapes/world.ts'
import type { Guidelines } from './schemas/labelling.ts'
import type { ImageRef } from './schemas/basics.ts'
import { worldOf } from './worlds.ts'

interface UsualExample {
  readonly prompt: string
  readonly shows: Required<Attributes>
  readonly answer: 'good' | 'bad'
  /** Pages in another language say the same in theirs: web/texts/de/usual.ts. */
  readonly note: string
}

const examples: readonly UsualExample[] = [
  {
    prompt: 'red circles on a white background',
    shows: { object: 'circle', color: 'red', count: 1, background: 'white' },
    answer: 'good',
    note: 'A plural without a number: one is right as well.',
  },
  {
    prompt: 'two blue crosses on a pink background',
    shows: { object: 'cross', color: 'blue', count: 3, background: 'pink' },
    answer: 'bad',
    note: 'A number counts exactly, and these are three.',
  },
  {
    prompt: 'a green triangle',
    shows: { object: 'triangle', color: 'green', count: 1, background: 'black' },
    answer: 'good',
    note: 'The prompt does not mention the background: any is right.',
  },
  {
    prompt: 'three yellow rings on a blue background',
    shows: { object: 'ring', color: 'yellow', count: 3, background: 'gray' },
    answer: 'bad',
    note: 'One thing wrong is bad: here the background.',
  },
]
const byId = new Map(examples.map((example) => [hashOfJson(example).slice(0, 16), example]))

/** None for a model whose world is not known. */
export const usualExamplesFor = (model: string): Guidelines['examples'] =>
  worldOf(model) === shapesWorld ? [...byId].map(([image, { answer, note }]) => ({ image, answer, note })) : []

/** @returns undefined where the image is none of the usual examples */
export function usualPicture(image: string): { picture: ImageRef; prompt: string } | undefined {
  const known = byId.get(image)
  return known && { picture: { id: image, width: imageSize, height: imageSize }, prompt: known.prompt }
}

/** @returns PNG; undefined where the image is none of the usual examples */
export async function usualPng(image: string): Promise<Uint8Array | undefined> {
  const known = byId.get(image)
  if (known === undefined) return undefined
  const { default: sharp } = await import('sharp')
  const bytes = renderScene(drawScene(random(4), known.shows))
  return await sharp(bytes, { raw: { width: imageSize, height: imageSize, channels: 3 } })
    .png()
    .toBuffer()
}
