import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promptLines } from './prompt-lines.ts'

test('each prompt counts once, however often, with whatever spaces and ends of lines it is written', () => {
  const text = 'a red square\r\n  a cross \n\na red square \ra cross\nA cross\n \t\n'
  assert.deepEqual(promptLines(text), { texts: ['a red square', 'a cross', 'A cross'], repeated: 2 })
  assert.deepEqual(promptLines(' \n'), { texts: [], repeated: 0 })
})
