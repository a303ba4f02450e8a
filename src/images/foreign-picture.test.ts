import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { FormatError } from '../errors.ts'
import { random } from '../random.ts'
import { readCroppedPicture } from './cropped-picture.ts'
import { openPicture } from './foreign-picture.ts'
import { readPicture } from './png.ts'

function chunk(name: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name), content])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(content.length)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A black PNG of 1 bit a pixel. */
function blackPng(width: number, height: number, rows = height): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  const pixels = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * rows))
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const end = chunk('IEND', Buffer.alloc(0))
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), end])
}

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
const picture = () => sharp({ create: { width: 9, height: 7, channels: 3, background: 'red' } })
const cropping = { width: 4, height: 4, centerCrop: true, randomFlip: false }

/** All who read a picture from disk, from the file's bytes. */
const readers: Readonly<Record<string, (bytes: Uint8Array) => Promise<unknown>>> = {
  'one that is opened': (bytes) => openPicture(bytes, 'a.png'),
  'one to train on': (bytes) => inFile(bytes, (file) => readCroppedPicture(file, cropping, random(1))),
  'one of a run': (bytes) => inFile(bytes, readPicture),
}

async function inFile<T>(bytes: Uint8Array, read: (file: string) => Promise<T>): Promise<T> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'attune-'))
  const file = join(folder.path, 'a.png')
  writeFileSync(file, bytes)
  return await read(file)
}

for (const [name, read] of Object.entries(readers)) {
  describe(name, () => {
    it('is not decoded where it is too large', async () => {
      const sizes = [
        [60_000, 60_000],
        [10_000, 4001],
        [70_000, 7],
        [7, 70_000],
      ] as const
      for (const bytes of [
        ...sizes.map(([width, height]) => blackPng(width, height, 1)),
        blackPng(2 ** 31 - 1, 1, 0),
      ]) {
        await assert.rejects(read(bytes), (error: unknown) => {
          assert.ok(error instanceof FormatError, String(error))
          return /pixels|broken/.test(error.message)
        })
      }
      await read(blackPng(100, 100))
    })

    it('is no SVG, TIFF, GIF or AVIF, whatever it is called', async () => {
      const others = [
        Buffer.from(svg),
        Buffer.from(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>${svg}`),
        Buffer.from('%PDF-1.7\n'),
        await picture().tiff().toBuffer(),
        await picture().gif().toBuffer(),
        await picture().avif().toBuffer(),
      ]
      for (const bytes of others) await assert.rejects(read(bytes), { code: 'format' })
    })
  })
}

it('opens the first frame of an animated WebP', async () => {
  const rows = Buffer.alloc(9 * 14 * 3)
  const frames = await sharp(rows, { raw: { width: 9, height: 14, channels: 3, pageHeight: 7 } })
    .webp({ loop: 0, delay: [100, 100] })
    .toBuffer()
  const { image } = await openPicture(frames, 'a.webp')
  assert.equal((await image.raw().toBuffer({ resolveWithObject: true })).info.height, 7)
})
