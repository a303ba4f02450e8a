import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitByPrompt } from './split-by-prompt.ts'
import type { Comparison, Label, RewardExamples } from './reward-examples.ts'

const labels = (text: string, ...answers: boolean[]): Label[] => answers.map((good, image) => ({ image, text, good }))
const compared = (text: string, ...ties: boolean[]): Comparison[] =>
  ties.map((isTie, image) => ({ better: image, worse: image + 1, text, isTie, weight: 1 }))
const only = (...each: Label[][]): RewardExamples => ({ labels: each.flat(), comparisons: [] })

test('whole prompts are held out, the same for the same seed', () => {
  const examples = only(...['a', 'b', 'c', 'd', 'e'].map((text) => labels(text, true, false, true)))
  const split = splitByPrompt(examples, 0.4, 3)
  assert.equal(split.prompts, 2)
  const texts = (part: RewardExamples) => new Set(part.labels.map(({ text }) => text))
  assert.equal(texts(split.heldOut).size, 2)
  assert.ok(texts(split.heldOut).isDisjointFrom(texts(split.training)))
  assert.equal(split.heldOut.labels.length + split.training.labels.length, examples.labels.length)
  const turned = splitByPrompt(only(examples.labels.toReversed()), 0.4, 3)
  assert.deepEqual(turned.heldOut.labels.toReversed(), split.heldOut.labels)
})

test('both sides have good and bad labels, also where few prompts have both', () => {
  const examples = only(labels('a', true), labels('b', true), labels('c', true, false), labels('d', true, false))
  for (let seed = 0; seed < 20; seed++) {
    const { training, heldOut } = splitByPrompt(examples, 0.25, seed)
    for (const part of [training, heldOut]) assert.equal(new Set(part.labels.map(({ good }) => good)).size, 2)
  }
})

test('both sides have comparisons with a better image, and where both kinds cannot be on both sides, one of them', () => {
  const pairs = [compared('a', false), compared('b', true), compared('c', false), compared('d', true)].flat()
  for (let seed = 0; seed < 20; seed++) {
    const { training, heldOut, prompts } = splitByPrompt({ labels: [], comparisons: pairs }, 0.25, seed)
    assert.equal(prompts, 1)
    for (const part of [training, heldOut]) assert.ok(part.comparisons.some(({ isTie }) => !isTie))
    const mixed = splitByPrompt({ labels: labels('a', true, false), comparisons: pairs }, 0.25, seed)
    assert.ok(mixed.heldOut.comparisons.length > 0 && mixed.training.comparisons.length > 0)
  }
})

test('examples that cannot be split are refused', () => {
  const split = (...each: Label[][]) => splitByPrompt(only(...each), 0.5, 0)
  assert.throws(() => split(labels('a', true, false)), { code: 'reward', received: /for 1 prompts/ })
  assert.throws(() => split(labels('a', true, true), labels('b', false)), { code: 'reward' })
  assert.throws(() => split(labels('a', true), labels('b', true)), { remedy: /difference/ })
  const ties = { labels: labels('a', true), comparisons: [...compared('a', true), ...compared('b', true)] }
  assert.throws(() => splitByPrompt(ties, 0.5, 0), { received: '1 good and 0 bad, 2 ties' })
})
