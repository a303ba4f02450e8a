import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownTexts, textsIn, wordings } from './shown-texts.ts'
import { vocabulary as plain } from '../encoding/toy-encoder.test-helper.ts'

const vocabulary = { ...plain, backgrounds: ['blue', 'pink'] }
const labels = (...texts: string[]) => texts.map((text) => ({ text }))

test('wordings are those of the templates, or the text alone', () => {
  assert.deepEqual(wordings('red rings on a blue background', vocabulary), [
    'red rings on a blue background',
    'a blue background with red rings',
    'red rings in front of a blue background',
  ])
  assert.deepEqual(wordings('red rings', vocabulary), ['red rings'])
  assert.deepEqual(wordings('a ring that sings', vocabulary), ['a ring that sings'])
  assert.deepEqual(wordings('red rings on a blue background', undefined), ['red rings on a blue background'])
})

test('distractors of every wording with a vocabulary, a function of the seed', () => {
  const shown = shownTexts(labels('red rings on a blue background', 'red rings'), 1, { vocabulary })
  const wrong = shown.distractors.get('red rings on a blue background')!
  for (const phrase of ['on a pink background', 'a pink background with', 'in front of a pink background']) {
    assert.ok(wrong.some((text) => text.includes(phrase)))
  }
  assert.deepEqual(shownTexts(labels('red rings on a blue background', 'red rings'), 1, { vocabulary }), shown)
  assert.notDeepEqual(shownTexts(labels('red rings on a blue background', 'red rings'), 2, { vocabulary }), shown)
})

test('colours and numbers are changed without a vocabulary, and some texts have none', () => {
  const { wordings, distractors } = shownTexts(labels('a green rabbit', 'a dog on the moon', 'a green rabbit'), 1)
  assert.deepEqual([...wordings.keys()], ['a green rabbit', 'a dog on the moon'])
  assert.ok(distractors.get('a green rabbit')!.includes('an orange rabbit'))
  assert.deepEqual(distractors.get('a dog on the moon'), [])
})

test('given distractors stand in place of made ones', () => {
  const given = new Map([['two dogs', ['two cats']]])
  const shown = shownTexts(labels('two dogs', 'two cows'), 1, { given })
  assert.deepEqual(shown.distractors.get('two dogs'), ['two cats'])
  assert.ok(shown.distractors.get('two cows')!.includes('three cows'))
  assert.deepEqual(textsIn(shown).slice(0, 3), ['two dogs', 'two cows', 'two cats'])
})
