import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStableDiffusion } from '../networks/stable-diffusion/open.ts'
import { modelInput } from './training-inputs.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-inputs-'))
after(() => rmSync(root, { recursive: true, force: true }))

test('a model is another one when any of its parts is: weights, autoencoder, tokenizer, schedule', () => {
  const folder = join(root, 'sd1')
  const fixture = fileURLToPath(new URL('../../test/fixtures/stable-diffusion/sd1', import.meta.url))
  cpSync(fixture, folder, { recursive: true })
  const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
  const input = () => modelInput(folder, openStableDiffusion(folder, options).model)
  const before = input()
  writeFileSync(join(folder, 'notes.md'), 'of a person')
  assert.equal(input(), before)
  const files = [
    'unet/diffusion_pytorch_model.safetensors',
    'text_encoder/model.safetensors',
    'vae/diffusion_pytorch_model.safetensors',
    'tokenizer/merges.txt',
    'scheduler/scheduler_config.json',
  ]
  for (const name of files) {
    const file = join(folder, name)
    const sound = readFileSync(file)
    const changed = name.endsWith('.safetensors') ? Buffer.from(sound) : Buffer.concat([sound, Buffer.from('\n')])
    if (name.endsWith('.safetensors')) changed[changed.length - 2] ^= 1
    writeFileSync(file, changed)
    assert.notEqual(input(), before, name)
    writeFileSync(file, sound)
  }
  assert.equal(input(), before)
})
