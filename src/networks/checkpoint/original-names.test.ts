import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { originalNames } from './original-names.ts'

const fixture = new URL('../../../test/fixtures/lora/original-names.json', import.meta.url)
const expected = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, Record<string, string>>

describe('original names of layers', () => {
  for (const [model, names] of Object.entries(expected)) {
    it(`are those that diffusers converts from: ${model}`, () => {
      assert.deepEqual(Object.fromEntries(originalNames(Object.keys(names))), names)
    })
  }

  it('are none where the original code has no such layer', () => {
    const paths = ['down_blocks.0.motion_modules.0.proj_in', 'down_blocks.0.resnets.0.conv3', 'encoder.conv_in']
    assert.deepEqual([...originalNames(paths)], [])
  })
})
