import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mean } from 'simple-statistics'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { deviations, fitEnsemble, resample, scoresOf } from './ensemble.ts'
import { promptsOf, type Label } from '../examples/reward-examples.ts'
import { shownTexts } from '../examples/shown-texts.ts'
import {
  allPrompts,
  embedJudged,
  judgedImages,
  labelsOnly,
  seenPrompts,
  vocabulary,
} from '../encoding/toy-encoder.test-helper.ts'
import { RewardFit } from './reward-fit.ts'

useThreads(1)

describe('resampled prompts', () => {
  const labels = judgedImages(300, seenPrompts, 1)

  it('are as many as before, with repetitions, each with all its examples', () => {
    const drawn = resample(labelsOnly(labels), 5)
    const times = (all: readonly Label[], text: string) => all.filter((one) => one.text === text).length
    for (const text of promptsOf(drawn)) assert.equal(times(drawn.labels, text) % times(labels, text), 0)
    const share = promptsOf(drawn).length / seenPrompts.length
    assert.ok(share > 0.4 && share < 0.85, `${share}`)
    assert.deepEqual(resample(labelsOnly(labels), 5), drawn)
    assert.notDeepEqual(resample(labelsOnly(labels), 6), drawn)
  })

  it('always leave something to learn from', () => {
    const few = [
      { image: 0, text: 'a', good: true },
      { image: 1, text: 'b', good: false },
    ]
    for (let seed = 0; seed < 50; seed++) {
      assert.equal(new Set(resample(labelsOnly(few), seed).labels.map(({ good }) => good)).size, 2)
    }
    const comparisons = [{ better: 0, worse: 1, text: 'a', isTie: false, weight: 1 }]
    assert.deepEqual(resample({ labels: [], comparisons }, 1).comparisons, comparisons)
  })
})

describe('the ensemble', () => {
  it('has deviations by hand', () => {
    assertClose(deviations([[0.1, 0.5], [0.3, 0.5], [0.5, 0.5]]), [0.2, 0]) // prettier-ignore
  })

  it('is less sure of images of new prompts that the reward gets wrong', async () => {
    const images = judgedImages(700, allPrompts, 2)
    const labels = images.filter(({ text }) => seenPrompts.includes(text)).slice(0, 150)
    const shown = shownTexts(images, 1, { vocabulary })
    using _scope = tensorScope()
    using embedded = await embedJudged(images, shown)
    const fit = RewardFit.parse({ batchSize: 32, distractors: 3 })
    const members = fitEnsemble(embedded, labelsOnly(labels), shown, fit, { head: 'agreement', seed: 1, members: 4 })
    for (const { seen } of members) assert.ok(seen.size < promptsOf(labelsOnly(labels)).length)
    const scores = members.map((member) => scoresOf(embedded, member.head, images))
    const unsure = deviations(scores)
    const strangers = images.flatMap(({ text, good }, i) => {
      const isRight = mean(scores.map((member) => member[i])) >= 0.5 === good
      return seenPrompts.includes(text) ? [] : [{ isRight, unsure: unsure[i] }]
    })
    const unsureOf = (wanted: boolean) =>
      mean(strangers.filter(({ isRight }) => isRight === wanted).map((one) => one.unsure))
    assert.ok(unsureOf(false) > 1.2 * unsureOf(true), `${unsureOf(false)} ${unsureOf(true)}`)
  })
})
