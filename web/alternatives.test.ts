import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alternativesOf, literally } from './alternatives.ts'

const textsOf = (line: string) => alternativesOf(line, 100).texts

test('choices between braces say a prompt each, also one within another', () => {
  assert.deepEqual(textsOf('{red|blue} circle'), ['red circle', 'blue circle'])
  assert.deepEqual(textsOf('{a|b} and {c|d}'), ['a and c', 'a and d', 'b and c', 'b and d'])
  assert.deepEqual(textsOf('a {big {red|blue}|small} dog'), ['a big red dog', 'a big blue dog', 'a small dog'])
  assert.deepEqual(textsOf('a {|very } big dog'), ['a big dog', 'a very big dog'])
  assert.deepEqual(alternativesOf('no braces | at all', 9), {
    texts: ['no braces | at all'],
    count: 1,
    isBroken: false,
  })
})

test('braces that choose nothing, or are written as such, are text', () => {
  assert.deepEqual(textsOf('a {dog}'), ['a {dog}'])
  for (const line of ['a {dog', 'a dog}', 'a {b|{c}', '{'.repeat(30) + 'a|b' + '}'.repeat(30)]) {
    assert.deepEqual(alternativesOf(line, 9), { texts: [line], count: 1, isBroken: true }, line)
  }
  for (const text of ['a {b|c} d', 'x } {', 'C:\\new {x}', 'plain \\ text | here']) {
    assert.deepEqual(textsOf(literally(text)), [text], text)
  }
})

test('as many as there are are counted, and no more than wanted are made', () => {
  const line = '{a|b|c|d|e|f|g|h|i|j}'.repeat(12)
  const { texts, count } = alternativesOf(line, 7)
  assert.equal(texts.length, 7)
  assert.equal(count, 1e12)
})
