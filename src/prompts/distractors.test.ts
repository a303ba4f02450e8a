import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { random } from '../random.ts'
import { distractors } from './distractors.ts'
import { generalWords } from './general-words.ts'
import { parsePrompt, promptText } from './templates.ts'
import type { PromptVocabulary } from './vocabulary.ts'

const vocabulary: PromptVocabulary = {
  objects: [
    { singular: 'circle', plural: 'circles' },
    { singular: 'cross', plural: 'crosses' },
    { singular: 'triangle', plural: 'triangles' },
  ],
  colors: ['red', 'blue', 'green'],
  counts: ['one', 'two', 'three'],
  backgrounds: ['white', 'blue', 'pink'],
}

describe('distractors', () => {
  it('changes a stated attribute and states nothing else', () => {
    const attributes = fc.record(
      {
        object: fc.constantFrom('circle', 'cross', 'triangle'),
        color: fc.constantFrom(...vocabulary.colors),
        count: fc.integer({ min: 1, max: 3 }),
        background: fc.constantFrom(...vocabulary.backgrounds),
      },
      { requiredKeys: ['object'] },
    )
    fc.assert(
      fc.property(attributes, fc.nat(2), fc.nat(12), fc.nat(), (stated, template, count, seed) => {
        const text = promptText(stated, vocabulary, template)
        const wrong = distractors({ text }, vocabulary, count, random(seed))
        assert.ok(wrong.length <= count)
        assert.ok(wrong.length === count || Object.keys(stated).length < 3)
        assert.equal(new Set(wrong).size, wrong.length)
        for (const other of wrong) {
          const parsed = parsePrompt(other, vocabulary)
          assert.ok(parsed)
          assert.notDeepEqual(parsed, { ...stated })
          assert.deepEqual(Object.keys(parsed).toSorted(), Object.keys(stated).toSorted())
          assert.equal(other, promptText(parsed, vocabulary, template))
        }
      }),
    )
  })

  it('changes one attribute at a time, every stated one, while that suffices', () => {
    const text = 'a pink background with two red circles'
    const stated = parsePrompt(text, vocabulary)
    assert.ok(stated)
    const changed = distractors({ text }, vocabulary, 4, random(1)).map((other) => {
      const parsed = parsePrompt(other, vocabulary)
      assert.ok(parsed)
      return (['object', 'color', 'count', 'background'] as const).filter((name) => parsed[name] !== stated[name])
    })
    assert.deepEqual(changed.flat().toSorted(), ['background', 'color', 'count', 'object'])
  })

  it('is a function of the random stream', () => {
    const draw = (seed: number) => distractors({ text: 'two red circles' }, vocabulary, 5, random(seed))
    assert.deepEqual(draw(3), draw(3))
    assert.notDeepEqual(draw(3), draw(4))
  })

  it('swaps known words of free text and keeps numbers and nouns in agreement', () => {
    const wrong = distractors({ text: 'A photo of two red crosses, Pink background!' }, vocabulary, 100, random(1))
    assert.deepEqual(wrong.toSorted(), [
      'A photo of one red cross, Pink background!',
      'A photo of three red crosses, Pink background!',
      'A photo of two blue crosses, Pink background!',
      'A photo of two green crosses, Pink background!',
      'A photo of two red circles, Pink background!',
      'A photo of two red crosses, Blue background!',
      'A photo of two red crosses, White background!',
      'A photo of two red triangles, Pink background!',
    ])
    assert.deepEqual(distractors({ text: 'two brown dogs' }, vocabulary, 9, random(1)), ['three brown dogs'])
  })

  it('has nothing for a text without known words', () => {
    assert.deepEqual(distractors({ text: 'an old dog 🐕' }, vocabulary, 4, random(1)), [])
    assert.deepEqual(distractors({ text: 'two red circles' }, vocabulary, 0, random(1)), [])
  })
})

describe('distractors from general words', () => {
  const made = (text: string, count = 50) => distractors({ text }, generalWords(text), count, random(1)).toSorted()

  it('change numbers, where no other word has to change with them', () => {
    assert.deepEqual(made('Four wolves in the park'), [
      'Eight wolves in the park',
      'Five wolves in the park',
      'Nine wolves in the park',
      'Seven wolves in the park',
      'Six wolves in the park',
      'Ten wolves in the park',
      'Three wolves in the park',
      'Two wolves in the park',
    ])
    assert.deepEqual(made('one of the dogs'), [])
  })

  it('change colours, and the article before them', () => {
    const colors = ['black', 'blue', 'brown', 'gray', 'pink', 'purple', 'red', 'white', 'yellow']
    assert.deepEqual(
      made('a green colored rabbit'),
      [...colors.map((color) => `a ${color} colored rabbit`), 'an orange colored rabbit'].toSorted(),
    )
    assert.deepEqual(made('An orange cat'), [...colors, 'green'].map((color) => `A ${color} cat`).toSorted())
    assert.equal(made('a vase on a white background').length, 10)
  })

  it('spell gray as the text does', () => {
    assert.ok(made('a red bus and a grey car').every((text) => !text.includes('gray')))
    assert.ok(made('a gray car').every((text) => !text.includes('grey')))
    assert.equal(made('a grey car').length, 10)
  })

  it('are none where no number and no colour is named', () => {
    assert.deepEqual(made('a dog on the moon'), [])
    assert.deepEqual(made('a redwood in Tenby'), [])
  })
})
