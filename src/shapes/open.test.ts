import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openShapes } from './open.ts'

const own = fileURLToPath(new URL('../../weights/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-weights-'))
const [generator, clip] = [join(folder, 'generator.safetensors'), join(folder, 'clip.safetensors')]
after(() => rmSync(folder, { recursive: true }))

test('opens the committed weights under the hash of their file', () => {
  const { model, encoder, vocabulary, pretraining } = openShapes()
  const sha256 = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(own, file)))
      .digest('hex')
  assert.equal(model.sha256, sha256('generator.safetensors'))
  assert.equal(encoder.sha256, sha256('clip.safetensors'))
  assert.equal(vocabulary?.objects.length, 4)
  assert.deepEqual(pretraining?.(3, 2).captions, [pretraining?.(3, 1).captions[0], pretraining?.(4, 1).captions[0]])
})

test('refuses weights that are missing, truncated or of another network', () => {
  assert.throws(() => openShapes('shapes', folder), { code: 'file', where: generator })
  copyFileSync(join(own, 'clip.safetensors'), clip)
  writeFileSync(generator, readFileSync(join(own, 'generator.safetensors')).subarray(0, -1))
  assert.throws(() => openShapes('shapes', folder), { code: 'format', where: generator })
  copyFileSync(clip, generator)
  assert.throws(() => openShapes('shapes', folder), {
    code: 'format',
    where: /^\S+generator\.safetensors /,
    remedy: /another network/,
  })
})
