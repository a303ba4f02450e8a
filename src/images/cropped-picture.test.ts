import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { FormatError } from '../errors.ts'
import { random } from '../random.ts'
import { readCroppedPicture, type Cropping } from './cropped-picture.ts'
import type { Picture } from './png.ts'

const plain = { centerCrop: false, randomFlip: false }
const sand = { r: 200, g: 150, b: 100 }
const solid = (width: number, height: number, alpha = 1) =>
  sharp({ create: { width, height, channels: 4, background: { ...sand, alpha } } })
const opaque = (width: number, height: number) => solid(width, height).removeAlpha()

async function read(image: Sharp | Uint8Array, cropping: Cropping, stream = random(1)): Promise<Picture> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'attune-'))
  const file = join(folder.path, 'picture')
  await writeFile(file, image instanceof Uint8Array ? image : await image.toBuffer())
  return await readCroppedPicture(file, cropping, stream)
}

const levelAt = ({ bytes, width }: Picture, x: number, y: number) => [
  ...bytes.subarray(3 * (y * width + x)).subarray(0, 3),
]

/** Columns of a picture whose red counts columns and whose green counts rows. */
async function ruled(width: number, height: number): Promise<Sharp> {
  const bytes = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const place = Math.floor(i / 3)
    return [place % width, Math.floor(place / width), 7][i % 3]
  })
  return sharp(
    await sharp(bytes, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  )
}

describe('formats', () => {
  const formats: Readonly<Record<string, readonly [Sharp, readonly number[]]>> = {
    PNG: [opaque(12, 8).png(), [200, 150, 100]],
    JPEG: [opaque(12, 8).jpeg({ quality: 100 }), [200, 150, 100]],
    WebP: [opaque(12, 8).webp({ lossless: true }), [200, 150, 100]],
    'PNG with a palette': [opaque(12, 8).png({ palette: true }), [200, 150, 100]],
    'grey PNG': [solid(12, 8).removeAlpha().toColourspace('b-w').png(), [158, 158, 158]],
    'grey JPEG': [opaque(12, 8).greyscale().jpeg({ quality: 100 }), [158, 158, 158]],
    'CMYK JPEG': [opaque(12, 8).toColourspace('cmyk').jpeg({ quality: 100 }), [200, 150, 100]],
    'PNG of 16 bits': [opaque(12, 8).toColourspace('rgb16').png(), [200, 150, 100]],
    'grey PNG of 16 bits': [opaque(12, 8).toColourspace('grey16').png(), [158, 158, 158]],
    'see-through PNG': [solid(12, 8, 0).png(), [255, 255, 255]],
    'half see-through PNG': [solid(12, 8, 0.5).png(), [227, 202, 177]],
    'half see-through PNG of 16 bits': [solid(12, 8, 0.5).toColourspace('rgb16').png(), [227, 202, 177]],
    'half see-through WebP': [solid(12, 8, 0.5).webp({ lossless: true }), [227, 202, 177]],
  }
  for (const [name, [image, expected]] of Object.entries(formats)) {
    it(name, async () => {
      const picture = await read(image, { ...plain, width: 4, height: 4 })
      assert.deepEqual([picture.width, picture.height, picture.bytes.length], [4, 4, 48])
      // CMYK has no profile here, and its way back is not exact.
      const within = name.startsWith('CMYK') ? 16 : 2
      picture.bytes.forEach((level, i) => assert.ok(Math.abs(level - expected[i % 3]) <= within, `${level}`))
    })
  }
})

describe('EXIF orientation', () => {
  const colors = { r: [255, 0, 0], g: [0, 255, 0], b: [0, 0, 255], w: [255, 255, 255] } as const
  /** Upper left, upper right, lower left, lower right as they are to be seen; stored as r, g, b, w. */
  const seen = ['rgbw', 'grwb', 'wbgr', 'bwrg', 'rbgw', 'brwg', 'wgbr', 'gwrb']
  seen.forEach((quarters, i) => {
    it(`${i + 1}`, async () => {
      const bytes = Uint8Array.from({ length: 32 * 16 * 3 }, (_, at) => {
        const [x, y] = [Math.floor(at / 3) % 32, Math.floor(at / 96)]
        return Object.values(colors)[(y < 8 ? 0 : 2) + (x < 16 ? 0 : 1)][at % 3]
      })
      const stored = sharp(bytes, { raw: { width: 32, height: 16, channels: 3 } })
        .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
        .withMetadata({ orientation: i + 1 })
      const picture = await read(stored, { ...plain, centerCrop: true, width: 16, height: 16 })
      const corners = [
        levelAt(picture, 0, 0),
        levelAt(picture, 15, 0),
        levelAt(picture, 0, 15),
        levelAt(picture, 15, 15),
      ]
      corners.forEach((levels, corner) => {
        const expected = colors[quarters[corner] as keyof typeof colors]
        levels.forEach((level, channel) => assert.ok(Math.abs(level - expected[channel]) < 24, `${corner}: ${levels}`))
      })
    })
  })
})

describe('size, crop and flip', () => {
  it('cuts out the middle', async () => {
    const picture = await read(await ruled(20, 8), { ...plain, centerCrop: true, width: 8, height: 8 })
    assert.deepEqual(levelAt(picture, 0, 0), [6, 0, 7])
    assert.deepEqual(levelAt(picture, 7, 7), [13, 7, 7])
    assert.deepEqual(
      levelAt(await read(await ruled(8, 9), { ...plain, centerCrop: true, width: 8, height: 8 }), 0, 0),
      [0, 1, 7],
    )
  })

  it('cuts out every part in turn, and the same from the same stream', async () => {
    const offsets = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const picture = await read(await ruled(10, 8), { ...plain, width: 8, height: 8 }, random(seed))
      assert.deepEqual(await read(await ruled(10, 8), { ...plain, width: 8, height: 8 }, random(seed)), picture)
      const [offset] = levelAt(picture, 0, 0)
      assert.deepEqual(levelAt(picture, 7, 3), [offset + 7, 3, 7])
      offsets.add(offset)
    }
    assert.deepEqual([...offsets].sort(), [0, 1, 2])
  })

  it('mirrors half of the pictures, with the crop as it was', async () => {
    let mirrored = 0
    for (let seed = 0; seed < 40; seed++) {
      const before = await read(await ruled(13, 4), { ...plain, width: 4, height: 4 }, random(seed))
      const after = await read(
        await ruled(13, 4),
        { width: 4, height: 4, centerCrop: false, randomFlip: true },
        random(seed),
      )
      const row = (picture: Picture) => [0, 1, 2, 3].map((x) => levelAt(picture, x, 1)[0])
      if (row(after)[0] === row(before)[0]) assert.deepEqual(after, before)
      else {
        assert.deepEqual(row(after), row(before).reverse())
        mirrored++
      }
    }
    assert.ok(mirrored > 10 && mirrored < 30, `${mirrored}`)
  })

  it('makes the shorter side fit, small pictures and thin ones too', async () => {
    for (const [width, height] of [
      [100, 50],
      [50, 101],
      [3, 2],
      [1, 1],
      [4000, 1],
      [1, 3000],
    ]) {
      const picture = await read(opaque(width, height).png(), { ...plain, width: 32, height: 32 })
      assert.deepEqual([picture.width, picture.height], [32, 32])
      assert.deepEqual(levelAt(picture, 31, 31), [200, 150, 100])
    }
  })
})

describe('a file that is no picture', () => {
  it('is refused by its name', async () => {
    const [png, jpeg, webp] = await Promise.all(
      [(await ruled(64, 64)).png(), (await ruled(64, 64)).jpeg(), (await ruled(64, 64)).webp()].map((image) =>
        image.toBuffer(),
      ),
    )
    const broken = [
      png.subarray(0, png.length - 60),
      jpeg.subarray(0, jpeg.length >> 1),
      webp.subarray(0, webp.length >> 1),
      Buffer.alloc(0),
      Buffer.from('a cat'),
    ]
    for (const bytes of broken) await assert.rejects(read(bytes, { ...plain, width: 8, height: 8 }), FormatError)
    await assert.rejects(
      read(opaque(1, 3000).png(), { ...plain, width: 512, height: 512 }),
      /FormatError: .*expected an image that is less narrow/,
    )
    await assert.rejects(readCroppedPicture('/no/such.png', { ...plain, width: 8, height: 8 }, random(1)), {
      code: 'format',
      where: '/no/such.png',
    })
  })
})
