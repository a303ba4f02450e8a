import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { RewardError } from '../../errors.ts'
import { pixelsOf } from '../../images/png.ts'
import { random } from '../../random.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { measureReward } from './measure-reward.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import { freshHead, headKinds, headScore, type HeadKind, type RewardHead } from '../heads/reward-head.ts'
import { shownTexts, type DistractorSource } from '../examples/shown-texts.ts'
import {
  allPrompts,
  embedJudged,
  judgedImages,
  judgedPairs,
  labelsOnly,
  seenPrompts,
  toyEncoder,
  toyPicture,
  truePairs,
  unseenPrompts,
  vocabulary,
} from '../encoding/toy-encoder.test-helper.ts'
import { fitReward } from './fit-reward.ts'
import { RewardFit } from './reward-fit.ts'
import { trainedReward } from '../kinds/trained-run.ts'

useThreads(1)

const fit = RewardFit.parse({ epochs: 15, batchSize: 64, distractors: 3, shrink: false })
const labels = judgedImages(800, seenPrompts, 1)
const strangers = judgedImages(400, unseenPrompts, 3)
const numbers = ({ weights }: RewardHead) =>
  [...weights.tensors()].map(([name, each]) => [name, ...each.toArray()].join())

/** A fit to judged images with all that goes before it. */
async function fitted(
  examples = labels,
  { seed = 1, settings = fit, head = 'agreement' as HeadKind, source = { vocabulary } as DistractorSource } = {},
): Promise<RewardHead> {
  const shown = shownTexts(examples, seed, source)
  using embedded = await embedJudged(examples, shown)
  return fitReward(embedded, labelsOnly(examples), shown, settings, { head, seed, label: 'test' }).head
}

async function measured(head: RewardHead, examples = strangers) {
  using embedded = await embedJudged(examples)
  const { auc, clipScoreAuc, accuracy, ece, ...rest } = measureReward(
    embedded,
    { head, nu: null },
    labelsOnly(examples),
  )
  return { ...rest, auc: auc!, clipScoreAuc: clipScoreAuc!, accuracy: accuracy!, ece: ece! }
}

/** Frees the tensors of a head that no scope owns. */
const dispose = ({ weights }: RewardHead) => {
  for (const each of weights.tensors().values()) each.dispose()
}

describe('the reward', () => {
  it('starts as the CLIP score with the head agreement: the same order of images', () => {
    using _scope = tensorScope()
    const image = toyEncoder.embedImages(pixelsOf(labels.slice(0, 30).map(({ picture }) => picture)))
    const text = toyEncoder.embedTexts(labels.slice(0, 30).map(({ text }) => text))
    const scores = withoutGrad(() => headScore(freshHead('agreement', toyEncoder.width, 1), image, text)).toArray()
    const cosines = image.mul(text).sum(1).toArray()
    assertClose(
      scores,
      cosines.map((cosine) => 1 / (1 + Math.exp(-6 * (cosine - 0.5)))),
      1e-5,
    )
  })

  it('learns from judgments, for prompts that were never judged too', async () => {
    const before = await measured(freshHead('agreement', toyEncoder.width, 1))
    const head = await fitted()
    const unseen = await measured(head)
    const seen = await measured(head, judgedImages(400, seenPrompts, 2))
    assert.equal(unseen.n, 400)
    assertClose([before.auc], [before.clipScoreAuc], 1e-6)
    assert.ok(seen.auc > 0.97 && seen.accuracy > 0.9, JSON.stringify(seen))
    assert.ok(unseen.auc > 0.9 && unseen.auc > unseen.clipScoreAuc + 0.02, JSON.stringify(unseen))
    assert.ok(seen.ece < 0.2, `${seen.ece}`)
    dispose(head)
  })

  it('learns from judgments with the head of Lee et al., which has to find the agreement of image and text itself', async () => {
    const head = await fitted(labels, { head: 'mlp' })
    const seen = await measured(head, judgedImages(400, seenPrompts, 2))
    assert.ok(seen.auc > 0.85 && seen.auc > seen.clipScoreAuc, JSON.stringify(seen))
    dispose(head)
  })

  it('prefers the true prompt among wrong ones for a good image', async () => {
    const head = await fitted()
    using _scope = tensorScope()
    const reward = trainedReward('run', toyEncoder, head, '')
    const picture = toyPicture('green', 'ring', random(8))
    const scores = reward.score(pixelsOf(allPrompts.map(() => picture)), allPrompts).toArray()
    assert.equal(allPrompts[scores.indexOf(Math.max(...scores))], 'green rings')
    dispose(head)
  })

  for (const head of headKinds) {
    it(`is a function of its seed and labels, ${head}`, async () => {
      const few = labels.slice(0, 100)
      const once = numbers(await fitted(few, { head }))
      assert.deepEqual(numbers(await fitted(few, { head })), once)
      assert.notDeepEqual(numbers(await fitted(few, { head, seed: 2 })), once)
    })
  }

  it('counts several labels of one image, each', async () => {
    const few = labels.slice(0, 40)
    const twice = [...few, ...few.slice(0, 10)]
    assert.notDeepEqual(numbers(await fitted(twice)), numbers(await fitted(few)))
  })

  it('changes with the weight of prompt classification, and with the distractors', async () => {
    const few = labels.slice(0, 100)
    const once = numbers(await fitted(few))
    assert.notDeepEqual(numbers(await fitted(few, { settings: { ...fit, classificationWeight: 0 } })), once)
    const given = new Map(seenPrompts.map((text) => [text, ['blue stars', 'red crosses']]))
    assert.notDeepEqual(numbers(await fitted(few, { source: { vocabulary, given } })), once)
  })

  it('has no second term for prompts without distractors, and one of the others alone', async () => {
    const few = labels.slice(0, 100)
    const none = new Map(seenPrompts.map((text) => [text, [] as string[]]))
    const plain = numbers(await fitted(few, { source: { given: none } }))
    const unweighted = { ...fit, classificationWeight: 0 }
    assert.deepEqual(numbers(await fitted(few, { settings: unweighted, source: { given: none } })), plain)
    const good = few.find((label) => label.good)!.text
    const some = new Map([...none, [good, ['blue stars']]])
    assert.notDeepEqual(numbers(await fitted(few, { source: { given: some } })), plain)
  })

  it('leaves nothing behind but the head', async () => {
    const few = labels.slice(0, 50)
    const shown = shownTexts(few, 1, { vocabulary })
    using embedded = await embedJudged(few, shown)
    const before = livingTensors()
    const fitted = fitReward(embedded, labelsOnly(few), shown, fit, { head: 'agreement', seed: 1 })
    const { head } = fitted
    assert.ok(livingTensors() <= before + head.weights.tensors().size)
    assert.ok([...head.weights.tensors().values()].every((each) => !each.requiresGrad))
    measureReward(embedded, fitted, labelsOnly(few))
    dispose(head)
    assert.ok(livingTensors() <= before)
  })

  it('cannot be learned or measured from labels of one class', async () => {
    const head = freshHead('agreement', toyEncoder.width, 1)
    for (const good of [true, false]) {
      const one = labels.slice(0, 10).map((label) => ({ ...label, good }))
      await assert.rejects(fitted(one), RewardError)
      await assert.rejects(measured(head, one), RewardError)
    }
    dispose(head)
  })

  it('learns from free text, whose distractors change its colours', async () => {
    const head = await fitted(labels, { settings: { ...fit, epochs: 5 }, source: {} })
    const { auc, clipScoreAuc } = await measured(head, judgedImages(300, seenPrompts, 2))
    assert.ok(auc > clipScoreAuc)
    dispose(head)
  })
})

describe('the reward of comparisons', () => {
  const shown = shownTexts(labels, 1, { vocabulary })
  const shownToStrangers = shownTexts(strangers, 1, { vocabulary })

  /** A fit, measured on pairs of prompts that it has not seen. */
  async function learned(examples: RewardExamples, settings = fit) {
    using embedded = await embedJudged(labels, shown)
    const fitted = fitReward(embedded, examples, shown, settings, { head: 'agreement', seed: 1, label: 'test' })
    using embeddedStrangers = await embedJudged(strangers, shownToStrangers)
    const heldOut = { labels: strangers, comparisons: truePairs(strangers, 800, 12) }
    const quality = measureReward(embeddedStrangers, fitted, heldOut)
    using _scope = tensorScope()
    const scores = trainedReward('run', toyEncoder, fitted.head, '').score(
      pixelsOf(labels.map(({ picture }) => picture)),
      labels.map(({ text }) => text),
    )
    const meanScore = scores.mean().item()
    dispose(fitted.head)
    return { ...quality, nu: fitted.nu, meanScore, auc: quality.auc!, pairAccuracy: quality.pairAccuracy! }
  }

  it('is learned from pairs alone, for new prompts too, with its scores around 1/2', async () => {
    const pairs = { labels: [], comparisons: judgedPairs(labels, 1200, 0.5, 11) }
    const quality = await learned(pairs)
    assert.ok(quality.pairAccuracy > 0.95, `${quality.pairAccuracy}`)
    assert.ok(quality.auc > quality.clipScoreAuc! + 0.02, `${quality.auc}`)
    assert.ok(Math.abs(quality.meanScore - 0.5) < 0.15, `${quality.meanScore}`)
  })

  it('finds how often raters call images equal', async () => {
    for (const nu of [0.2, 1.5]) {
      const { nu: found } = await learned({ labels: [], comparisons: judgedPairs(labels, 1200, nu, 13) })
      assert.ok(Math.abs(Math.log(found! / nu)) < 0.35, `${found} for ${nu}`)
    }
  })

  it('is better from labels and pairs together than from either', async () => {
    const few = labels.slice(0, 60)
    const pairs = judgedPairs(labels.slice(60, 200), 60, 0.5, 14)
    const settings = { ...fit, epochs: 60 }
    const both = await learned({ labels: few, comparisons: pairs }, settings)
    const one = await learned(labelsOnly(few), settings)
    const other = await learned({ labels: [], comparisons: pairs }, settings)
    assert.ok(both.auc > one.auc && both.auc > other.auc, `${both.auc} ${one.auc} ${other.auc}`)
  })

  it('leaves labels of one class out, which would only push all scores to one side', async () => {
    const comparisons = judgedPairs(labels, 200, 0.5, 15)
    const bad = labels.filter(({ good }) => !good).slice(0, 50)
    assert.equal((await learned({ labels: bad, comparisons })).auc, (await learned({ labels: [], comparisons })).auc)
  })

  it('counts comparisons by their weight, and not at all with a weight of 0', async () => {
    const comparisons = judgedPairs(labels, 100, 0.5, 16)
    const few = labelsOnly(labels.slice(0, 100))
    const alone = await learned(few)
    assert.equal((await learned({ ...few, comparisons }, { ...fit, comparisonWeight: 0 })).auc, alone.auc)
    const heavy = comparisons.map((one, i) => ({ ...one, weight: i < 50 ? 3 : 1 }))
    assert.notEqual((await learned({ ...few, comparisons: heavy })).auc, (await learned({ ...few, comparisons })).auc)
    assert.equal(alone.nu, null)
    assert.equal(alone.comparisonNats, null)
  })

  it('cannot be learned from ties alone', async () => {
    const ties = judgedPairs(labels, 50, 0.5, 17).map((one) => ({ ...one, isTie: true }))
    await assert.rejects(learned({ labels: [], comparisons: ties }), RewardError)
  })
})
