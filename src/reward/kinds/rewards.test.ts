/** What every reward does, whatever it is made of. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { z } from 'zod'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { modelFields, type Open } from '../../images/open-model.ts'
import { writeTinyImageReward } from '../../networks/blip/tiny-image-reward.test-helper.ts'
import { fixtures } from '../../networks/clip/fixture.test-helper.ts'
import { gradients } from '../../tensor/autograd.ts'
import { cat, rand, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { judgedStore } from '../examples/judged-store.test-helper.ts'
import { describeComposed, writeComposed } from '../composition/composed-file.ts'
import { compositionOf } from '../composition/composition.ts'
import { openReward } from '../open-reward.ts'
import { headKinds } from '../heads/reward-head.ts'
import { RewardTrainConfig } from '../training/reward-train-config.ts'
import { trainReward } from '../training/train-reward.ts'
import { rewardKinds } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-rewards-'))
after(() => rmSync(folder, { recursive: true }))
const clip = join(folder, 'clip')
cpSync(join(fixtures, 'clip'), clip, { recursive: true })
const unopened: Open = () => assert.fail('the model is not needed')
const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })

/** Every kind of reward, ready to be opened by its name. */
const kinds: Record<string, () => Promise<{ name: string; encoder?: string }>> = {
  'a CLIPModel': () => Promise.resolve({ name: clip }),
  ImageReward: () => Promise.resolve({ name: writeTinyImageReward(join(folder, 'image-reward')) }),
  'an aesthetic head, linear': () =>
    Promise.resolve({ name: join(fixtures, 'aesthetic-linear.safetensors'), encoder: clip }),
  'an aesthetic head, mlp': () => Promise.resolve({ name: join(fixtures, 'aesthetic-mlp.safetensors'), encoder: clip }),
  ...Object.fromEntries(
    headKinds.map((head) => [
      `a trained reward, ${head}`,
      async () => {
        const feedback = await judgedStore(join(folder, `store-${head}`), ['a red ball', 'a blue ball', 'white'])
        const out = join(folder, `run-${head}`)
        const settings = { feedback, encoder: clip, head, epochs: 2, heldOut: 0, threads: 1, device: 'cpu' }
        await trainReward(RewardTrainConfig.parse({ ...settings, out }), unopened)
        return { name: out }
      },
    ]),
  ),
  'a composition, by its file': async () => {
    const names = [clip, 'brightness']
    const rewards = await Promise.all(names.map((name) => openReward(name, config, unopened)))
    const parts = rewards.map((reward) => ({ reward, normal: { mean: 0.1, deviation: 0.5 } }))
    const file = join(folder, 'composed-reward.json')
    const composition = compositionOf(`${names[0]}=0.7,${names[1]}=0.3`)!
    writeComposed(file, describeComposed('both', composition, parts, 'none'))
    return { name: file }
  },
  ...Object.fromEntries(
    rewardKinds
      .flatMap(({ names = [] }) => names)
      .map((name) => [name, () => Promise.resolve({ name, ...(name === 'clip-score' && { encoder: clip }) })]),
  ),
}

const texts = ['a red apple on a table', 'two dogs', '', 'a red apple on a table', 'A blue ball!']
const images = (count: number, height = 40, width = 48) =>
  rand([count, 3, height, width], new Generator(count * height + width))
    .mul(2)
    .sub(1)
const rows = (index: readonly number[]) => tensor(index, [index.length], 'int64')

/** d(score)/d(pixels) at these pixels. */
function gradientOf(score: (pixels: Tensor) => Tensor, at: Tensor): Tensor {
  const pixels = at.detach().clone().requireGrad()
  return gradients([score(pixels)], [pixels])[0]!
}

for (const [kind, ready] of Object.entries(kinds)) {
  describe(kind, async () => {
    const { name, encoder = null } = await ready()
    const reward = await openReward(name, { ...config, encoder }, unopened)
    const withGradient = { skip: reward.scoreWithGradient === undefined && 'it has none' }

    it('has its name and finite scores within its range', () => {
      using _scope = tensorScope()
      assert.equal(reward.name, name)
      const [low, high] = reward.range ?? [-Infinity, Infinity]
      for (const score of reward.score(images(5), texts).toArray()) {
        assert.ok(Number.isFinite(score) && score >= low && score <= high, `${score}`)
      }
    })

    it('gives one score and one row of features an image, on the CPU in float32', () => {
      using _scope = tensorScope()
      const [, width] = reward.features(images(1), ['x']).shape
      for (const [count, height, side] of [
        [1, 16, 16],
        [3, 40, 48],
        [5, 64, 24],
      ]) {
        const pixels = images(count, height, side)
        const own = texts.slice(0, count)
        const [scores, features] = [reward.score(pixels, own), reward.features(pixels, own)]
        assert.deepEqual([scores.shape, features.shape], [[count], [count, width]])
        const embedded = reward.embedImages(pixels)
        assert.equal(embedded.shape[0], count)
        assertClose(embedded.square().sum(1).toArray(), new Array<number>(count).fill(1), 1e-5)
        for (const each of [scores, features, embedded]) assert.deepEqual([each.device, each.dtype], ['cpu', 'float32'])
      }
      assert.ok(width <= 2048)
    })

    it('gives an image the same score alone, in a batch and in another order', () => {
      using _scope = tensorScope()
      const pixels = images(5)
      for (const part of ['score', 'features'] as const) {
        const together = reward[part](pixels, texts)
        const alone = texts.map((text, i) => reward[part](pixels.slice(0, i, i + 1), [text]))
        assertClose(cat(alone).flatten().toArray(), together.flatten().toArray(), 1e-5)
        const order = [3, 0, 4, 2, 1]
        const reordered = reward[part](
          pixels.indexSelect(0, rows(order)),
          order.map((i) => texts[i]),
        )
        assertClose(reordered.flatten().toArray(), together.indexSelect(0, rows(order)).flatten().toArray(), 1e-5)
      }
    })

    it('gives the same numbers again, to the bit', () => {
      using _scope = tensorScope()
      const pixels = images(3)
      const again = () => [reward.score(pixels, texts.slice(0, 3)), reward.features(pixels, texts.slice(0, 3))]
      const [first, second] = [again(), again()].map((pair) => pair.map((each) => each.toArray()))
      assert.deepEqual(first, second)
    })

    it('looks at the image, and lets a value function know the prompt', () => {
      using _scope = tensorScope()
      const pixels = images(2)
      const [one, other] = reward.score(pixels, ['two dogs', 'two dogs']).toArray()
      assert.notEqual(one, other)
      const [image, width] = [pixels.slice(0, 0, 1), reward.features(pixels, ['x', 'y']).shape[1]]
      const features = reward.features(cat([image, image]), ['two dogs', 'a cat']).toArray()
      assert.notDeepEqual(features.slice(0, width), features.slice(width))
    })

    it('has the gradient of its score with respect to the pixels', withGradient, () => {
      using _scope = tensorScope()
      const pixels = images(5)
      const score = (of: Tensor) => reward.scoreWithGradient!(of, texts).sum()
      const gradient = gradientOf(score, pixels)
      const length = gradient.norm().item()
      assert.ok(length > 0)
      const along = gradient
        .div(length)
        .add(images(5).div(images(5).norm()))
        .mul(0.1)
      const slope =
        score(pixels.add(along))
          .sub(score(pixels.sub(along)))
          .item() / 2
      assertClose([slope], [gradient.mul(along).sum().item()], 0.02)
    })

    it('scores with a graph as without one, but for the rounding to 8 bits', withGradient, () => {
      using _scope = tensorScope()
      for (const [count, height, width] of [
        [5, 40, 48],
        [3, 16, 16],
        [3, 64, 24],
      ]) {
        const pixels = images(count, height, width)
        const own = texts.slice(0, count)
        const plain = reward.score(pixels, own)
        const smooth = reward.scoreWithGradient!(pixels, own)
        assert.deepEqual([smooth.shape, smooth.device, smooth.dtype], [plain.shape, 'cpu', 'float32'])
        // Half a level of 255 after each of three passes, against the score's change with pixels.
        const gradient = gradientOf((of) => reward.scoreWithGradient!(of, own).sum(), pixels)
        const slopes = gradient.abs().flatten(1).sum(1).toArray()
        const differences = smooth.sub(plain).abs().toArray()
        differences.forEach((far, i) => assert.ok(far <= (3 / 255) * slopes[i], `${far} of ${slopes[i]}`))
      }
    })

    it('rises by a few steps along the gradient', withGradient, () => {
      using _scope = tensorScope()
      let pixels = images(5).mul(0.8)
      const before = reward.score(pixels, texts).toArray()
      for (let step = 0; step < 5; step++) {
        const gradient = gradientOf((of) => reward.scoreWithGradient!(of, texts).sum(), pixels).flatten(1)
        const sizes = gradient.square().sum(1, true).sqrt()
        pixels = pixels
          .add(
            gradient
              .div(sizes)
              .mul(2)
              .reshape(...pixels.shape),
          )
          .clamp(-1, 1)
      }
      const after = reward.score(pixels, texts).toArray()
      after.forEach((score, i) => assert.ok(score > before[i], `image ${i}: ${before[i]} → ${score}`))
    })

    it('leaves no tensors behind but the texts that it remembers', () => {
      const use = () => {
        using _scope = tensorScope()
        const pixels = images(5)
        reward.score(pixels, texts)
        reward.features(pixels, texts)
        reward.embedImages(pixels)
        if (!withGradient.skip) gradientOf((of) => reward.scoreWithGradient!(of, texts).sum(), pixels)
      }
      use()
      const before = livingTensors()
      use()
      assert.ok(livingTensors() <= before)
    })
  })
}
