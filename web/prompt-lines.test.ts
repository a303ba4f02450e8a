import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promptLines, withPrompts } from './prompt-lines.ts'

test('each prompt counts once, however often, with whatever spaces and ends of lines it is written', () => {
  const text = 'a red square\r\n  a cross \n\na red square \ra cross\nA cross\n \t\n'
  const { texts, repeated } = promptLines(text)
  assert.deepEqual([texts, repeated], [['a red square', 'a cross', 'A cross'], 2])
  assert.deepEqual(promptLines(' \n'), { texts: [], repeated: 0, choosing: { lines: 0, prompts: 0 }, broken: [] })
})

test('lines that choose say several, of which each counts once', () => {
  const { texts, choosing, broken } = promptLines('{red|blue} ring\nred ring\na {cross\n{red|green} ring')
  assert.deepEqual(texts, ['red ring', 'blue ring', 'a {cross', 'green ring'])
  assert.deepEqual([choosing, broken], [{ lines: 2, prompts: 4 }, ['a {cross']])
  const many = promptLines(`${'{a|b|c|d|e|f|g|h|i|j}'.repeat(12)}\na cross`)
  assert.deepEqual([many.texts.length, many.texts.at(-1), many.choosing.prompts], [2001, 'a cross', 1e12])
})

test('prompts of a file come below those that are there, each on one line and as it is', () => {
  assert.equal(withPrompts(' \n', ['a cross', 'two\n  rings']), 'a cross\ntwo rings')
  assert.equal(withPrompts('a square\n\n', ['a cross']), 'a square\na cross')
  assert.deepEqual(promptLines(withPrompts('', ['{a|b}'])).texts, ['{a|b}'])
})
