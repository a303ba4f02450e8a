import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RewardError } from '../../errors.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import {
  embedJudged,
  judgedImages,
  labelsOnly,
  seenPrompts,
  truePairs,
  vocabulary,
} from '../encoding/toy-encoder.test-helper.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import { shownTexts } from '../examples/shown-texts.ts'
import type { HeadKind } from '../heads/reward-head.ts'
import { fitReward } from './fit-reward.ts'
import { RewardFit } from './reward-fit.ts'
import { expectDifferences } from './sameness.ts'

useThreads(1)

const images = judgedImages(60, seenPrompts, 1)
const pairs = { labels: [], comparisons: truePairs(images, 60, 2) }
const copies = images.map((image) => ({ ...image, picture: images[0].picture }))

/** Warnings of a fit. */
async function warningsOf(
  examples: RewardExamples,
  settings: Partial<RewardFit>,
  { judged = images, head = 'mlp' as HeadKind } = {},
): Promise<string[]> {
  const shown = shownTexts(images, 1, { vocabulary })
  using _scope = tensorScope()
  using embedded = await embedJudged(judged, shown)
  const fit = RewardFit.parse({ epochs: 8, batchSize: 32, shrink: false, ...settings })
  const warnings: string[] = []
  fitReward(embedded, examples, shown, fit, { head, seed: 1, warn: (line) => warnings.push(line) })
  return warnings
}

describe('a reward that says the same of everything', () => {
  it('is let be where it learns', async () => {
    for (const examples of [pairs, labelsOnly(images)]) assert.deepEqual(await warningsOf(examples, {}), [])
  })

  it('ends the training of pairs whose images are copies, and says why', async () => {
    for (const head of ['mlp', 'agreement'] as const) {
      await assert.rejects(warningsOf(pairs, {}, { judged: copies, head }), {
        name: RewardError.name,
        where: /^reward, update 2 of 16$/,
        received: /the same of both images of each pair.* log 2 = 0\.69315/,
        remedy: /are they copies of one picture/,
      })
    }
  })

  it('is told of once where weights decay or hardly move, with the likely cause', async () => {
    const decayed = await warningsOf(pairs, { weightDecay: 999, learningRate: 1e-3, classificationWeight: 0 })
    assert.equal(decayed.length, 1)
    assert.match(decayed[0], /^warning: reward, update \d+ of 16: .*nearly the same.*weights decayed to nothing: lower --weight-decay/) // prettier-ignore
    const still = await warningsOf(pairs, { learningRate: 1e-9 })
    assert.ok(still.length <= 1)
  })

  it('has its cause by what is seen', () => {
    const told = (logits: number, embeddings: number, decayed = 1) =>
      expectDifferences('fit', { logits, embeddings, isOfPairs: true }, decayed)
    assert.equal(told(0.1, 0), undefined)
    assert.match(told(0.01, 0.5)!, /raise --learning-rate or --epochs, and check whether the answers contradict/)
    assert.match(told(0.01, 0.001)!, /the encoder sees no difference/)
    assert.match(told(0.01, 0.5, 0.001)!, /lower --weight-decay/)
    assert.throws(() => told(0, 0.5), /its hidden units died: lower --learning-rate/)
    assert.throws(() => told(0, 0.5, 0), /lower --weight-decay/)
  })
})
