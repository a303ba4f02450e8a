/** Compositions of rewards that are formulas, by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { gradients } from '../../tensor/autograd.ts'
import { full, rand, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { sharesPart } from './shared-parts.ts'
import type { Reward } from '../reward.ts'
import { composedReward, type Normal } from './composed-reward.ts'
import { compositionOf } from './composition.ts'

/** The mean of one channel, beside others that an image has. */
const channel = (place: number, more: Partial<Reward> = {}): Reward => {
  const score = (pixels: Tensor) => pixels.select(1, place).flatten(1).mean(1)
  return {
    name: `channel ${place}`,
    sha256: `channel ${place}`,
    range: undefined,
    score,
    scoreWithGradient: score,
    embedImages: (pixels) => pixels.select(1, place).flatten(1),
    features: (pixels) => pixels.select(1, place).flatten(1),
    ...more,
  }
}
const rewards = [channel(0), channel(1), channel(2)]
const normals: readonly Normal[] = [
  { mean: 0.1, deviation: 0.5 },
  { mean: -0.2, deviation: 0.25 },
  { mean: 0, deviation: 2 },
]
const composed = (name: string, parts = rewards) => {
  const composition = compositionOf(name)!
  return composedReward(
    name,
    composition,
    composition.parts.map((_, i) => ({ reward: parts[i], normal: normals[i] })),
  )
}
/** z of the three: 1, −1 and 0.25. */
const image = () => tensor([0.6, -0.45, 0.5], [1, 3, 1, 1])
const scoreOf = (name: string, parts?: readonly Reward[]) =>
  composed(name, parts as Reward[])
    .score(image(), [''])
    .item()

test('a sum weighs what is left of each part in units of its deviation', () => {
  using _scope = tensorScope()
  assertClose([scoreOf('a=0.7,b=0.3,c=-2')], [0.7 - 0.3 - 0.5], 1e-6)
})

test('the least, and a lower bound of mean and standard deviation', () => {
  using _scope = tensorScope()
  assertClose([scoreOf('min(a,b,c)')], [-1], 1e-6)
  const mean = 0.25 / 3
  const deviation = Math.sqrt(((1 - mean) ** 2 + (-1 - mean) ** 2 + (0.25 - mean) ** 2) / 2)
  assertClose([scoreOf('lower(a,b,c)'), scoreOf('lower(a,b,c; k=0.5)')], [mean - deviation, mean - deviation / 2], 1e-6)
  assertClose([scoreOf('lower(a,b,c; k=0)')], [mean], 1e-6)
})

test('a product takes shares as they are, and others by the logistic function', () => {
  using _scope = tensorScope()
  const logistic = (z: number) => 1 / (1 + Math.exp(-z))
  const shares = [channel(0, { range: [0, 1] }), ...rewards.slice(1)]
  assertClose([scoreOf('product(a,b,c)', shares)], [0.6 * logistic(-1) * logistic(0.25)], 1e-6)
  assert.deepEqual(composed('product(a,b,c)').range, [0, 1])
})

test('gradients are those of finite differences, and there are none where a part has none', () => {
  for (const name of ['a=0.7,b=0.3,c=-2', 'min(a,b,c)', 'product(a,b,c)', 'lower(a,b,c; k=2)']) {
    using _scope = tensorScope()
    const reward = composed(name)
    const pixels = rand([2, 3, 1, 1], new Generator(3)).requireGrad()
    const found = gradients([reward.scoreWithGradient!(pixels, ['', '']).sum()], [pixels])
    const at = pixels.detach().toArray()
    const step = 1e-2
    const valueAt = (place: number, by: number) =>
      reward
        .score(
          tensor(
            at.map((one, i) => (i === place ? one + by : one)),
            [2, 3, 1, 1],
          ),
          ['', ''],
        )
        .sum()
        .item()
    const expected = at.map((_, i) => (valueAt(i, step) - valueAt(i, -step)) / (2 * step))
    assertClose(found[0]!.flatten().toArray(), expected, 5e-3)
  }
  const { scoreWithGradient: _none, ...blind } = channel(1)
  assert.equal(composed('a=1,b=1', [rewards[0], blind]).scoreWithGradient, undefined)
})

test('parts that agree make no gradient of a lower bound that is not finite', () => {
  using _scope = tensorScope()
  const same = composedReward('lower(a,b)', compositionOf('lower(a,b)')!, [
    { reward: rewards[0], normal: normals[0] },
    { reward: { ...rewards[0], name: 'again' }, normal: normals[0] },
  ])
  const pixels = full([1, 3, 1, 1], 0.5).requireGrad()
  const found = gradients([same.scoreWithGradient!(pixels, [''])], [pixels])
  assertClose(found[0]!.flatten().toArray(), [2, 0, 0], 1e-5)
})

test('embeddings have unit length, features stand side by side, and nothing stays behind', () => {
  using _scope = tensorScope()
  const reward = composed('a=1,b=1,c=1')
  const before = livingTensors()
  {
    using _inner = tensorScope()
    const pixels = tensor([1, -1, 1], [1, 3, 1, 1])
    assertClose([reward.embedImages(pixels).square().sum().item()], [1], 1e-6)
    assert.deepEqual(reward.features(pixels, ['']).toArray(), [1, -1, 1])
    reward.score(pixels, [''])
  }
  assert.equal(livingTensors(), before)
})

test('it compares images of one prompt only where a part does', () => {
  const pairwise = channel(1, { isWithinPrompt: true })
  assert.equal(composed('a=1,b=1', [rewards[0], pairwise]).isWithinPrompt, true)
  assert.equal(composed('a=1,b=1').isWithinPrompt, undefined)
})

test('its SHA-256 is of parts, weights and scale, and tells what it has in common with others', () => {
  const [sum, other, least] = ['a=1,b=1', 'a=1,b=2', 'min(b,c)'].map((name) => composed(name))
  assert.equal(new Set([sum, other, least].map(({ sha256 }) => sha256)).size, 3)
  assert.ok(sharesPart(sum.sha256, other.sha256) && sharesPart(sum.sha256, 'channel 0') && sharesPart('x', 'x'))
  const [left, right] = [composed('a=1,b=1'), composed('a=1,b=1', [channel(2), channel(3 as 2)])]
  assert.ok(!sharesPart(left.sha256, right.sha256) && !sharesPart(left.sha256, 'channel 2') && !sharesPart('x', 'y'))
  const nested = composed('a=1,b=1', [sum, channel(2)])
  assert.ok(sharesPart(nested.sha256, 'channel 1') && !sharesPart(nested.sha256, 'channel 3'))
})
