import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingTitle } from './setting-words.ts'

test('settings are said in words', () => {
  assert.deepEqual(
    ['klWeight', 'policy', 'imagesDrawn', 'loraAlpha', 'emaDecay', 'vaeTiling', 'seed'].map(settingTitle),
    ['KL weight', 'Policy', 'Images drawn', 'LoRA alpha', 'EMA decay', 'VAE tiling', 'Seed'],
  )
})
