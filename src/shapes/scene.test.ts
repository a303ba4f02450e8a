import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, VocabularyError } from '../errors.ts'
import { random } from '../random.ts'
import { eachCovered, renderScene } from './render.ts'
import { drawScene, imageSize, sceneAttributes } from './scene.ts'
import { objectNames, shapesVocabulary } from './vocabulary.ts'

test('a scene has what was stated, whole and without overlaps, and is visible', () => {
  const stated = fc.record(
    {
      object: fc.constantFrom(...objectNames),
      color: fc.constantFrom(...shapesVocabulary.colors),
      count: fc.integer({ min: 1, max: 4 }),
      background: fc.constantFrom(...shapesVocabulary.backgrounds),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(stated, fc.nat(), (attributes, seed) => {
      fc.pre(attributes.color === undefined || attributes.color !== attributes.background)
      const scene = drawScene(random(seed), attributes)
      assert.deepEqual(sceneAttributes(scene), { ...sceneAttributes(scene), ...attributes })
      assert.notEqual(scene.color, scene.background)
      assert.equal(scene.placements.length, scene.count)
      const covered = new Set<number>()
      for (const placement of scene.placements) {
        eachCovered(scene.object, placement, (pixel, coverage) => {
          if (coverage < 0.5) return
          assert(!covered.has(pixel), 'two objects cover one pixel')
          covered.add(pixel)
          const [x, y] = [pixel % imageSize, Math.floor(pixel / imageSize)]
          assert(x >= 0 && x < imageSize && y >= 0 && y < imageSize)
        })
      }
    }),
    { numRuns: 300 },
  )
})

test('the same stream draws the same image', () => {
  const draw = () => renderScene(drawScene(random(5, 6), {}))
  assert.deepEqual(draw(), draw())
  assert.equal(draw().length, imageSize * imageSize * 3)
})

test('impossible scenes are refused', () => {
  assert.throws(() => drawScene(random(1), { color: 'blue', background: 'blue' }), ConfigError)
  assert.throws(() => drawScene(random(1), { object: 'square' }), VocabularyError)
  assert.throws(() => drawScene(random(1), { count: 5 }), VocabularyError)
})
