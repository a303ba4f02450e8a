/** Checks what images show by a detector, and the colours of what it finds by CLIP. */
import { pixelsOf, type Picture } from '../../images/png.ts'
import type { Detector, FoundBox } from '../../networks/detector/open-detector.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import type { Composition } from '../../records.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { distinct, shows, type Box, type FoundObject } from './rules.ts'

export interface ObjectChecking {
  readonly detector: Detector
  /** A box counts where its score is above. */
  readonly threshold: number
  /** Tells colours; without it prompts that ask for one are not checked. */
  readonly colors?: ImageTextEncoder
}

/** Among which GenEval chooses. */
const colorNames = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'white']

/** Whether a colour is asked for. */
export const asksColor = ({ include }: Composition): boolean => include.some(({ color }) => color !== undefined)

/**
 * Each box is of that class among all that any prompt names which fits it best, so that a cat is no dog where some prompt
 * knows cats.
 *
 * @param pictures a list a prompt
 * @returns 1 where an image shows what its prompt asks for, else 0; null of a prompt that cannot be checked
 */
export function checkObjects(
  compositions: readonly (Composition | undefined)[],
  pictures: readonly (readonly Picture[])[],
  { detector, threshold, colors }: ObjectChecking,
  onCount: (images: number) => void = () => undefined,
): (readonly number[] | null)[] {
  const classes = classesOf(compositions)
  const texts = classes.map((name) => `a photo of a ${name}`)
  const palette = [...new Set([...colorNames, ...compositions.flatMap((one) => colorsIn(one))])]
  const teller = colors === undefined ? undefined : colorTeller(colors, palette)
  return compositions.map((composition, p) => {
    if (composition === undefined || (asksColor(composition) && teller === undefined)) return null
    return pictures[p].map((picture) => {
      using _scope = tensorScope()
      const [boxes] = detector.find(pixelsOf([picture]), texts)
      onCount(1)
      const found = objectsOf(boxes, classes, picture, threshold)
      return shows(composition, found, (name, objects) => teller!(name, objects, picture)) ? 1 : 0
    })
  })
}

function classesOf(compositions: readonly (Composition | undefined)[]): string[] {
  const named = compositions.flatMap((one) => [...(one?.include ?? []), ...(one?.exclude ?? [])])
  return [...new Set(named.map((one) => one.class))]
}

const colorsIn = (composition: Composition | undefined) =>
  composition?.include.flatMap(({ color }) => color ?? []) ?? []

/** By class, from the surest down; boxes in pixels, within the image. */
function objectsOf(
  boxes: readonly FoundBox[],
  classes: readonly string[],
  { width, height }: Picture,
  threshold: number,
): Map<string, FoundObject[]> {
  const within = (share: number, size: number) => Math.min(Math.max(share, 0), 1) * size
  const all = boxes.map(({ box: [left, top, right, bottom], scores }) => {
    const score = Math.max(...scores)
    const box: Box = [within(left, width), within(top, height), within(right, width), within(bottom, height)]
    return { of: classes[scores.indexOf(score)], score, box }
  })
  return new Map(classes.map((name) => [name, distinct(all.filter((one) => one.of === name), threshold)])) // prettier-ignore
}

/** The colours of objects: of each the one whose texts are nearest to what its box shows. */
function colorTeller(encoder: ImageTextEncoder, palette: readonly string[]) {
  const known = new Map<string, readonly Float32Array[]>()
  const textsOf = (name: string) => {
    using _noGrad = noGrad()
    const rows = palette.map((color) => {
      using _scope = tensorScope()
      const texts = [
        `a photo of a ${color} ${name}`,
        `a photo of a ${color}-colored ${name}`,
        `a photo of a ${color} object`,
      ]
      const mean = encoder.embedTexts(texts).mean(0)
      return mean.div(mean.norm()).toFloat32()
    })
    known.set(name, rows)
    return rows
  }
  return (name: string, objects: readonly FoundObject[], picture: Picture): string[] => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const rows = known.get(name) ?? textsOf(name)
    return objects.map(({ box }) => {
      const seen = encoder.embedImages(pixelsOf([cropped(picture, box)])).toFloat32()
      const cosines = rows.map((row) => row.reduce((sum, value, i) => sum + value * seen[i], 0))
      return palette[cosines.indexOf(Math.max(...cosines))]
    })
  }
}

/** What a box shows, at least one pixel. */
function cropped({ bytes, width, height }: Picture, [left, top, right, bottom]: Box): Picture {
  const from = (side: number, size: number) => Math.min(Math.round(side), size - 1)
  const [x, y] = [from(left, width), from(top, height)]
  const size = { width: Math.max(1, Math.round(right) - x), height: Math.max(1, Math.round(bottom) - y) }
  const cut = new Uint8Array(size.width * size.height * 3)
  for (let row = 0; row < size.height; row++) {
    const start = ((y + row) * width + x) * 3
    cut.set(bytes.subarray(start, start + size.width * 3), row * size.width * 3)
  }
  return { bytes: cut, ...size }
}
