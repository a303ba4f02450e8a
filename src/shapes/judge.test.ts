import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ShapeError } from '../errors.ts'
import { random, type Random } from '../random.ts'
import { isAligned, judgeImage } from './judge.ts'
import { eachCovered, renderScene } from './render.ts'
import { drawScene, imageSize, sceneAttributes, type Rgb, type Scene } from './scene.ts'
import { objectNames, type ObjectName } from './vocabulary.ts'
import type { Placement } from './outline.ts'

const scenes = Array.from({ length: 2000 }, (_, index) => drawScene(random(101, index), {}))
const some = scenes.slice(0, 200)

for (const deviation of [0, 0.03, 0.06]) {
  test(`true renders with pixel noise of ${deviation} are read right`, () => {
    const right = scenes.filter((scene, index) =>
      isAligned(sceneAttributes(scene), judgeImage(withNoise(renderScene(scene), deviation, random(55, index)))),
    )
    assert(right.length >= 0.995 * scenes.length, `${right.length} of ${scenes.length}`)
  })
}

test('a slight blur is read right', () => {
  const right = some.filter((scene) => isAligned(sceneAttributes(scene), judgeImage(blurred(renderScene(scene), 0.12))))
  assert(right.length >= 0.98 * some.length, `${right.length} of ${some.length}`)
})

test('every stated attribute counts', () => {
  const scene = drawScene(random(3), { object: 'ring', color: 'red', count: 2, background: 'white' })
  const reading = judgeImage(renderScene(scene))
  assert(isAligned({}, reading))
  assert(isAligned({ object: 'ring', count: 2 }, reading))
  for (const wrong of [{ object: 'circle' }, { color: 'orange' }, { count: 3 }, { background: 'pink' }]) {
    assert(!isAligned(wrong, reading))
  }
})

test('blank images are never clean', () => {
  for (const scene of some) assert(!judgeImage(renderScene({ ...scene, placements: [] })).clean)
})

test('noise is never clean', () => {
  for (const index of some.keys()) {
    const stream = random(7, index)
    const noise = Uint8Array.from({ length: imageSize * imageSize * 3 }, () => stream.integer(0, 255))
    assert(!judgeImage(noise).clean)
    assert(!judgeImage(blurred(blurred(noise, 0.3), 0.3)).clean)
  }
})

test('blends of two renders are never clean', () => {
  for (const [index, scene] of some.entries()) {
    const other = drawScene(random(8, index), {})
    // two pictures of the same objects at the same places blend into a good picture
    if (other.object === scene.object || other.color === scene.color) continue
    const [a, b] = [renderScene(scene), renderScene(other)]
    const blend = a.map((level, i) => Math.round((level + b[i]) / 2))
    assert(!judgeImage(blend).clean, JSON.stringify([sceneAttributes(scene), sceneAttributes(other)]))
  }
})

test('an extra object of another kind or colour is never clean', () => {
  for (const [index, scene] of some.entries()) {
    const stream = random(9, index)
    const full = drawScene(stream, { ...sceneAttributes(scene), count: 1 + stream.integer(1, 3) })
    const [replaced, ...rest] = full.placements
    const bytes = renderScene({ ...full, placements: rest })
    const other = drawScene(stream, { background: full.background })
    if (other.object === full.object && other.color === full.color) continue
    paint(bytes, other.object, replaced, other.objectRgb)
    assert(!judgeImage(bytes).clean, `${full.color} ${full.object}s and a ${other.color} ${other.object}`)
  }
})

test('a half-drawn shape is never clean', () => {
  for (const [index, scene] of some.entries()) {
    for (const object of objectNames) {
      const stream = random(10, index)
      const bytes = halfDrawn(drawScene(stream, { ...sceneAttributes(scene), object }), stream)
      assert(!judgeImage(bytes).clean, `half a ${object}, scene ${index}`)
    }
  }
})

test('an image of another size is refused', () => {
  assert.throws(() => judgeImage(new Uint8Array(3)), ShapeError)
})

/** Pixel noise of the given standard deviation in units of pixels in [-1, 1]. */
function withNoise(bytes: Uint8Array, deviation: number, stream: Random): Uint8Array {
  return bytes.map((level) => toByte(level + deviation * 127.5 * stream.normal()))
}

/** Each pixel gives the share to each of its four neighbours. */
function blurred(bytes: Uint8Array, share: number): Uint8Array {
  const row = imageSize * 3
  return bytes.map((level, i) => {
    const near = [i - 3, i + 3, i - row, i + row].map((j) => bytes[j] ?? level)
    return toByte((1 - 4 * share * 0.8) * level + share * 0.8 * near.reduce((sum, one) => sum + one, 0))
  })
}

/** One object lacks the half that lies to the left or right of its centre: what is left of a triangle is no triangle. */
function halfDrawn(scene: Scene, stream: Random): Uint8Array {
  const [half, ...rest] = scene.placements
  const bytes = renderScene({ ...scene, placements: rest })
  const side = stream.pick([-1, 1])
  paint(bytes, scene.object, half, scene.objectRgb, (x) => side * (x - half.x) > 0)
  return bytes
}

function paint(
  bytes: Uint8Array,
  object: ObjectName,
  placement: Placement,
  rgb: Rgb,
  keep: (x: number) => boolean = () => true,
): void {
  eachCovered(object, placement, (pixel, coverage) => {
    if (!keep((pixel % imageSize) + 0.5)) return
    for (let c = 0; c < 3; c++) {
      const at = pixel * 3 + c
      bytes[at] = toByte(bytes[at] + coverage * (rgb[c] - bytes[at]))
    }
  })
}

function toByte(level: number): number {
  return Math.min(255, Math.max(0, Math.round(level)))
}
