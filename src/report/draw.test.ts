import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FormatError } from '../errors.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { gaussianModel } from '../policy/gaussian-model.test-helper.ts'
import type { Reward } from '../reward/reward.ts'
import { cat } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { drawCandidate, measureKl, readDrawn, writeDrawn, type EvaluationPlan } from './draw.ts'

useThreads(1)
const folder = mkdtempSync(join(tmpdir(), 'attune-report-'))
after(() => rmSync(folder, { recursive: true }))

/** Draws two images at a time, and counts the calls of its network. */
function counting() {
  let calls = 0
  const model = gaussianModel()
  const stage = policyOf(model)
  const own: Partial<GenerativeModel> = {
    defaults: { ...model.defaults, batchSize: 2 },
    decode: ([x0]) => cat([x0, x0, x0], 1).clamp(-1, 1),
    stages: [{ ...stage, predict: (...given) => (calls++, stage.predict(...given)) }],
    with: () => policy,
  }
  const policy = Object.assign(Object.create(model) as GenerativeModel, own)
  return { policy, calls: () => calls }
}
const reward = {
  score: () => {
    throw new Error('not now')
  },
} as unknown as Reward
const plan: EvaluationPlan = {
  prompts: ['low', 'high'].map((text) => ({ id: text, text, category: 'other', split: 'seen' })),
  imagesPerPrompt: 3,
  seed: 5,
  sampler: 'ddim',
  sampling: { steps: 2, eta: 1, guidance: 1 },
  klRollouts: 5,
}

test('what an earlier process has drawn and measured is not drawn again', () => {
  const parts = () => new PartFiles(join(folder, 'images'), 'key')
  const first = counting()
  assert.throws(() => drawCandidate(first.policy, reward, plan, 0, { parts: parts() }))
  assert.ok(first.calls() > 0)
  assert.equal(readdirSync(join(folder, 'images')).length, 3)
  const second = counting()
  assert.throws(() => drawCandidate(second.policy, reward, plan, 0, { parts: parts() }))
  assert.equal(second.calls(), 0)
  rmSync(join(folder, 'images/000002.safetensors'))
  writeFileSync(join(folder, 'images/000004.safetensors'), 'broken')
  const third = counting()
  assert.throws(() => drawCandidate(third.policy, reward, plan, 0, { parts: parts() }))
  assert.equal(third.calls(), (first.calls() * 2) / 3)
  const other = counting()
  assert.throws(() =>
    drawCandidate(other.policy, reward, plan, 0, { parts: new PartFiles(join(folder, 'images'), 'x') }),
  )
  assert.equal(other.calls(), first.calls())

  const klParts = new PartFiles(join(folder, 'kl'), 'key')
  const measured = measureKl(counting().policy, plan, { parts: klParts })
  const again = counting()
  assert.deepEqual(measureKl(again.policy, plan, { parts: klParts }), measured)
  assert.equal(again.calls(), 0)
})

test('a file of drawn images tells when a bit of it has changed', () => {
  const file = join(folder, 'base.safetensors')
  const picture = { bytes: Uint8Array.of(1, 2, 3), width: 1, height: 1 }
  writeDrawn(file, { pictures: [picture], rewards: [0.5], seconds: 2 })
  assert.deepEqual(readDrawn(file), { pictures: [picture], rewards: [0.5], seconds: 2 })
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] ^= 1
  writeFileSync(file, bytes)
  assert.throws(() => readDrawn(file), FormatError)
  appendFileSync(file, 'x')
  assert.throws(() => readDrawn(file), FormatError)
})
