import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { random } from '../../random.ts'
import { cat, full, tensor, zeros } from '../../tensor/create.ts'
import { tensorScope, type TensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  brightness,
  colourEntropy,
  darkShare,
  edgeDensity,
  jpegSize,
  pairDistance,
  saturation,
  spectralPeak,
} from './image-statistics.ts'

const side = 32
/** One image of what each pixel is, [R, G, B] in [0, 1]. */
const image = (of: (x: number, y: number) => readonly number[], [height, width] = [side, side]): Tensor => {
  const pixels = Array.from({ length: height * width }, (_, i) => of(i % width, Math.floor(i / width)))
  const channels = [0, 1, 2].flatMap((channel) => pixels.map((pixel) => 2 * pixel[channel] - 1))
  return tensor(channels, [1, 3, height, width])
}
const grey = (level: number) => [level, level, level]
const near = (found: number, expected: number, within = 1e-6) =>
  assert.ok(Math.abs(found - expected) <= within, `${found}, expected ${expected}`)

let scope: TensorScope
before(() => (scope = tensorScope()))
after(() => scope[Symbol.dispose]())

describe('of an image', () => {
  it('brightness is the mean luma, and what is below a tenth of it is dark', () => {
    near(brightness(image(() => [1, 0, 0])).item(), 0.299)
    const half = image((x) => grey(x < side / 4 ? 0.05 : 0.8))
    near(brightness(half).item(), 0.25 * 0.05 + 0.75 * 0.8)
    near(darkShare(half).item(), 0.25)
  })

  it('saturation is the range of its colours, of grey nothing, however dark', () => {
    near(saturation(image(() => grey(0.01))).item(), 0)
    near(saturation(image(() => [0.9, 0.4, 0.5])).item(), 0.5)
  })

  it('colour entropy is in bits: none of one colour, two of four colours in equal parts', () => {
    near(colourEntropy(image(() => [0.2, 0.7, 0.1])).item(), 0, 1e-4)
    const four = image((x, y) => [x < side / 2 ? 0 : 1, y < side / 2 ? 0 : 1, 0.5])
    near(colourEntropy(four).item(), 2, 1e-4)
    near(colourEntropy(cat([four, four])).toArray()[1], 2, 1e-4)
  })

  it('edge density is the share of pixels with another one beside or below', () => {
    near(edgeDensity(image(() => grey(0.5))).item(), 0)
    near(edgeDensity(image((x) => grey(x < side / 2 ? 0 : 1))).item(), 1 / (side - 1))
    near(edgeDensity(image((x) => grey((x / side) * 0.9))).item(), 0)
  })

  it('the spectral peak is high of waves and checkerboards, and low of edges, noise and nothing', () => {
    const wave = image((x) => grey(0.5 + 0.2 * Math.cos((2 * Math.PI * 8 * x) / side)))
    // Under a Hann window two thirds of a wave's power are its own in each direction, the rest its neighbours'.
    near(spectralPeak(wave).item(), 4 / 9, 0.03)
    const faint = image((x, y) => grey(0.5 + ((x + y) % 2 === 0 ? 0.01 : -0.01)))
    assert.ok(spectralPeak(faint).item() > 0.15)
    const stream = random(5)
    const noise = image(() => grey(stream.uniform()))
    const edges = image((x, y) => grey(x > 9 && x < 23 && y > 5 && y < 19 ? 1 : 0))
    for (const calm of [noise, edges]) assert.ok(spectralPeak(calm).item() < 0.08, `${spectralPeak(calm).item()}`)
    near(spectralPeak(zeros([1, 3, side, side])).item(), 0)
    const wide = image((x) => grey(0.5 + 0.2 * Math.cos((2 * Math.PI * 16 * x) / 64)), [side, 64])
    near(spectralPeak(wide).item(), 4 / 9, 0.03)
    assert.equal(
      spectralPeak(zeros([2, 3, 2, 2]))
        .toArray()
        .join(),
      '0,0',
    )
  })

  it('the JPEG size is in bits a pixel: of noise many times that of a plain image', () => {
    const stream = random(6)
    const noise = image(() => [stream.uniform(), stream.uniform(), stream.uniform()], [64, 64])
    const [plain, noisy] = jpegSize(cat([image(() => grey(0.5), [64, 64]), noise])).toArray()
    assert.ok(plain < 2 && noisy > 8, `${plain}, ${noisy}`)
  })
})

describe('of a pair of images', () => {
  it('the distance is the root mean square of differences, 1 of black and white', () => {
    const pixels = cat([full([1, 3, side, side], -1), full([1, 3, side, side], 1), zeros([2, 3, side, side])])
    assert.deepEqual(pairDistance(pixels).toArray(), [1, 0])
  })

  it('is taken of small images: fine noise makes no diversity', () => {
    const checks = (sign: number) =>
      image((x, y) => grey((x + y) % 2 === 0 ? 0.5 + sign * 0.5 : 0.5 - sign * 0.5), [64, 64])
    near(pairDistance(cat([checks(1), checks(-1)])).item(), 0)
  })
})
