/**
 * Tells from pixels alone what an image shows, and whether it is a clean picture at all. It fits the background, splits
 * what remains into objects, finds the outline of each by rendering it again, and compares the result with the image.
 * Serves the simulated rater, the report and the curve of sample images only: no training and no choice of a coefficient
 * reads it.
 */
import { ShapeError } from '../errors.ts'
import type { Attributes } from '../records.ts'
import { distanceAt, fitBackground, type BackgroundFit } from './background-fit.ts'
import { signedDistance, unitAreas } from './outline.ts'
import { eachCovered } from './render.ts'
import { backgroundRgb, colorRgb, imageSize, type Rgb } from './scene.ts'
import { fitShape, type Fit } from './shape-fit.ts'
import { shapesVocabulary, type BackgroundName, type ColorName, type ObjectName } from './vocabulary.ts'

/** What the judge reads; an attribute that it cannot tell, or that differs between the objects, is absent. */
export interface Reading {
  readonly object?: ObjectName
  readonly color?: ColorName
  readonly count: number
  readonly background?: BackgroundName
  /** Root mean square difference between the image and its re-rendering, in units of pixels in [-1, 1]. */
  readonly residual: number
  /** A valid picture of anything: equal objects of one known colour, fully drawn, on a known background, no more. */
  readonly clean: boolean
}

/** What still counts as clean, chosen so that slight blur, noise and wobbly outlines pass. */
const limits = {
  /** Distance of a colour from its prototype, levels of 255. */
  backgroundDistance: 46,
  colorDistance: 52,
  /** Share of the image that is background. */
  backgroundShare: 0.3,
  /** See {@link Fit.misfit}. */
  misfit: { circle: 0.11, triangle: 0.11, cross: 0.16, ring: 0.2 },
  residual: 0.17,
  /** Mean difference to the re-rendering in 3x3 and 5x5 windows, as a share of the objects' contrast. */
  window3: 0.45,
  window5: 0.26,
  /** Mean difference in 3x3 and 5x5 windows away from the outlines, levels: a ghost of another picture shows here. */
  flat3: 22,
  flat5: 13,
  /** Largest radius over smallest. */
  sizeRatio: 1.6,
  smallestRadius: 2.8,
  /** Of an object's area, the share inside the image. */
  visible: 0.85,
}
/** Pixels from the outline within which `flat` does not look. */
const outlineWidth = 1.7
/** Objects show this share of their full contrast at least, at most. */
const contrast = { least: 0.72, most: 1.12 }
/** A pixel further than this from the background is foreground, levels. */
const foregroundDistance = 45
/** Smaller components are specks: they count as flaws, not as objects. Pixels. */
const smallestArea = 9
/** Fully covered pixels from which a colour can be read as their median. */
const smallestCore = 8
const pixels = imageSize * imageSize

/**
 * @param bytes  uint8 [imageSize, imageSize, 3]
 * @throws {ShapeError} at another size
 */
export function judgeImage(bytes: Uint8Array): Reading {
  if (bytes.length !== pixels * 3) {
    throw new ShapeError({
      where: 'judgeImage bytes',
      expected: `${pixels * 3} (${imageSize} x ${imageSize} x 3)`,
      received: String(bytes.length),
      remedy: 'the judge reads images of the embedded world only',
    })
  }
  const ground = fitBackground(bytes)
  const foreground = foregroundColor(bytes, ground)
  if (foreground === undefined) {
    const { residual } = differenceOf(bytes, ground.levels, new Uint8Array(pixels))
    return { count: 0, ...backgroundOf(ground), residual, clean: false }
  }
  const coverage = coverageOf(bytes, ground, foreground)
  const reading = readObjects(bytes, ground, coverage, 0.5)
  if (reading.clean) return reading
  // objects that touch come apart at a higher threshold
  const stricter = readObjects(bytes, ground, coverage, 0.75)
  return stricter.clean ? stricter : reading
}

/** Whether the image is clean and every stated attribute is right. */
export function isAligned(attributes: Attributes, reading: Reading): boolean {
  return (
    reading.clean &&
    (attributes.object === undefined || attributes.object === reading.object) &&
    (attributes.color === undefined || attributes.color === reading.color) &&
    (attributes.count === undefined || attributes.count === reading.count) &&
    (attributes.background === undefined || attributes.background === reading.background)
  )
}

function readObjects(bytes: Uint8Array, ground: BackgroundFit, coverage: Float32Array, threshold: number): Reading {
  const { labels, areas } = components(coverage, threshold)
  const fits = areas.flatMap((area, index) =>
    area < smallestArea ? [] : [fitShape(patchOf(coverage, labels, index + 1))],
  )
  const levels = ground.levels.slice()
  const colors: (ColorName | undefined)[] = []
  let leastContrast = Infinity
  for (const fit of fits) {
    const rgb = paint(bytes, levels, fit)
    colors.push(nearestColor(rgb, ground.rgb))
    leastContrast = Math.min(leastContrast, distance(rgb, ground.rgb))
  }
  const { residual, window3, window5, flat3, flat5 } = differenceOf(bytes, levels, outlines(fits))
  const object = common(fits.map((fit) => fit.object))
  const color = common(colors)
  const { background } = backgroundOf(ground)
  const sizes = fits.map((fit) => fit.placement.radius)
  const clean =
    object !== undefined &&
    color !== undefined &&
    background !== undefined &&
    fits.length <= shapesVocabulary.counts.length &&
    ground.share >= limits.backgroundShare &&
    fits.every((fit) => fit.misfit <= limits.misfit[fit.object] && visibleShare(fit) >= limits.visible) &&
    Math.min(...sizes) >= limits.smallestRadius &&
    Math.max(...sizes) <= limits.sizeRatio * Math.min(...sizes) &&
    residual <= limits.residual &&
    window3 <= limits.window3 * leastContrast &&
    window5 <= limits.window5 * leastContrast &&
    flat3 <= limits.flat3 &&
    flat5 <= limits.flat5
  return {
    ...(object !== undefined && { object }),
    ...(color !== undefined && { color }),
    count: fits.length,
    ...(background !== undefined && { background }),
    residual,
    clean,
  }
}

/** The median colour of the pixels that differ most from the background. */
function foregroundColor(bytes: Uint8Array, ground: BackgroundFit): Rgb | undefined {
  const found: { pixel: number; distance: number }[] = []
  for (let pixel = 0; pixel < pixels; pixel++) {
    const distance = distanceAt(bytes, ground.levels, pixel)
    if (distance > foregroundDistance) found.push({ pixel, distance })
  }
  if (found.length < smallestArea) return undefined
  const bar = 0.75 * found.map((one) => one.distance).sort((a, b) => a - b)[Math.floor(found.length * 0.8)]
  const core = found.filter((one) => one.distance >= bar)
  const median = (channel: number) =>
    core.map(({ pixel }) => bytes[pixel * 3 + channel]).sort((a, b) => a - b)[core.length >> 1]
  return [median(0), median(1), median(2)]
}

/** How far each pixel has gone from the background to the foreground's colour, 0 … 1. */
function coverageOf(bytes: Uint8Array, ground: BackgroundFit, foreground: Rgb): Float32Array {
  const coverage = new Float32Array(pixels)
  for (let p = 0; p < pixels; p++) {
    let along = 0
    let whole = 0
    for (let c = 0; c < 3; c++) {
      const full = foreground[c] - ground.levels[p * 3 + c]
      along += full * (bytes[p * 3 + c] - ground.levels[p * 3 + c])
      whole += full * full
    }
    coverage[p] = Math.min(1, Math.max(0, along / whole))
  }
  return coverage
}

/** Connected components (four neighbours) of the pixels above the threshold; labels start at 1, areas are in pixels. */
function components(coverage: Float32Array, threshold: number): { labels: Uint8Array; areas: number[] } {
  const labels = new Uint8Array(pixels)
  const areas: number[] = []
  for (let start = 0; start < pixels && areas.length < 255; start++) {
    if (labels[start] !== 0 || coverage[start] < threshold) continue
    const label = areas.length + 1
    const open = [start]
    labels[start] = label
    let area = 0
    for (let p = open.pop(); p !== undefined; p = open.pop()) {
      area++
      for (const next of neighbours(p)) {
        if (labels[next] !== 0 || coverage[next] < threshold) continue
        labels[next] = label
        open.push(next)
      }
    }
    areas.push(area)
  }
  return { labels, areas }
}

function neighbours(p: number): number[] {
  const x = p % imageSize
  const found: number[] = []
  if (x > 0) found.push(p - 1)
  if (x < imageSize - 1) found.push(p + 1)
  if (p >= imageSize) found.push(p - imageSize)
  if (p < pixels - imageSize) found.push(p + imageSize)
  return found
}

/** The pixels around one component, without those that belong to, or touch, another one and not this. */
function patchOf(coverage: Float32Array, labels: Uint8Array, label: number) {
  let [left, right, top, bottom] = [imageSize, 0, imageSize, 0]
  for (let p = 0; p < pixels; p++) {
    if (labels[p] !== label) continue
    const [x, y] = [p % imageSize, Math.floor(p / imageSize)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  const chosen: number[] = []
  for (let y = Math.max(0, top - 2); y <= Math.min(imageSize - 1, bottom + 2); y++) {
    for (let x = Math.max(0, left - 2); x <= Math.min(imageSize - 1, right + 2); x++) {
      const p = y * imageSize + x
      if (labels[p] === label) {
        chosen.push(p)
      } else if (labels[p] === 0) {
        const around = neighbours(p).map((next) => labels[next])
        if (around.includes(label) || around.every((one) => one === 0)) chosen.push(p)
      }
    }
  }
  return { pixels: Int32Array.from(chosen), coverage: Float32Array.from(chosen, (p) => coverage[p]) }
}

/** Paints a fitted object over the levels, in its own colour as the image shows it. Returns that colour. */
function paint(bytes: Uint8Array, levels: Float32Array, fit: Fit): Rgb {
  const sum = [0, 0, 0]
  let weight = 0
  const core: number[] = []
  eachCovered(fit.object, fit.placement, (pixel, coverage) => {
    if (coverage === 1) core.push(pixel * 3)
    weight += coverage * coverage
    for (let c = 0; c < 3; c++) {
      sum[c] += coverage * (bytes[pixel * 3 + c] - (1 - coverage) * levels[pixel * 3 + c])
    }
  })
  const median = (c: number) => core.map((at) => bytes[at + c]).sort((a, b) => a - b)[core.length >> 1]
  // least squares would take blurred edges for a paler colour
  const rgb: Rgb =
    core.length >= smallestCore
      ? [median(0), median(1), median(2)]
      : [sum[0] / weight, sum[1] / weight, sum[2] / weight]
  eachCovered(fit.object, fit.placement, (pixel, coverage) => {
    for (let c = 0; c < 3; c++) {
      const at = pixel * 3 + c
      levels[at] += coverage * (rgb[c] - levels[at])
    }
  })
  return rgb
}

/** Marks the pixels near a fitted outline with 1: there a wobble or blur is no flaw yet. */
function outlines(fits: readonly Fit[]): Uint8Array {
  const marks = new Uint8Array(pixels)
  for (const { object, placement } of fits) {
    const { x, y, radius, rotation } = placement
    const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)]
    for (let p = 0; p < pixels; p++) {
      const dx = (p % imageSize) + 0.5 - x
      const dy = Math.floor(p / imageSize) + 0.5 - y
      if (Math.abs(signedDistance(object, dx, dy, radius, cos, sin)) < outlineWidth) marks[p] = 1
    }
  }
  return marks
}

interface Difference {
  /** Root mean square, units of pixels in [-1, 1]. */
  readonly residual: number
  /** Largest norm of the mean difference over 3x3 and 5x5 windows, levels. */
  readonly window3: number
  readonly window5: number
  /** The same over the windows of which at least two thirds are off the marks, counting only what is off them. */
  readonly flat3: number
  readonly flat5: number
}

function differenceOf(bytes: Uint8Array, levels: Float32Array, marks: Uint8Array): Difference {
  const difference = levels.map((level, i) => bytes[i] - Math.min(255, Math.max(0, level)))
  let sum = 0
  for (const one of difference) sum += one * one
  return {
    residual: Math.sqrt(sum / difference.length) / 127.5,
    window3: largestWindowMean(difference, 3),
    window5: largestWindowMean(difference, 5),
    flat3: largestWindowMean(difference, 3, marks),
    flat5: largestWindowMean(difference, 5, marks),
  }
}

function largestWindowMean(difference: Float32Array, size: number, marks?: Uint8Array): number {
  let largest = 0
  for (let top = 0; top <= imageSize - size; top++) {
    for (let left = 0; left <= imageSize - size; left++) {
      let [red, green, blue, count] = [0, 0, 0, 0]
      for (let y = top; y < top + size; y++) {
        for (let p = y * imageSize + left, end = p + size; p < end; p++) {
          if (marks !== undefined && marks[p] === 1) continue
          red += difference[p * 3]
          green += difference[p * 3 + 1]
          blue += difference[p * 3 + 2]
          count++
        }
      }
      if (3 * count < 2 * size * size) continue
      largest = Math.max(largest, (red * red + green * green + blue * blue) / (count * count))
    }
  }
  return Math.sqrt(largest)
}

function visibleShare({ object, placement }: Fit): number {
  let area = 0
  eachCovered(object, placement, (_, coverage) => {
    area += coverage
  })
  return area / (unitAreas[object] * placement.radius ** 2)
}

function backgroundOf(ground: BackgroundFit): { background?: BackgroundName } {
  const background = nearest(shapesVocabulary.backgrounds, limits.backgroundDistance, (name) =>
    distance(ground.rgb, backgroundRgb[name]),
  )
  return background === undefined ? {} : { background }
}

/** The nearest colour, where blur may have mixed some of the background into it. */
function nearestColor(rgb: Rgb, ground: Rgb): ColorName | undefined {
  return nearest(shapesVocabulary.colors, limits.colorDistance, (name) => {
    const full = colorRgb[name].map((level, c) => level - ground[c])
    const seen = rgb.map((level, c) => level - ground[c])
    const along = full.reduce((sum, level, c) => sum + level * seen[c], 0) / full.reduce((sum, x) => sum + x * x, 0)
    const share = Math.min(contrast.most, Math.max(contrast.least, along))
    return Math.hypot(...seen.map((level, c) => level - share * full[c]))
  })
}

function nearest<T>(names: readonly T[], limit: number, distanceTo: (name: T) => number): T | undefined {
  let best: T | undefined
  let least = limit
  for (const name of names) {
    const found = distanceTo(name)
    if (found <= least) [best, least] = [name, found]
  }
  return best
}

/** The one value that all have, if they do. */
function common<T>(values: readonly (T | undefined)[]): T | undefined {
  return values.length > 0 && values.every((value) => value === values[0]) ? values[0] : undefined
}

function distance(a: Rgb, b: Rgb): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}
