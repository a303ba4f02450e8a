/** Finds the background of an image: a plane per colour channel through the pixels that no object covers. */
import { imageSize, type Rgb } from './scene.ts'

export interface BackgroundFit {
  /** Levels of the fitted background at every pixel, [imageSize · imageSize · 3]. */
  readonly levels: Float32Array
  /** At the centre of the image. */
  readonly rgb: Rgb
  /** Share of the image that lies near the fitted background. */
  readonly share: number
}

/** A pixel belongs to the background when its colour is at most this far away (Euclidean, levels of 255). */
const near = 38
const rounds = 3
const pixels = imageSize * imageSize

/** Starts at the median colour of the image's border and refits to the pixels near the fit. */
export function fitBackground(bytes: Uint8Array): BackgroundFit {
  const levels = new Float32Array(pixels * 3)
  for (let c = 0; c < 3; c++) {
    const start = borderMedian(bytes, c)
    for (let i = c; i < levels.length; i += 3) levels[i] = start
  }
  let rgb: Rgb = [levels[0], levels[1], levels[2]]
  let share = 0
  for (let round = 0; round < rounds; round++) {
    const inside = new Uint8Array(pixels)
    let count = 0
    for (let p = 0; p < pixels; p++) {
      if (distanceAt(bytes, levels, p) <= near) {
        inside[p] = 1
        count++
      }
    }
    share = count / pixels
    if (count < 30) break
    const planes = [0, 1, 2].map((c) => fitPlane(bytes, inside, c))
    for (let p = 0; p < pixels; p++) {
      for (let c = 0; c < 3; c++) {
        const [base, slopeX, slopeY] = planes[c]
        levels[p * 3 + c] = base + slopeX * offsetX(p) + slopeY * offsetY(p)
      }
    }
    rgb = [planes[0][0], planes[1][0], planes[2][0]]
  }
  return { levels, rgb, share }
}

/** Euclidean distance between an image and a background at one pixel, levels. */
export function distanceAt(bytes: Uint8Array, levels: Float32Array, pixel: number): number {
  const at = pixel * 3
  return Math.hypot(bytes[at] - levels[at], bytes[at + 1] - levels[at + 1], bytes[at + 2] - levels[at + 2])
}

function borderMedian(bytes: Uint8Array, channel: number): number {
  const found: number[] = []
  for (let p = 0; p < pixels; p++) {
    const x = p % imageSize
    if (p < imageSize || p >= pixels - imageSize || x === 0 || x === imageSize - 1) found.push(bytes[p * 3 + channel])
  }
  return found.sort((a, b) => a - b)[found.length >> 1]
}

/** Least squares of base + slopeX·x + slopeY·y, x and y from the centre. */
function fitPlane(bytes: Uint8Array, inside: Uint8Array, channel: number): [number, number, number] {
  let [n, sx, sy, sxx, sxy, syy, sv, sxv, syv] = [0, 0, 0, 0, 0, 0, 0, 0, 0]
  for (let p = 0; p < pixels; p++) {
    if (inside[p] === 0) continue
    const x = offsetX(p)
    const y = offsetY(p)
    const v = bytes[p * 3 + channel]
    n++
    sx += x
    sy += y
    sxx += x * x
    sxy += x * y
    syy += y * y
    sv += v
    sxv += x * v
    syv += y * v
  }
  const [cxx, cxy, cyy] = [sxx - (sx * sx) / n, sxy - (sx * sy) / n, syy - (sy * sy) / n]
  const [cxv, cyv] = [sxv - (sx * sv) / n, syv - (sy * sv) / n]
  const determinant = Math.max(cxx * cyy - cxy * cxy, 1e-6)
  const slopeX = (cxv * cyy - cyv * cxy) / determinant
  const slopeY = (cyv * cxx - cxv * cxy) / determinant
  return [(sv - slopeX * sx - slopeY * sy) / n, slopeX, slopeY]
}

function offsetX(pixel: number): number {
  return (pixel % imageSize) + 0.5 - imageSize / 2
}

function offsetY(pixel: number): number {
  return Math.floor(pixel / imageSize) + 0.5 - imageSize / 2
}
