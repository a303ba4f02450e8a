import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FormatError } from '../errors.ts'
import { random } from '../random.ts'
import { tensor } from '../tensor/create.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { encodePng, picturesOf, pixelsOf, readPicture, type Picture } from './png.ts'

/** All levels, in three orders. */
const levels: Picture = {
  bytes: Uint8Array.from({ length: 256 * 3 }, (_, i) => [i / 3, 255 - i / 3, (i / 3) * 37][i % 3] & 255),
  width: 32,
  height: 8,
}
const stream = random(1)
const noise: Picture = { ...levels, bytes: levels.bytes.map(() => stream.integer(0, 255)) }

describe('pictures and pixels', () => {
  it('go to and fro without a change, in a batch', () => {
    using _scope = tensorScope()
    const pixels = pixelsOf([levels, noise])
    assert.deepEqual(pixels.shape, [2, 3, 8, 32])
    assert.deepEqual(picturesOf(pixels), [levels, noise])
  })

  it('by hand: channels first, −1 black, 1 white', () => {
    using _scope = tensorScope()
    const picture = { bytes: Uint8Array.of(0, 255, 51, 255, 0, 204), width: 2, height: 1 }
    const found = pixelsOf([picture]).toArray()
    const expected = [-1, 1, 1, -1, -0.6, 0.6]
    found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6))
  })

  it('round to the nearest level, and hold what is outside at the edge', () => {
    using _scope = tensorScope()
    const step = 2 / 255
    const pixels = tensor([-1 + 0.49 * step, -1 + 0.51 * step, 7, -7, 1 - 0.49 * step, 0], [1, 3, 1, 2])
    const [{ bytes }] = picturesOf(pixels)
    assert.deepEqual([...bytes], [0, 255, 255, 1, 0, 128])
  })
})

describe('PNG', () => {
  it('keeps every byte', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-'))
    try {
      const file = join(folder, 'noise.png')
      writeFileSync(file, await encodePng(noise))
      assert.deepEqual(await readPicture(file), noise)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is refused where it is broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-'))
    try {
      const file = join(folder, 'broken.png')
      writeFileSync(file, (await encodePng(noise)).subarray(0, 40))
      await assert.rejects(readPicture(file), FormatError)
      await assert.rejects(readPicture(join(folder, 'none.png')), FormatError)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('leaves no tensor behind', () => {
    const before = livingTensors()
    {
      using _scope = tensorScope()
      picturesOf(pixelsOf([levels]))
    }
    assert.ok(livingTensors() <= before)
  })
})
