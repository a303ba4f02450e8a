/** The outlines of the four objects, as signed distances. The renderer draws with them and the judge fits them. */
import type { ObjectName } from './vocabulary.ts'

/** Where one object lies: pixels, y downwards; radians, clockwise. */
export interface Placement {
  readonly x: number
  readonly y: number
  /** Of the circle and ring; the arm of the cross; 1 / `triangleReach` of the triangle's circumradius. */
  readonly radius: number
  readonly rotation: number
}

const holeRadius = 0.52
const armHalfWidth = 0.3
const triangleReach = 1.25
/** Corners are rounded by this share of the radius. */
const rounding = 0.06

/** How far an object reaches from its centre at the rotations that scenes use, in radii; no outline exceeds `reach`. */
export const extents: Readonly<Record<ObjectName, { side: number; up: number; down: number }>> = {
  circle: { side: 1, up: 1, down: 1 },
  ring: { side: 1, up: 1, down: 1 },
  cross: { side: 1.04, up: 1.04, down: 1.04 },
  triangle: { side: 1.12, up: 1.22, down: 0.78 },
}
export const reach = 1.27

/** Area of an object of radius 1. */
export const unitAreas: Readonly<Record<ObjectName, number>> = {
  circle: Math.PI,
  ring: Math.PI * (1 - holeRadius ** 2),
  cross: 8 * armHalfWidth - 4 * armHalfWidth ** 2,
  triangle: ((3 * Math.sqrt(3)) / 4) * triangleReach ** 2,
}

/** After how many radians an object looks the same again. */
export const symmetries: Readonly<Record<ObjectName, number>> = {
  circle: 0,
  ring: 0,
  cross: Math.PI / 2,
  triangle: (2 * Math.PI) / 3,
}

/**
 * Distance to the outline, in pixels, negative inside.
 *
 * @param x   offset from the centre, pixels
 * @param y   offset from the centre, pixels, downwards
 * @param radius  pixels
 * @param cos  of the rotation
 * @param sin  of the rotation
 */
export function signedDistance(
  object: ObjectName,
  x: number,
  y: number,
  radius: number,
  cos: number,
  sin: number,
): number {
  switch (object) {
    case 'circle':
      return Math.sqrt(x * x + y * y) - radius
    case 'ring':
      return Math.abs(Math.sqrt(x * x + y * y) - ((1 + holeRadius) / 2) * radius) - ((1 - holeRadius) / 2) * radius
    case 'cross': {
      const u = Math.abs(x * cos + y * sin)
      const v = Math.abs(y * cos - x * sin)
      const long = u > v ? u : v
      const short = u > v ? v : u
      const round = rounding * radius
      return boxDistance(long - radius + round, short - armHalfWidth * radius + round) - round
    }
    case 'triangle': {
      const round = rounding * radius
      return triangleDistance(x * cos + y * sin, y * cos - x * sin, triangleReach * radius - 2 * round) - round
    }
  }
}

/** Distance to a box from the offsets beyond its two faces. */
function boxDistance(beyondLong: number, beyondShort: number): number {
  if (beyondLong > 0 && beyondShort > 0) return Math.sqrt(beyondLong * beyondLong + beyondShort * beyondShort)
  return beyondLong > beyondShort ? beyondLong : beyondShort
}

/** Distance to an equilateral triangle that points up, of the given circumradius. */
function triangleDistance(x: number, y: number, circumradius: number): number {
  const halfSide = (Math.sqrt(3) / 2) * circumradius
  let u = Math.abs(x) - halfSide
  let v = halfSide / Math.sqrt(3) - y
  if (u + Math.sqrt(3) * v > 0) {
    const folded = (u - Math.sqrt(3) * v) / 2
    v = (-Math.sqrt(3) * u - v) / 2
    u = folded
  }
  u -= u > 0 ? 0 : u < -2 * halfSide ? -2 * halfSide : u
  return v > 0 ? -Math.sqrt(u * u + v * v) : Math.sqrt(u * u + v * v)
}

/** Share of a pixel that an object covers, from the distance of the pixel's centre. */
export function coverageAt(distance: number): number {
  return distance <= -0.5 ? 1 : distance >= 0.5 ? 0 : 0.5 - distance
}
