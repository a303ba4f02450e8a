import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitByPrompt } from './split-by-prompt.ts'
import type { LabelledImage } from './train-reward.ts'

const labels = (text: string, ...answers: boolean[]): LabelledImage[] =>
  answers.map((good, image) => ({ image, text, good }))

test('whole prompts are held out, the same for the same seed', () => {
  const examples = ['a', 'b', 'c', 'd', 'e'].flatMap((text) => labels(text, true, false, true))
  const split = splitByPrompt(examples, 0.4, 3)
  assert.equal(split.prompts, 2)
  const texts = (part: LabelledImage[]) => new Set(part.map(({ text }) => text))
  assert.equal(texts(split.heldOut).size, 2)
  assert.ok(texts(split.heldOut).isDisjointFrom(texts(split.training)))
  assert.equal(split.heldOut.length + split.training.length, examples.length)
  assert.deepEqual(splitByPrompt(examples.toReversed(), 0.4, 3).heldOut.toReversed(), split.heldOut)
})

test('both sides have good and bad labels, also where few prompts have both', () => {
  const examples = [
    ...labels('a', true),
    ...labels('b', true),
    ...labels('c', true, false),
    ...labels('d', true, false),
  ]
  for (let seed = 0; seed < 20; seed++) {
    const { training, heldOut } = splitByPrompt(examples, 0.25, seed)
    for (const part of [training, heldOut]) assert.equal(new Set(part.map(({ good }) => good)).size, 2)
  }
})

test('labels that cannot be split are refused', () => {
  assert.throws(() => splitByPrompt(labels('a', true, false), 0.2, 0), { code: 'reward', received: /for 1 prompts/ })
  assert.throws(() => splitByPrompt([...labels('a', true, true), ...labels('b', false)], 0.5, 0), { code: 'reward' })
  assert.throws(() => splitByPrompt([...labels('a', true), ...labels('b', true)], 0.5, 0), { remedy: /difference/ })
})
