import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FormStage } from '../stages.ts'
import { writtenBytes } from './writes.ts'

const of = (stage: FormStage, settings: Readonly<Record<string, unknown>>) =>
  writtenBytes(stage, (field) => settings[field] ?? null, { imageBytes: 100, trainedBytes: 1000 })

test('a round writes its images, of its own prompts or of those that are given', () => {
  assert.equal(of('images generate', { promptCount: 32, prompts: null, perPrompt: 3 }), 32 * 3 * 100)
  assert.equal(of('images generate', { promptCount: 32, prompts: ['a', 'b'], perPrompt: 3 }), 2 * 3 * 100)
})

test('a training writes checkpoints with the moments, one more than are kept, its policy and its samples', () => {
  const kept = { checkpointsKept: 2, sampleEvery: 0, samples: 8, updates: 100 }
  assert.equal(of('policy dpo', kept), 3 * 3000 + 1000)
  assert.equal(of('policy dpo', { ...kept, emaDecay: 0.9 }), 3 * 4000 + 1000)
  // The start and the end included.
  assert.equal(of('policy dpo', { ...kept, sampleEvery: 10 }), 3 * 3000 + 1000 + 11 * 8 * 100)
  const drawing = { checkpointsKept: 1, sampleEvery: 2, samples: 4, imagesDrawn: 960, rolloutsPerIteration: 96 }
  assert.equal(of('policy dpok', drawing), 2 * 3000 + 1000 + 6 * 4 * 100)
})

test('what others write is little', () => {
  assert.equal(of('reward train', { epochs: 100 }), 0)
  assert.equal(of('report', { imagesPerPrompt: 4 }), 0)
})
