import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePrompt } from '../prompts/templates.ts'
import { random } from '../random.ts'
import { captionNoise, drawPair, occurs } from './captions.ts'
import { sceneAttributes } from './scene.ts'
import { shapesVocabulary, tokenize } from './vocabulary.ts'

const pairs = Array.from({ length: 8000 }, (_, index) => {
  const { scene, caption } = drawPair(random(11, index))
  return { truth: sceneAttributes(scene), caption, stated: parsePrompt(caption, shapesVocabulary) }
})

test('captions are of the templates and the vocabulary', () => {
  for (const { caption, stated } of pairs) {
    assert.notEqual(stated, undefined, caption)
    tokenize(caption)
  }
})

test('attributes are dropped and wrong at the stated rates', () => {
  for (const name of ['color', 'background', 'count', 'object'] as const) {
    const dropped = pairs.filter(({ stated }) => stated?.[name] === undefined).length / pairs.length
    const wrong =
      pairs.filter(({ stated, truth }) => stated?.[name] !== undefined && stated[name] !== truth[name]).length /
      pairs.length
    assert(Math.abs(dropped - captionNoise[name].dropped) < 0.02, `${name} dropped ${dropped}`)
    assert(Math.abs(wrong - captionNoise[name].wrong) < 0.02, `${name} wrong ${wrong}`)
  }
})

test('wrong counts are mostly off by one', () => {
  const errors = pairs.flatMap(({ stated, truth }) =>
    stated?.count === undefined || stated.count === truth.count ? [] : [Math.abs(stated.count - truth.count)],
  )
  assert(errors.filter((error) => error === 1).length > 0.8 * errors.length)
})

test('novel pairs neither occur nor are stated', () => {
  for (const { truth, stated } of pairs) {
    assert(occurs(truth.color, truth.background))
    if (stated?.color !== undefined && stated.background !== undefined) {
      assert(occurs(stated.color, stated.background), `${stated.color} on ${stated.background}`)
    }
  }
})
