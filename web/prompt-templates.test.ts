import assert from 'node:assert/strict'
import { test } from 'node:test'
import { categoryOf, parsePrompt } from '../src/prompts/templates.ts'
import { shapesWorld } from '../src/shapes/world.ts'
import { promptLines } from './prompt-lines.ts'
import { objectsAsTyped, objectsTyped, templateCategories, templateLines, wordsTyped } from './prompt-templates.ts'

test('prompts of the words of the embedded world are of their category, and read by its model', () => {
  const { vocabulary } = shapesWorld
  const words = { ...vocabulary, objects: [...vocabulary.objects], colors: [...vocabulary.colors], counts: [...vocabulary.counts], backgrounds: [...vocabulary.backgrounds] } // prettier-ignore
  for (const category of templateCategories) {
    const { texts, choosing } = promptLines(templateLines(category, words).join('\n'))
    assert.ok(texts.length > 3)
    assert.equal(texts.length, Math.min(2000, choosing.prompts), category)
    for (const text of texts) {
      const attributes = parsePrompt(text, vocabulary)
      assert.ok(attributes !== undefined, text)
      assert.equal(categoryOf(attributes), category, text)
      assert.ok(attributes.color === undefined || attributes.color !== attributes.background, text)
    }
  }
})

test('lists of words are one’s own, and what is missing makes nothing', () => {
  const objects = objectsTyped('box, mouse/mice, city ,, box')
  assert.deepEqual(
    objects.map(({ plural }) => plural),
    ['boxes', 'mice', 'cities'],
  )
  assert.equal(objectsAsTyped(objects), 'box, mouse/mice, city')
  const words = { objects, colors: wordsTyped('red'), counts: ['one'], backgrounds: [] }
  assert.deepEqual(templateLines('color', words), ['red {boxes|mice|cities}'])
  assert.deepEqual(templateLines('count', words), ['one {box|mouse|city}'])
  assert.deepEqual(templateLines('background', words), [])
  assert.deepEqual(templateLines('combination', words), [])
})
