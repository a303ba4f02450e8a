import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DivergenceError, FormatError } from '../../errors.ts'
import type { Picture } from '../../images/png.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { cat, full } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { embed } from './embeddings.ts'
import { pictureBatches } from './picture-batches.ts'

useThreads(1)

/** A picture of one level of gray. */
const gray = (level: number, width = 2, height = 2): Picture => ({
  bytes: new Uint8Array(width * height * 3).fill(level),
  width,
  height,
})

/** The embedding of an image is its mean and its size; that of a text its length. */
function measuring(sizes: number[][] = []): ImageTextEncoder {
  const embedImages = (pixels: Tensor) => {
    sizes.push([...pixels.shape])
    const [count, , height, width] = pixels.shape
    return cat([pixels.flatten(1).mean(1, true), full([count, 1], height * width)], 1)
  }
  return {
    name: 'measuring',
    sha256: 'e'.repeat(64),
    width: 2,
    device: 'cpu',
    embedImages,
    embedWithGradient: embedImages,
    embedTexts: (texts) => cat(texts.map((text) => full([1, 2], text.length))),
  }
}
const asIs = (picture: Picture) => Promise.resolve(picture)

describe('pictures in batches', () => {
  it('are of one size and in their order', () => {
    const pictures = [gray(1), gray(2), gray(3, 4, 1), gray(4), gray(5)]
    assert.deepEqual(
      pictureBatches(pictures).map((batch) => batch.map(({ bytes }) => bytes[0])),
      [[1, 2], [3], [4, 5]],
    )
  })

  it('are at most 256, and fewer where they are large', () => {
    const sizes = (count: number, picture: Picture) =>
      pictureBatches(new Array<Picture>(count).fill(picture)).map(({ length }) => length)
    assert.deepEqual(sizes(600, gray(0)), [256, 256, 88])
    const claimed = (width: number, height: number) => ({ bytes: new Uint8Array(), width, height })
    assert.deepEqual(sizes(70, claimed(512, 512)), [32, 32, 6])
    assert.deepEqual(sizes(2, claimed(4096, 4096)), [1, 1])
  })
})

describe('embeddings', () => {
  it('are rows in the order of the images, whatever their sizes, and of the distinct texts', async () => {
    const pictures = Array.from({ length: 70 }, (_, i) => gray(i, i % 9 === 8 ? 3 : 2))
    const shapes: number[][] = []
    using embedded = await embed(measuring(shapes), pictures, asIs, ['one', 'three', 'one', ''])
    assert.deepEqual(embedded.images.shape, [70, 2])
    const numbers = embedded.images.toArray()
    pictures.forEach(({ bytes: [level], width }, i) => {
      assert.ok(Math.abs(numbers[2 * i] - (level / 127.5 - 1)) < 1e-6)
      assert.equal(numbers[2 * i + 1], 2 * width)
    })
    assert.equal(shapes.length, 15)
    assert.deepEqual(embedded.texts.toArray(), [3, 3, 5, 5, 0, 0])
    assert.deepEqual(
      [...embedded.rowOf],
      [
        ['one', 0],
        ['three', 1],
        ['', 2],
      ],
    )
  })

  it('of pictures of one size are computed in whole batches, however they are read', async () => {
    const shapes: number[][] = []
    using _embedded = await embed(measuring(shapes), new Array<Picture>(300).fill(gray(1)), asIs, ['x'])
    assert.deepEqual(
      shapes.map(([count]) => count),
      [256, 44],
    )
  })

  it('are read a few at a time', async () => {
    let [reading, most] = [0, 0]
    const read = async (picture: Picture) => {
      most = Math.max(most, ++reading)
      await new Promise((resolve) => setImmediate(resolve))
      reading--
      return picture
    }
    using _embedded = await embed(measuring(), new Array<Picture>(100).fill(gray(1)), read, ['x'])
    assert.ok(most <= 32, `${most}`)
  })

  it('belong to the caller, not to the scope in force, and nothing else is left', async () => {
    const before = livingTensors()
    const embedded = await embed(measuring(), [gray(1), gray(2, 3)], asIs, ['x', 'y'])
    assert.ok(livingTensors() <= before + 2)
    embedded[Symbol.dispose]()
    assert.ok(livingTensors() <= before)

    const failing = () => Promise.reject(new FormatError({ where: 'x', expected: '', received: '', remedy: '' }))
    const read = (picture: Picture) => (picture.width === 3 ? failing() : asIs(picture))
    const pictures = [...new Array<Picture>(40).fill(gray(1)), gray(2, 3)]
    await assert.rejects(embed(measuring(), pictures, read, ['x']), FormatError)
    assert.ok(livingTensors() <= before)
  })

  it('that are not finite are refused', async () => {
    const broken = { ...measuring(), embedTexts: () => full([1, 2], NaN) }
    await assert.rejects(embed(broken, [gray(1)], asIs, ['x']), {
      name: DivergenceError.name,
      where: 'embeddings of measuring',
      received: '2 that are not',
    })
  })
})
