import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConfigError, VocabularyError } from '../errors.ts'
import type { Attributes } from '../records.ts'
import { categoryOf, parsePrompt, parseTemplate, promptText, templateCount } from './templates.ts'
import type { PromptVocabulary } from './vocabulary.ts'

const vocabulary: PromptVocabulary = {
  objects: [
    { singular: 'circle', plural: 'circles' },
    { singular: 'cross', plural: 'crosses' },
    { singular: 'sheep', plural: 'sheep' },
  ],
  colors: ['red', 'blue', 'dark blue', 'orange'],
  counts: ['one', 'two', 'three', 'four'],
  backgrounds: ['white', 'blue', 'pink'],
}

const anyAttributes = fc.record(
  {
    object: fc.constantFrom(...vocabulary.objects.map((object) => object.singular)),
    color: fc.constantFrom(...vocabulary.colors),
    count: fc.integer({ min: 1, max: vocabulary.counts.length }),
    background: fc.constantFrom(...vocabulary.backgrounds),
  },
  { requiredKeys: ['object'] },
)

describe('promptText', () => {
  const full: Attributes = { object: 'circle', color: 'red', count: 2, background: 'blue' }

  it('has three templates', () => {
    assert.deepEqual(
      [0, 1, 2].map((template) => promptText(full, vocabulary, template)),
      [
        'two red circles on a blue background',
        'a blue background with two red circles',
        'two red circles in front of a blue background',
      ],
    )
  })

  it('leaves out what is not stated', () => {
    assert.equal(promptText({ object: 'circle', color: 'red' }, vocabulary), 'red circles')
    assert.equal(promptText({ object: 'cross', count: 3 }, vocabulary, 2), 'three crosses')
    assert.equal(promptText({ object: 'cross', count: 1 }, vocabulary, 1), 'one cross')
    assert.equal(promptText({ object: 'circle', background: 'blue' }, vocabulary, 1), 'a blue background with circles')
  })

  it('refuses words outside the vocabulary', () => {
    assert.throws(() => promptText({ color: 'red' }, vocabulary), VocabularyError)
    assert.throws(() => promptText({ ...full, object: 'dog' }, vocabulary), VocabularyError)
    assert.throws(() => promptText({ ...full, color: 'beige' }, vocabulary), VocabularyError)
    assert.throws(() => promptText({ ...full, count: 5 }, vocabulary), VocabularyError)
    assert.throws(() => promptText({ ...full, background: 'orange' }, vocabulary), VocabularyError)
    assert.throws(() => promptText(full, vocabulary, 3), ConfigError)
  })
})

describe('parsePrompt', () => {
  it('is the inverse of promptText under every template', () => {
    fc.assert(
      fc.property(anyAttributes, fc.integer({ min: 0, max: templateCount - 1 }), (attributes, template) => {
        const text = promptText(attributes, vocabulary, template)
        assert.deepEqual(parsePrompt(text, vocabulary), { ...attributes })
        assert.deepEqual(parsePrompt(` ${text.toUpperCase().replaceAll(' ', '  ')}`, vocabulary), { ...attributes })
        assert.equal(parseTemplate(text, vocabulary)?.template, attributes.background === undefined ? 0 : template)
      }),
    )
  })

  it('leaves free text alone', () => {
    for (const text of [
      '',
      'two circle',
      'one circles',
      'red',
      'red two circles',
      'two red circles and a dog',
      'circles on a red background',
      'a blue background with',
    ]) {
      assert.equal(parsePrompt(text, vocabulary), undefined, text)
    }
  })

  it('reads a vocabulary without colours', () => {
    assert.deepEqual(parsePrompt('two circles', { ...vocabulary, colors: [] }), { object: 'circle', count: 2 })
    assert.equal(parsePrompt('red circles', { ...vocabulary, colors: [] }), undefined)
  })
})

describe('categoryOf', () => {
  it('counts what is stated beyond the object', () => {
    assert.equal(categoryOf({ object: 'circle' }), 'other')
    assert.equal(categoryOf({ object: 'circle', color: 'red' }), 'color')
    assert.equal(categoryOf({ object: 'circle', count: 1 }), 'count')
    assert.equal(categoryOf({ object: 'circle', background: 'blue' }), 'background')
    assert.equal(categoryOf({ object: 'circle', count: 1, background: 'blue' }), 'combination')
  })
})
