import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { promptsOf } from '../examples/reward-examples.ts'
import { judgedImages, judgedPairs, labelsOnly, seenPrompts } from '../encoding/toy-encoder.test-helper.ts'
import { planFolds } from './folds.ts'

const few = judgedImages(100, seenPrompts, 1)

describe('fits that have not seen some of the prompts', () => {
  it('foretell each example once, of prompts that they have not seen', () => {
    const folds = planFolds(labelsOnly(few), 1)
    assert.equal(folds.length, 10)
    for (const { training, foretold } of folds) {
      assert.equal(training.labels.length + foretold.labels.length, few.length)
      const seen = new Set(promptsOf(training))
      assert.ok(foretold.labels.length > 0 && foretold.labels.every(({ text }) => !seen.has(text)))
    }
    const all = folds.flatMap(({ foretold }) => foretold.labels.map(({ image }) => image))
    assert.deepEqual(all.toSorted((a, b) => a - b), [...few.keys()]) // prettier-ignore
  })

  it('are as many as it takes to foretell 800 examples', () => {
    const folds = planFolds(labelsOnly(judgedImages(2000, seenPrompts, 1)), 1)
    const count = folds.reduce((sum, { foretold }) => sum + foretold.labels.length, 0)
    assert.ok(folds.length <= 5 && count >= 800, `${folds.length} ${count}`)
  })

  it('are a function of the seed, and keep comparisons with the labels of their prompt', () => {
    const examples = { labels: few, comparisons: judgedPairs(few, 60, 0.5, 2) }
    assert.deepEqual(planFolds(examples, 1), planFolds(examples, 1))
    assert.notDeepEqual(planFolds(examples, 1), planFolds(examples, 2))
    for (const { training, foretold } of planFolds(examples, 1)) {
      const seen = new Set(promptsOf(training))
      assert.ok(promptsOf(foretold).every((text) => !seen.has(text)))
    }
  })

  it('divide the images of a single prompt, and leave fits out that would have no difference to learn from', () => {
    const one = few.slice(0, 20).map((label, image) => ({ ...label, text: 'red stars', image, good: image === 0 }))
    const folds = planFolds(labelsOnly(one), 1)
    assert.equal(folds.length, 9)
    assert.ok(folds.every(({ training }) => training.labels.some(({ good }) => good)))
    assert.deepEqual(planFolds(labelsOnly(one.slice(0, 2)), 1), [])
    assert.deepEqual(planFolds(labelsOnly(one.slice(0, 1)), 1), [])
  })
})
