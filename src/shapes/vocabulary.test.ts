import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VocabularyError } from '../errors.ts'
import { captionLength, tokenize, vocabularySize } from './vocabulary.ts'

test('a text becomes padded tokens in the order of its words', () => {
  const tokens = tokenize('Two red circles, on a blue background.')
  assert.equal(tokens.length, captionLength)
  assert.equal(new Set(tokens.slice(0, 7)).size, 7)
  assert(tokens.slice(0, 7).every((token) => token > 0 && token < vocabularySize))
  assert.deepEqual(tokens.slice(7), [0, 0, 0, 0, 0])
  assert.equal(tokenize('blue')[0], tokens[5])
})

test('the empty text is all padding', () => {
  assert.deepEqual(tokenize('  '), new Array(captionLength).fill(0))
})

test('an unknown word is named, with the words that are near', () => {
  assert.throws(
    () => tokenize('two red cirkles'),
    (error) => error instanceof VocabularyError && /"cirkles"/.test(error.message) && /circles/.test(error.remedy),
  )
  assert.throws(
    () => tokenize('an astronaut'),
    (error) => error instanceof VocabularyError && /"astronaut"/.test(error.message) && /triangle/.test(error.remedy),
  )
})

test('a text that is too long is refused', () => {
  assert.throws(() => tokenize('a '.repeat(captionLength + 1)), VocabularyError)
})
