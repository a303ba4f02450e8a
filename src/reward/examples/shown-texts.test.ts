import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random } from '../../random.ts'
import { misreadWords } from './misread-words.ts'
import { drawDistractors, shownTexts, tellingWeight, textsIn, wordings } from './shown-texts.ts'
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

test('words that raters marked as misread are those of the prompt, by the place that a judgment names', () => {
  const said = { rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const
  const texts: Readonly<Record<string, string>> = { a: 'Red rings', b: 'Red rings', c: 'two dogs' }
  const found = misreadWords(
    [
      { ...said, id: '1', kind: 'good-bad-skip', images: ['a'], answer: 'bad', misread: [{ image: 0, word: 0 }] },
      { ...said, id: '2', kind: 'pair', images: ['c', 'b'], answer: 'tie', misread: [{ image: 1, word: 1 }] },
      { ...said, id: '3', kind: 'good-bad-skip', images: ['gone'], answer: 'bad', misread: [{ image: 0, word: 0 }] },
      { ...said, id: '4', kind: 'good-bad-skip', images: ['c'], answer: 'bad' },
    ],
    (image) => texts[image],
  )
  assert.deepEqual([...found], [['Red rings', new Set(['red', 'rings'])]])
})

test('distractors that change a misread word are told apart, in every wording and number of objects', () => {
  const text = 'red rings on a blue background'
  const changingOf = (...words: string[]) => {
    const misread = new Map([[text, new Set(words)]])
    const shown = shownTexts(labels(text, 'red rings'), 1, { vocabulary, misread })
    assert.deepEqual(
      [...shown.telling.keys()].filter((one) => one !== text),
      [],
      'other prompts have none',
    )
    return { shown, changing: [...(shown.telling.get(text) ?? [])] }
  }
  const { shown, changing } = changingOf('red')
  assert.ok(changing.length > 0 && changing.every((one) => !/\bred\b/.test(one)))
  assert.equal(changing.length, new Set(shown.distractors.get(text)!.filter((one) => !/\bred\b/.test(one))).size)
  // A wording without "on" changes nothing, and a number changes no object.
  assert.deepEqual(changingOf('on').changing, [])
  const rings = changingOf('rings').changing
  assert.ok(rings.length > 0 && rings.every((one) => !/\brings?\b/.test(one)))
  const given = new Map([[text, ['green rings', 'red dogs']]])
  const misread = new Map([[text, new Set(['red'])]])
  assert.deepEqual([...shownTexts(labels(text), 1, { given, misread }).telling.get(text)!], ['green rings'])
})

test('distractors that change a misread word have four times the weight, and without marks nothing is drawn otherwise', () => {
  const text = 'a green rabbit'
  const given = new Map([[text, ['a red rabbit', 'a green cat', 'a green dog', 'a green cow']]])
  const plain = shownTexts(labels(text), 1, { given })
  const marked = shownTexts(labels(text), 1, { given, misread: new Map([[text, new Set(['green'])]]) })
  assert.deepEqual(marked.distractors, plain.distractors)
  assert.deepEqual(drawDistractors(plain, text, 2, random(7)), random(7).shuffle(given.get(text)!).slice(0, 2))
  const stream = random(3)
  const draws = 4000
  const first = Array.from({ length: draws }, () => drawDistractors(marked, text, 2, stream))
  assert.ok(first.every((pair) => new Set(pair).size === 2))
  const share = first.filter(([one]) => one === 'a red rabbit').length / draws
  // 4 of 4 + 1 + 1 + 1, within four standard deviations
  const expected = tellingWeight / (tellingWeight + 3)
  assert.ok(Math.abs(share - expected) < 4 * Math.sqrt((expected * (1 - expected)) / draws), String(share))
  assert.equal(drawDistractors(marked, text, 9, stream).length, 4)
})
