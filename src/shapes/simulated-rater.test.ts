import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VocabularyError } from '../errors.ts'
import { random } from '../random.ts'
import { Judgment, type ImageRecord } from '../records.ts'
import { renderScene } from './render.ts'
import { drawScene, sceneAttributes } from './scene.ts'
import { simulateJudgments } from './simulated-rater.ts'

const images = Array.from({ length: 1000 }, (_, index) => {
  const scene = drawScene(random(21, index), {})
  const count = index % 2 === 0 ? scene.count : (scene.count % 4) + 1
  const record: ImageRecord = {
    id: index.toString(16).padStart(16, '0'),
    prompt: 'p',
    text: 'circles',
    category: 'combination',
    attributes: { ...sceneAttributes(scene), count },
    file: 'image.png',
    sha256: '0'.repeat(64),
    seed: 0,
    index,
    policy: 'pretrained',
    sampler: 'ddim',
    steps: 10,
    eta: 1,
    guidance: 1,
  }
  return { record, bytes: renderScene(scene) }
})

test('without errors and skips the rater answers as the judge does', () => {
  const judgments = simulateJudgments(images, { errorRate: 0, skipRate: 0, seed: 1 })
  assert.deepEqual(
    judgments.map((judgment) => judgment.answer),
    images.map((_, index) => (index % 2 === 0 ? 'good' : 'bad')),
  )
})

test('errors and skips come at their rates, and every judgment says that it is simulated', () => {
  const judgments = simulateJudgments(images, { errorRate: 0.05, skipRate: 0.1, seed: 2 })
  const skipped = judgments.filter((judgment) => judgment.answer === 'skip').length
  const wrong = judgments.filter(({ answer }, i) => answer === (i % 2 === 0 ? 'bad' : 'good')).length
  assert(Math.abs(skipped - 100) < 40, `${skipped} skips`)
  assert(Math.abs(wrong - 45) < 30, `${wrong} errors`)
  for (const judgment of judgments) {
    Judgment.parse(judgment)
    assert.equal(judgment.raterKind, 'simulated')
    assert.equal(judgment.rater, 'simulated(error 5 %, skip 10 %)')
  }
})

test('a judgment depends on the seed and the image alone', () => {
  const options = { errorRate: 0.3, skipRate: 0.3, seed: 3, at: '2026-01-01T00:00:00.000Z' }
  const all = simulateJudgments(images.slice(0, 50), options)
  assert.deepEqual(simulateJudgments(images.slice(10, 20), options), all.slice(10, 20))
  assert.notEqual(simulateJudgments(images.slice(0, 1), { ...options, seed: 4 })[0].id, all[0].id)
})

test('free text cannot be judged', () => {
  const { attributes: _, ...record } = images[0].record
  assert.throws(
    () => simulateJudgments([{ record, bytes: images[0].bytes }], { errorRate: 0, skipRate: 0, seed: 1 }),
    VocabularyError,
  )
})
