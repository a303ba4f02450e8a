/** Finds which outline explains a patch of coverage best, and where it lies: analysis by synthesis. */
import { coverageAt, reach, signedDistance, symmetries, unitAreas, type Placement } from './outline.ts'
import { imageSize } from './scene.ts'
import { objectNames, type ObjectName } from './vocabulary.ts'

/** The pixels that belong to one object or to nothing, with the share of each that looks covered. */
export interface Patch {
  /** y·imageSize + x */
  readonly pixels: Int32Array
  /** 0 … 1, one per pixel. */
  readonly coverage: Float32Array
}

export interface Fit {
  readonly object: ObjectName
  readonly placement: Placement
  /** Σ (coverage − fitted coverage)² over the patch / Σ coverage; 0 is a perfect fit, an empty fit has about 1. */
  readonly misfit: number
}

/** Fits are refined for the outlines whose first guess is at most this much worse than the best first guess. */
const worthRefining = 3
const iterations = 6
/** Finite-difference steps in x, y, radius (pixels) and rotation (radians). */
const differences = [0.25, 0.25, 0.2, 0.06]

type Parameters = [x: number, y: number, radius: number, rotation: number]

/** The best fit among all outlines. The patch must have some coverage. */
export function fitShape(patch: Patch): Fit {
  const { x, y, area } = centroid(patch)
  const guesses = objectNames.flatMap((object) =>
    turns(object).map((rotation) => {
      const parameters: Parameters = [x, y, Math.sqrt(area / unitAreas[object]), rotation]
      return { object, parameters, misfit: misfitOf(patch, object, parameters, area) }
    }),
  )
  const bar = worthRefining * Math.min(...guesses.map((guess) => guess.misfit))
  const fits = guesses
    .filter((guess) => guess.misfit <= bar)
    .map(({ object, parameters }) => refine(patch, object, parameters, area))
  return fits.reduce((best, fit) => (fit.misfit < best.misfit ? fit : best))
}

/** First guesses of the rotation: as it stands and turned half-way to its next symmetry. */
function turns(object: ObjectName): number[] {
  return symmetries[object] === 0 ? [0] : [0, symmetries[object] / 2]
}

function centroid({ pixels, coverage }: Patch): { x: number; y: number; area: number } {
  let [x, y, area] = [0, 0, 0]
  for (let i = 0; i < pixels.length; i++) {
    x += coverage[i] * ((pixels[i] % imageSize) + 0.5)
    y += coverage[i] * (Math.floor(pixels[i] / imageSize) + 0.5)
    area += coverage[i]
  }
  return { x: x / area, y: y / area, area }
}

/** Gauss-Newton on the squared difference of coverages. */
function refine(patch: Patch, object: ObjectName, start: Parameters, area: number): Fit {
  const size = patch.pixels.length
  const free = symmetries[object] === 0 ? 3 : 4
  let best = start
  let misfit = Infinity
  let next = start
  const rendered = new Float32Array(size)
  const columns = differences.map(() => new Float32Array(size))
  for (let iteration = 0; iteration < iterations; iteration++) {
    renderPatch(patch, object, next, rendered)
    const error = squaredError(patch.coverage, rendered) / area
    if (!(error < misfit)) break
    const gain = misfit - error
    best = next
    misfit = error
    if (gain < 0.002) break
    for (let k = 0; k < free; k++) {
      const moved: Parameters = [...best]
      moved[k] += differences[k]
      renderPatch(patch, object, moved, columns[k])
      for (let i = 0; i < size; i++) columns[k][i] = (columns[k][i] - rendered[i]) / differences[k]
    }
    const step = solveNormalEquations(columns.slice(0, free), patch.coverage, rendered)
    next = best.map((value, k) => value + Math.min(1.5, Math.max(-1.5, step[k] ?? 0))) as Parameters
    if (next[2] < 1) break
  }
  const [x, y, radius, rotation] = best
  return { object, placement: { x, y, radius, rotation }, misfit }
}

function misfitOf(patch: Patch, object: ObjectName, parameters: Parameters, area: number): number {
  const rendered = new Float32Array(patch.pixels.length)
  renderPatch(patch, object, parameters, rendered)
  return squaredError(patch.coverage, rendered) / area
}

function renderPatch({ pixels }: Patch, object: ObjectName, [x, y, radius, rotation]: Parameters, into: Float32Array) {
  const cos = Math.cos(rotation)
  const sin = Math.sin(rotation)
  const farthest = (reach * radius + 0.5) ** 2
  for (let i = 0; i < pixels.length; i++) {
    const column = pixels[i] % imageSize
    const dx = column + 0.5 - x
    const dy = (pixels[i] - column) / imageSize + 0.5 - y
    into[i] = dx * dx + dy * dy > farthest ? 0 : coverageAt(signedDistance(object, dx, dy, radius, cos, sin))
  }
}

function squaredError(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i])
  return sum
}

/** The step that solves (JᵀJ + small diagonal) step = Jᵀ (target − rendered), by elimination. */
function solveNormalEquations(columns: Float32Array[], target: Float32Array, rendered: Float32Array): number[] {
  const size = columns.length
  const rows = columns.map((column, j) => {
    const row = columns.map((other) => dot(column, other))
    row[j] = row[j] * 1.02 + 1e-3
    return [...row, dot(column, target) - dot(column, rendered)]
  })
  for (let k = 0; k < size; k++) {
    for (let j = k + 1; j < size; j++) {
      const factor = rows[j][k] / rows[k][k]
      for (let c = k; c <= size; c++) rows[j][c] -= factor * rows[k][c]
    }
  }
  const step = new Array<number>(size).fill(0)
  for (let k = size - 1; k >= 0; k--) {
    let rest = rows[k][size]
    for (let c = k + 1; c < size; c++) rest -= rows[k][c] * step[c]
    step[k] = rest / rows[k][k]
  }
  return step
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
