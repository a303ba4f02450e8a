/** Draws scenes: a soft background gradient and anti-aliased objects. */
import { coverageAt, reach, signedDistance, type Placement } from './outline.ts'
import { imageSize, type Scene } from './scene.ts'
import type { ObjectName } from './vocabulary.ts'

/**
 * RGB bytes of a scene.
 *
 * @returns uint8 [imageSize, imageSize, 3]
 */
export function renderScene(scene: Scene): Uint8Array {
  const levels = new Float32Array(imageSize * imageSize * 3)
  const middle = imageSize / 2
  const [slopeX, slopeY] = scene.gradient
  for (let y = 0, at = 0; y < imageSize; y++) {
    for (let x = 0; x < imageSize; x++, at += 3) {
      const light = slopeX * (x + 0.5 - middle) + slopeY * (y + 0.5 - middle)
      for (let c = 0; c < 3; c++) levels[at + c] = scene.backgroundRgb[c] + light
    }
  }
  for (const placement of scene.placements) {
    eachCovered(scene.object, placement, (pixel, coverage) => {
      for (let c = 0, at = pixel * 3; c < 3; c++, at++) {
        levels[at] += coverage * (scene.objectRgb[c] - levels[at])
      }
    })
  }
  const bytes = new Uint8Array(levels.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.min(255, Math.max(0, Math.round(levels[i])))
  return bytes
}

/** Visits the pixels that an object covers, with the share covered in (0, 1]; `pixel` is y·imageSize + x. */
export function eachCovered(
  object: ObjectName,
  placement: Placement,
  visit: (pixel: number, coverage: number) => void,
): void {
  const { x, y, radius, rotation } = placement
  const cos = Math.cos(rotation)
  const sin = Math.sin(rotation)
  const extent = reach * radius + 0.5
  const left = Math.max(0, Math.floor(x - extent))
  const right = Math.min(imageSize - 1, Math.floor(x + extent))
  const top = Math.max(0, Math.floor(y - extent))
  const bottom = Math.min(imageSize - 1, Math.floor(y + extent))
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const coverage = coverageAt(signedDistance(object, column + 0.5 - x, row + 0.5 - y, radius, cos, sin))
      if (coverage > 0) visit(row * imageSize + column, coverage)
    }
  }
}
