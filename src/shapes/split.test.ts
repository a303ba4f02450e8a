import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prompt, type Attributes } from '../records.ts'
import { novelPairs } from './captions.ts'
import { allPrompts, heldOutObject, seenPrompts, unseenPrompts } from './split.ts'
import { shapesVocabulary, tokenize } from './vocabulary.ts'

const seen = seenPrompts()
const unseen = unseenPrompts()
const stated = (prompts: Prompt[]) => prompts.map((prompt) => prompt.attributes ?? {})
const sizes = (prompts: Prompt[]) =>
  ['color', 'count', 'background', 'combination'].map((c) => prompts.filter((p) => p.category === c).length)

test('the lists have the stated sizes, are valid and always the same', () => {
  assert.deepEqual(sizes(seen), [12, 9, 12, 72])
  assert.deepEqual(sizes(unseen), [12, 7, 12, 48])
  for (const prompt of [...seen, ...unseen]) {
    Prompt.parse(prompt)
    tokenize(prompt.text)
  }
  assert.deepEqual(seenPrompts(), seen)
  assert.equal(new Set([...seen, ...unseen].map((prompt) => prompt.id)).size, seen.length + unseen.length)
})

test('both lists are among all prompts, each of which is there once', () => {
  const all = new Map(allPrompts().map((prompt) => [prompt.id, prompt]))
  assert.equal(all.size, allPrompts().length)
  assert.deepEqual(sizes([...all.values()]), [24, 16, 24, 792])
  for (const prompt of [...seen, ...unseen]) assert.deepEqual(all.get(prompt.id), prompt)
})

test('seen prompts cover every word but the held-out object', () => {
  const { colors, counts, backgrounds } = shapesVocabulary
  for (const color of colors) assert(stated(seen).some((one) => one.color === color))
  for (const background of backgrounds) assert(stated(seen).some((one) => one.background === background))
  for (const count of counts.keys()) assert(stated(seen).some((one) => one.count === count + 1))
  assert(stated(seen).every((one) => one.object !== heldOutObject))
})

test('every unseen prompt joins to its object something that no seen prompt does', () => {
  const pairs = (one: Attributes) =>
    [one.color, one.count, one.background].flatMap((value, place) =>
      value === undefined ? [] : [`${one.object} ${place} ${value}`],
    )
  const known = new Set(stated(seen).flatMap(pairs))
  for (const one of stated(unseen))
    assert(
      pairs(one).some((pair) => !known.has(pair)),
      JSON.stringify(one),
    )
})

test('no prompt asks for a novel or invisible pair', () => {
  for (const one of stated([...seen, ...unseen])) {
    if (one.color === undefined) continue
    assert.notEqual(one.color, one.background)
    assert(!novelPairs.some(([color, background]) => color === one.color && background === one.background))
  }
})
