import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promptLines, withPrompts } from './prompt-lines.ts'

test('each prompt counts once, however often, with whatever spaces and ends of lines it is written', () => {
  const text = 'a red square\r\n  a cross \n\na red square \ra cross\nA cross\n \t\n'
  assert.deepEqual(promptLines(text), { texts: ['a red square', 'a cross', 'A cross'], repeated: 2 })
  assert.deepEqual(promptLines(' \n'), { texts: [], repeated: 0 })
})

test('prompts of a file come below those that are there, each on one line', () => {
  assert.equal(withPrompts(' \n', ['a cross', 'two\n  rings']), 'a cross\ntwo rings')
  assert.equal(withPrompts('a square\n\n', ['a cross']), 'a square\na cross')
})
