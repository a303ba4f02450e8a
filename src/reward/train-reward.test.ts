import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { FileError, FormatError, RewardError } from '../errors.ts'
import { pixelsOf } from '../images/png.ts'
import { random } from '../random.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { full } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { writeSafetensors } from '../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { readReward, rewardModel, writeReward } from './reward-file.ts'
import { rewardOf } from './reward-head.ts'
import {
  allPrompts,
  judgedImages,
  seenPrompts,
  toyEncoder,
  toyPicture,
  unseenPrompts,
  vocabulary,
} from './toy-encoder.test-helper.ts'
import { fitReward, measureReward, RewardFit, wordings } from './train-reward.ts'
import { Weights } from '../networks/weights.ts'

useThreads(1)

const fit = RewardFit.parse({ epochs: 15, batchSize: 64, distractors: 3 })
const labels = judgedImages(800, seenPrompts, 1)
const fitted = (examples = labels, seed = 1, settings = fit) =>
  fitReward(toyEncoder, examples, settings, seed, vocabulary, 'test')
const numbers = (head: Weights) => [...head.tensors()].map(([name, each]) => [name, ...each.toArray()].join())

describe('the reward', () => {
  it('starts as the CLIP score: the same order of images', () => {
    using _scope = tensorScope()
    const encoder = toyEncoder
    const image = encoder.embedImages(pixelsOf(labels.slice(0, 30).map(({ picture }) => picture)))
    const text = encoder.embedTexts(labels.slice(0, 30).map(({ text }) => text))
    const scores = withoutGrad(() => rewardOf(Weights.fresh(1), image, text, encoder.width)).toArray()
    const cosines = image.mul(text).sum(1).toArray()
    assertClose(
      scores,
      cosines.map((cosine) => 1 / (1 + Math.exp(-6 * (cosine - 0.5)))),
      1e-5,
    )
  })

  it('learns from judgments, for prompts that were never judged too', () => {
    using _scope = tensorScope()
    const before = measureReward(toyEncoder, rewardStart(), judgedImages(400, unseenPrompts, 3))
    const head = fitted()
    const unseen = measureReward(toyEncoder, head, judgedImages(400, unseenPrompts, 3))
    const seen = measureReward(toyEncoder, head, judgedImages(400, seenPrompts, 2))
    assert.equal(unseen.n, 400)
    assertClose([before.auc], [before.clipScoreAuc], 1e-6)
    assert.ok(seen.auc > 0.97 && seen.accuracy > 0.9, JSON.stringify(seen))
    assert.ok(unseen.auc > 0.9 && unseen.auc > unseen.clipScoreAuc + 0.02, JSON.stringify(unseen))
    assert.ok(seen.ece < 0.2, `${seen.ece}`)
  })

  it('prefers the true prompt among wrong ones for a good image', () => {
    using _scope = tensorScope()
    const reward = rewardModel('run', toyEncoder, fitted())
    const picture = toyPicture('green', 'ring', random(8))
    const scores = reward.score(pixelsOf(allPrompts.map(() => picture)), allPrompts).toArray()
    assert.equal(allPrompts[scores.indexOf(Math.max(...scores))], 'green rings')
    assert.ok(scores.every((score) => score >= reward.range[0] && score <= reward.range[1]))
  })

  it('is a function of its seed and labels', () => {
    using _scope = tensorScope()
    const few = labels.slice(0, 100)
    const once = numbers(fitted(few, 1))
    assert.deepEqual(numbers(fitted(few, 1)), once)
    assert.notDeepEqual(numbers(fitted(few, 2)), once)
  })

  it('changes with the weight of prompt classification', () => {
    using _scope = tensorScope()
    const few = labels.slice(0, 100)
    assert.notDeepEqual(numbers(fitted(few, 1, { ...fit, classificationWeight: 0 })), numbers(fitted(few, 1)))
  })

  it('leaves nothing behind but the head', () => {
    using _scope = tensorScope()
    const before = livingTensors()
    const head = fitted(labels.slice(0, 50))
    assert.ok(livingTensors() <= before + head.tensors().size)
    assert.ok([...head.tensors().values()].every((each) => !each.requiresGrad))
  })

  it('cannot be learned or measured from labels of one class', () => {
    using _scope = tensorScope()
    for (const good of [true, false]) {
      const one = labels.slice(0, 10).map((label) => ({ ...label, good }))
      assert.throws(() => fitted(one), RewardError)
      assert.throws(() => measureReward(toyEncoder, rewardStart(), one), RewardError)
    }
    assert.throws(() => fitted([]), RewardError)
  })

  it('learns without a vocabulary, from free text', () => {
    using _scope = tensorScope()
    const head = fitReward(toyEncoder, labels, { ...fit, epochs: 5 }, 1, undefined, 'test')
    const { auc, clipScoreAuc } = measureReward(toyEncoder, head, judgedImages(300, seenPrompts, 2))
    assert.ok(auc > clipScoreAuc)
  })
})

/** A head as it begins. */
function rewardStart(): Weights {
  const head = Weights.fresh(1)
  const [image, text] = [toyEncoder.embedImages(pixelsOf([labels[0].picture])), toyEncoder.embedTexts(['red circles'])]
  withoutGrad(() => rewardOf(head, image, text, toyEncoder.width))
  return head
}

describe('wordings', () => {
  it('are those of the templates, or the text alone', () => {
    const worded = { ...vocabulary, backgrounds: ['blue'] }
    assert.deepEqual(wordings('red rings on a blue background', worded), [
      'red rings on a blue background',
      'a blue background with red rings',
      'red rings in front of a blue background',
    ])
    assert.deepEqual(wordings('red rings', worded), ['red rings'])
    assert.deepEqual(wordings('a ring that sings', worded), ['a ring that sings'])
    assert.deepEqual(wordings('red rings on a blue background', undefined), ['red rings on a blue background'])
  })
})

describe('a reward’s file', () => {
  it('gives back the reward, on its own encoder alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-'))
    try {
      using _scope = tensorScope()
      const file = join(folder, 'reward.safetensors')
      const head = fitted(labels.slice(0, 60))
      writeReward(file, toyEncoder, head)
      const reward = readReward(file, 'runs/reward', toyEncoder)
      assert.equal(reward.name, 'runs/reward')
      const pixels = pixelsOf(labels.slice(0, 20).map(({ picture }) => picture))
      const texts = labels.slice(0, 20).map(({ text }) => text)
      const own = rewardModel('own', toyEncoder, head)
      assert.deepEqual(reward.score(pixels, texts).toArray(), own.score(pixels, texts).toArray())
      assert.deepEqual(reward.features(pixels, texts).shape, [20, toyEncoder.width + 256])

      assert.throws(() => readReward(file, 'x', { ...toyEncoder, sha256: 'd'.repeat(64) }), FormatError)
      assert.throws(() => readReward(join(folder, 'none'), 'x', toyEncoder), FileError)
      const foreign = join(folder, 'foreign.safetensors')
      writeSafetensors(foreign, new Map([['x', full([1], 0)]]), { format: 'attune-policy-1' })
      assert.throws(() => readReward(foreign, 'x', toyEncoder), { name: FormatError.name, received: 'attune-policy-1' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
