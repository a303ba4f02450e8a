import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from '../../random.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import {
  embedJudged,
  judgedImages,
  judgedPairs,
  labelsOnly,
  seenPrompts,
  unseenPrompts,
  vocabulary,
} from '../encoding/toy-encoder.test-helper.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import { shownTexts } from '../examples/shown-texts.ts'
import { headKinds } from '../heads/reward-head.ts'
import { foretell, mixtureOf, type Foretold } from './clip-mixture.ts'
import { fitReward } from './fit-reward.ts'
import { measureReward } from './measure-reward.ts'
import { RewardFit } from './reward-fit.ts'

useThreads(1)

/** Answers that follow log odds of a·head + b·clip, of parts that are drawn. */
function answers(count: number, a: number, b: number, seed = 1): Foretold {
  const stream = random(seed)
  const draw = () => ({ head: 3 * stream.normal(), clip: 0.5 + 0.1 * stream.normal() })
  const utility = ({ head, clip }: ReturnType<typeof draw>) => a * head + b * (clip - 0.5)
  const labels = Array.from({ length: count }, (_, i) => {
    const parts = draw()
    return { ...parts, text: `${i % 50}`, good: stream.uniform() < 1 / (1 + Math.exp(-utility(parts))) }
  })
  return { labels, comparisons: [] }
}

const inPairs = ({ labels }: Foretold): Foretold => ({
  labels: [],
  comparisons: labels.flatMap((label, i) => {
    const other = labels[i + 1]
    if (i % 2 === 1 || other === undefined || label.good === other.good) return []
    const [better, worse] = label.good ? [label, other] : [other, label]
    return [{ better, worse, text: label.text, isTie: false, weight: 1 }]
  }),
})

describe('the mixture of a head and the CLIP score', () => {
  it('finds how the answers came about, once they are many', () => {
    for (const [a, b] of [
      [1, 10],
      [0.4, 20],
    ]) {
      // prettier-ignore
      const { mixture, clipShare, nu } = mixtureOf(answers(4000, a, b))
      assert.ok(Math.abs(mixture.head - a) < 0.12, `${mixture.head} for ${a}`)
      assert.ok(Math.abs(mixture.clip - b) < 3, `${mixture.clip} for ${b}`)
      assert.ok(Math.abs(mixture.offset + b / 2) < 1.5, `${mixture.offset}`)
      assert.ok(Math.abs(clipShare - (0.1 * b) / (3 * a + 0.1 * b)) < 0.06, `${clipShare}`)
      assert.equal(nu, null)
    }
  })

  it('finds it from pairs too', () => {
    const { mixture, nu } = mixtureOf(inPairs(answers(4000, 1, 10)))
    assert.ok(mixture.head > 0.75 && mixture.head < 1.25, `${mixture.head}`)
    assert.ok(mixture.clip > 5 && mixture.clip < 15, `${mixture.clip}`)
    assert.ok(nu! > 0 && nu! < 0.05, `${nu}`)
  })

  it('leaves the CLIP score its order where there are few answers, or a head that knows nothing', () => {
    assert.ok(mixtureOf(answers(3, 1, 10)).clipShare > 0.7)
    for (const count of [30, 300]) {
      const { clipShare, mixture } = mixtureOf(answers(count, 0, 10))
      assert.ok(clipShare > 0.85 && mixture.clip > 0, `${clipShare}`)
    }
  })

  it('leaves the head alone where the CLIP score adds nothing to it', () => {
    assert.ok(mixtureOf(answers(4000, 1, 0)).clipShare < 0.05)
  })

  it('never turns the head or the CLIP score round', () => {
    const { mixture, clipShare } = mixtureOf(answers(2000, -1, -30))
    assert.deepEqual([mixture.head, clipShare], [0, 1])
    assert.ok(mixture.clip > 0)
  })

  it('is finite where a part never varies, or nothing was answered', () => {
    const one = { head: 0, clip: 0.5 }
    for (const { mixture, clipShare } of [
      mixtureOf({ labels: [{ ...one, text: '', good: true }], comparisons: [] }),
      mixtureOf({ labels: [], comparisons: [{ better: one, worse: one, text: '', isTie: true, weight: 1 }] }),
    ]) {
      assert.ok([...Object.values(mixture), clipShare].every(Number.isFinite), JSON.stringify(mixture))
    }
  })
})

describe('a reward of few answers', () => {
  const fit = RewardFit.parse({ batchSize: 32, distractors: 3 })
  const strangers = judgedImages(400, unseenPrompts, 3)

  async function aucOf(
    examples: RewardExamples,
    images: ReturnType<typeof judgedImages>,
    head: 'agreement' | 'mlp',
    settings = fit,
  ) {
    // prettier-ignore
    const shown = shownTexts(images, 1, { vocabulary })
    const shownToStrangers = shownTexts(strangers, 1, { vocabulary })
    using _scope = tensorScope()
    using embedded = await embedJudged(images, shown)
    using others = await embedJudged(strangers, shownToStrangers)
    const fitted = fitReward(embedded, examples, shown, settings, { head, seed: 1 })
    const { auc, clipScoreAuc } = measureReward(others, fitted, labelsOnly(strangers))
    return { auc: auc!, clip: clipScoreAuc!, share: fitted.clipShare }
  }

  for (const head of headKinds) {
    it(`is not below the CLIP score: ${head}`, async () => {
      const few = judgedImages(40, seenPrompts, 1)
      const { auc, clip, share } = await aucOf(labelsOnly(few), few, head)
      assert.ok(auc > clip - 0.01, `${auc} ${clip}`)
      assert.ok(share! > 0 && share! <= 1, `${share}`)
    })
  }

  it('would be below it with the head alone', async () => {
    const few = judgedImages(40, seenPrompts, 1)
    const { auc, clip, share } = await aucOf(labelsOnly(few), few, 'mlp', { ...fit, shrink: false })
    assert.ok(auc < clip - 0.01, `${auc} ${clip}`)
    assert.equal(share, undefined)
  })

  it('is not below the CLIP score from few pairs', async () => {
    const few = judgedImages(40, seenPrompts, 1)
    const { auc, clip } = await aucOf({ labels: [], comparisons: judgedPairs(few, 20, 0.5, 4) }, few, 'mlp')
    assert.ok(auc > clip - 0.01, `${auc} ${clip}`)
  })

  it('has a logit of both parts, whose CLIP score is the cosine', async () => {
    const few = judgedImages(40, seenPrompts, 1)
    const shown = shownTexts(few, 1, { vocabulary })
    using _scope = tensorScope()
    using embedded = await embedJudged(few, shown)
    const { head } = fitReward(embedded, labelsOnly(few), shown, fit, { head: 'agreement', seed: 1 })
    const { mixture, ...alone } = head
    const rows = foretell(embedded, labelsOnly(few), alone).labels
    const mixed = foretell(embedded, labelsOnly(few), head).labels
    for (const [i, { head: logit, clip }] of rows.entries()) {
      const expected = mixture!.head * logit + mixture!.clip * clip + mixture!.offset
      assert.ok(Math.abs(mixed[i].head - expected) < 1e-4 * (1 + Math.abs(expected)))
    }
  })
})
