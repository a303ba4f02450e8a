import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acrossPrompts, comparableOf } from './across-prompts.ts'

const pairwise = { name: 'pairs', range: [0, 1] as const, isWithinPrompt: true } as const
const texts = ['cat', 'dog', 'cat', 'dog', 'owl']

test('scores that compare images of one prompt are taken from the mean of their prompt', () => {
  const { scores, range, singles } = acrossPrompts(pairwise, [1, 20, 3, 40, 7], texts)
  assert.deepEqual([scores, range, singles], [[-1, -10, 1, 10, 0], undefined, 1])
  assert.equal(comparableOf(pairwise), 'within a prompt')
})

test('what is added to all images of a prompt changes nothing', () => {
  const worth: Readonly<Record<string, number>> = { cat: 0, dog: 64, owl: -8 }
  const own = [0.5, 0.25, 0.75, 1, 0.5]
  const moved = own.map((score, i) => score + worth[texts[i]])
  assert.deepEqual(acrossPrompts(pairwise, moved, texts), acrossPrompts(pairwise, own, texts))
})

test('scores that compare images of all prompts stay as they are, the same numbers', () => {
  const own = [0.1, 0.2, 0.3, 0.4, 0.5]
  const { scores, range, singles } = acrossPrompts({ name: 'labels', range: [0, 1] }, own, texts)
  assert.equal(scores, own)
  assert.deepEqual([range, singles], [[0, 1], undefined])
  assert.equal(comparableOf({}), 'across prompts')
})

test('one image of each prompt leaves nothing to compare', () => {
  assert.throws(() => acrossPrompts(pairwise, [1, 2], ['cat', 'dog']), {
    code: 'reward',
    message: /one image of each of 2 prompts — draw more images per prompt/,
  })
})
