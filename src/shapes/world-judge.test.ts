import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mean } from 'simple-statistics'
import { Weights } from '../networks/weights.ts'
import { random } from '../random.ts'
import { drawCandidate, measureKl, type EvaluationPlan } from '../report/draw.ts'
import { judgePolicy, featuresOf } from '../report/evaluate.ts'
import { totalVariance } from '../report/frechet.ts'
import { shapesStreams } from '../streams.ts'
import { tensorScope } from '../tensor/scope.ts'
import { zeros } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { shapesModel } from './model.ts'
import { drawBatch } from './pretraining-data.ts'
import { renderScene } from './render.ts'
import { drawScene, imageSize } from './scene.ts'
import { seenPrompts, unseenPrompts } from './split.ts'
import { shapesJudge, twinScene } from './world-judge.ts'

useThreads(1)
const judge = shapesJudge(Weights.fresh(1))

test('features of pre-training images have a total variance of 100', () => {
  using _scope = tensorScope()
  const found = totalVariance(
    featuresOf((pixels) => judge.features(pixels), drawBatch(shapesStreams.heldOutScene, 0, 512).pictures),
  )
  assert.ok(Math.abs(found - 100) < 0.01, `${found}`)
})

test('a twin shows what was read, and always something that can be drawn', () => {
  for (let i = 0; i < 50; i++) {
    const twin = twinScene({ object: 'ring', color: 'yellow', count: 3, background: 'pink' }, random(1, i))
    assert.deepEqual([twin.object, twin.color, twin.count, twin.background], ['ring', 'yellow', 3, 'pink'])
    const odd = twinScene({ color: 'blue', count: 7, background: 'blue' }, random(2, i))
    assert.equal(odd.color, 'blue')
    assert.notEqual(odd.background, 'blue')
    assert.ok(odd.count >= 1 && odd.count <= 4)
    assert.ok(twinScene({ count: 0 }, random(3, i)).count > 0)
  }
})

test('a render is clean and shows what is stated, and of words of elsewhere what pre-training drew', () => {
  for (let i = 0; i < 10; i++) {
    const stated = { object: 'ring', color: 'yellow', count: 3, background: 'pink' }
    const drawn = judge.read(judge.render(stated, random(1, i)))
    assert.ok(drawn.clean && drawn.isAligned(stated))
    const odd = judge.read(judge.render({ object: 'dog', color: 'blue', background: 'blue' }, random(2, i)))
    assert.ok(odd.clean && odd.isAligned({ color: 'blue' }))
  }
})

test('true renders of the prompts are aligned and clean', () => {
  const prompts = [
    ...seenPrompts().map((prompt) => ({ ...prompt, split: 'seen' as const })),
    ...unseenPrompts().map((prompt) => ({ ...prompt, split: 'unseen' as const })),
  ]
  const pictures = prompts.flatMap(({ attributes }, p) =>
    [0, 1].map((k) => ({
      bytes: renderScene(drawScene(random(9, p, k), attributes!)),
      width: imageSize,
      height: imageSize,
    })),
  )
  const sampling = { steps: 2, eta: 1, guidance: 1 }
  const plan = { prompts, imagesPerPrompt: 2, seed: 1, sampling, sampler: 'ddim' as const, klRollouts: 1 }
  using _scope = tensorScope()
  const { aligned, clean } = judgePolicy(plan, { pictures, rewards: pictures.map(() => 0) }, judge)
  const share = mean(aligned.flat())
  const cleanShare = mean(clean!.flat())
  assert.ok(share >= 0.99 && cleanShare >= 0.99, `${share} ${cleanShare}`)
})

test('candidates are the same for every policy and differ from each other; the base is at KL 0', () => {
  const model = shapesModel(Weights.fresh(2), 'none')
  const reward = {
    name: 'none',
    sha256: '',
    range: [0, 1] as const,
    score: (_: unknown, texts: readonly string[]) => zeros([texts.length]),
    embedImages: () => zeros([1]),
    features: () => zeros([1]),
  }
  const plan: EvaluationPlan = {
    prompts: seenPrompts()
      .slice(0, 2)
      .map((prompt) => ({ ...prompt, split: 'seen' as const })),
    imagesPerPrompt: 2,
    seed: 1,
    sampling: { steps: 2, eta: 1, guidance: 1 },
    sampler: 'ddim',
    klRollouts: 3,
  }
  const [first, again, other] = [0, 0, 1].map((candidate) => drawCandidate(model, reward, plan, candidate))
  assert.deepEqual([first.pictures, first.rewards], [again.pictures, again.rewards])
  assert.notDeepEqual(first.pictures[0].bytes, other.pictures[0].bytes)
  assert.equal(first.pictures.length, 4)
  const kl = measureKl(model, plan)
  assert.deepEqual([kl.flat().length, ...kl.flat()], [3, 0, 0, 0])
})
