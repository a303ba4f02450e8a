import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { gradient } from './synthetic-report.test-helper.ts'
import { isCrisp, thumbnailOf } from './thumbnail.ts'

test('a small picture is kept pixel for pixel', async () => {
  const picture = gradient(96)
  const thumbnail = await thumbnailOf(picture)
  assert.deepEqual([thumbnail.mediaType, thumbnail.width, thumbnail.height], ['image/png', 96, 96])
  assert.ok(isCrisp(thumbnail))
  assert.deepEqual(new Uint8Array(await sharp(thumbnail.bytes).raw().toBuffer()), picture.bytes)
})

test('a larger picture becomes a WebP of at most 256 pixels in its own proportions, never enlarged', async () => {
  const { bytes } = gradient(768)
  for (const [width, height, across, down] of [
    [768, 768, 256, 256],
    [768, 384, 256, 128],
    [384, 768, 128, 256],
    [100, 90, 100, 90],
  ]) {
    const thumbnail = await thumbnailOf({ bytes: bytes.slice(0, width * height * 3), width, height })
    assert.deepEqual([thumbnail.mediaType, thumbnail.width, thumbnail.height], ['image/webp', across, down])
    assert.ok(!isCrisp(thumbnail))
    const read = await sharp(thumbnail.bytes).metadata()
    assert.deepEqual([read.format, read.width, read.height], ['webp', across, down])
  }
})
