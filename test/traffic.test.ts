/** The arithmetic of docs/scale.md against the networks and the exchanges that there are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { adapterNumbers, trafficOf, type AttentionLayout } from '../bench/scale/traffic.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { trainableChange } from '../src/policy/trainable.ts'

for (const name of ['sd1', 'sd2', 'sdxl']) {
  test(`${name}: adapters have as many numbers as the layout of the UNet says`, () => {
    const folder = fileURLToPath(new URL(`fixtures/stable-diffusion/${name}`, import.meta.url))
    const layout = JSON.parse(readFileSync(join(folder, 'unet/config.json'), 'utf8')) as AttentionLayout
    const { model } = openStableDiffusion(folder, { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false })
    const lora = { parameters: 'lora' as const, rank: 3, loraAlpha: 3, loraLayers: ['attention' as const] }
    const { parameters } = trainableChange(model, lora, 0)
    const numbers = [...parameters.values()].reduce((sum, { numel }) => sum + numel, 0)
    assert.equal(adapterNumbers(layout, 3), numbers)
  })
}

test('what a process receives: nothing alone, and of two half of what the other has', () => {
  const training = {
    gradientBytes: 100,
    updates: 3,
    rollouts: 8,
    steps: 10,
    stateBytes: 16,
    transitions: 40,
    features: 5,
  }
  assert.deepEqual(trafficOf(training, 1), { gradients: 0, transitions: 0, features: 0, allStates: 0 })
  assert.deepEqual(trafficOf(training, 2), {
    gradients: 3 * 100,
    // Of the 20 that it trains on it has drawn 10.
    transitions: 10 * 3 * 16,
    features: 4 * 10 * 5 * 4,
    allStates: 4 * 2 * 11 * 16,
  })
  // Of 25 steps V sees every second one: 13.
  assert.equal(trafficOf({ ...training, steps: 25 }, 2).features, 4 * 13 * 5 * 4)
})
