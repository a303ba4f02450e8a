/**
 * The sizes of ImageReward's networks. All but the number of heads show in the shapes of the weights, and heads are as wide in
 * every published BLIP. `med_config.json` is not asked: it says of the image's states that they are 768 wide, which they are not.
 */
import { FormatError } from '../../errors.ts'
import type { FoundWeights } from '../checkpoint/find-weights.ts'

interface TowerSize {
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Between the two linear layers of the feed-forward half. */
  readonly hidden: number
}

export interface VisionSize extends TowerSize {
  /** Height and width of a patch, pixels. */
  readonly patchSize: number
  /** Height and width of an image, pixels. */
  readonly imageSize: number
}

export interface TextSize extends TowerSize {
  readonly vocabulary: number
  /** Tokens for which there is a place; texts are shorter. */
  readonly positions: number
}

export interface BlipConfig {
  readonly vision: VisionSize
  readonly text: TextSize
  /** What goes into each linear layer of the head; the last gives one number. */
  readonly head: readonly number[]
}

/** Tokens of a text, with those of its start and end: more is cut off. */
export const textLength = 35

/** The places of the head's linear layers; between them is what only drops out in training, and nothing that bends. */
export const headLayers = [0, 2, 4, 6, 7] as const

const headWidth = 64
/** More pixels than any network takes would fill the memory. */
const mostPixels = 4096

const remedy = 'these weights belong to another network'

/** @throws {FormatError} names file and tensor: no BLIP with the head of ImageReward */
export function blipConfigOf(found: FoundWeights): BlipConfig {
  const names = [...found.entries.keys()]
  const placeOf = (name: string) => `${found.entries.get(name)?.file ?? found.files.join(', ')} ${name}`
  /** The sizes of a tensor of so many dimensions. */
  const shapeOf = (name: string, dimensions: number): readonly number[] => {
    const shape = found.entries.get(name)?.shape
    if (shape?.length === dimensions && shape.every((size) => size > 0)) return shape
    const received = shape === undefined ? 'no tensor of this name' : `[${shape.join(', ')}]`
    throw new FormatError({ where: placeOf(name), expected: `a tensor of ${dimensions} dimensions`, received, remedy })
  }
  const towerOf = (name: string, width: number, layer: RegExp, hidden: string): TowerSize => {
    if (width % headWidth !== 0) {
      const expected = `a width that is a multiple of ${headWidth}, that of a head`
      throw new FormatError({ where: placeOf(name), expected, received: String(width), remedy })
    }
    const numbers = names.flatMap((one) => layer.exec(one)?.[1] ?? [])
    const layers = Math.max(0, ...numbers.map(Number)) + 1
    return { width, layers, heads: width / headWidth, hidden: shapeOf(hidden, 2)[0] }
  }

  const [kernel, positions] = ['blip.visual_encoder.patch_embed.proj.weight', 'blip.visual_encoder.pos_embed']
  const [visionWidth, , patchSize] = shapeOf(kernel, 4)
  const places = shapeOf(positions, 3)[1] - 1
  const imageSize = Math.sqrt(places) * patchSize
  if (!Number.isInteger(imageSize / patchSize) || places === 0 || imageSize > mostPixels) {
    const expected = `a place for the class and for each patch of a square of at most ${mostPixels} pixels a side`
    throw new FormatError({ where: placeOf(positions), expected, received: `${places + 1} places`, remedy })
  }
  const words = 'blip.text_encoder.embeddings.word_embeddings.weight'
  const [vocabulary, textWidth] = shapeOf(words, 2)
  const order = 'blip.text_encoder.embeddings.position_embeddings.weight'
  const [textPlaces] = shapeOf(order, 2)
  if (textPlaces < textLength) {
    const expected = `a place for each of ${textLength} tokens`
    throw new FormatError({ where: placeOf(order), expected, received: String(textPlaces), remedy })
  }
  return {
    vision: {
      ...towerOf(
        kernel,
        visionWidth,
        /^blip\.visual_encoder\.blocks\.(\d{1,3})\./,
        'blip.visual_encoder.blocks.0.mlp.fc1.weight',
      ),
      ...{ patchSize, imageSize },
    },
    text: {
      ...towerOf(
        words,
        textWidth,
        /^blip\.text_encoder\.encoder\.layer\.(\d{1,3})\./,
        'blip.text_encoder.encoder.layer.0.intermediate.dense.weight',
      ),
      ...{ vocabulary, positions: textPlaces },
    },
    head: headLayers.map((layer) => shapeOf(`mlp.layers.${layer}.weight`, 2)[1]),
  }
}
