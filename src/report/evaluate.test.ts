import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ShapeError, VocabularyError } from '../errors.ts'
import type { Picture } from '../images/png.ts'
import type { Prompt } from '../records.ts'
import type { Reward } from '../reward/reward.ts'
import { useThreads } from '../tensor/library.ts'
import { livingTensors } from '../tensor/scope.ts'
import { pickBest, readDrawn, writeDrawn, type DrawnImages, type EvaluationPlan } from './draw.ts'
import { alignmentDifference, comparePolicy, judgePolicy, splitReport, type WorldJudge } from './evaluate.ts'

useThreads(1)

/** A world of 2 x 2 pictures: red 200 and more is "red", blue 255 is not clean. */
const picture = (red: number, blue = 0): Picture => ({
  bytes: new Uint8Array(Array.from({ length: 4 }, () => [red, 10, blue]).flat()),
  width: 2,
  height: 2,
})
const judge: WorldJudge = {
  read(one) {
    const clean = one.bytes[2] !== 255
    const color = one.bytes[0] >= 200 ? 'red' : 'green'
    return { clean, isAligned: (attributes) => clean && attributes.color === color, twin: () => one }
  },
  features: (pixels) => pixels.flatten(2).mean(2),
}
const prompt = (color: string, category: Prompt['category'], split: 'seen' | 'unseen') => ({
  id: `${color}-${split}`,
  text: `${color} ${split}`,
  category,
  attributes: { color },
  split,
})
const plan: EvaluationPlan = {
  prompts: [prompt('red', 'color', 'seen'), prompt('green', 'combination', 'seen'), prompt('red', 'color', 'unseen')],
  imagesPerPrompt: 4,
  seed: 3,
  sampling: { steps: 2, eta: 1, guidance: 1 },
  sampler: 'ddim',
  klRollouts: 4,
}
const drawn = (reds: readonly number[], blue: readonly number[] = []): DrawnImages => ({
  pictures: reds.map((red, i) => picture(red, blue[i] ?? 0)),
  rewards: reds.map((red) => red / 255),
})
const base = drawn([220, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 255])
const better = drawn([220, 230, 240, 0, 0, 0, 0, 0, 0, 0, 255, 255])

test('alignment, differences and categories are what one counts by hand', () => {
  const before = livingTensors()
  const [theirs, ours] = [judgePolicy(plan, base, judge), judgePolicy(plan, better, judge)]
  assert.deepEqual(theirs.aligned, [
    [1, 0, 0, 0],
    [0, 1, 1, 0],
    [0, 0, 0, 0],
  ])
  assert.equal(theirs.validShare, 11 / 12)
  assert.equal(ours.validShare, 1)
  const seen = splitReport(plan, 'seen', ours, theirs)
  assert.equal(seen.n, 8)
  assert.equal(seen.alignment.mean, (0.75 + 1) / 2)
  assert.equal(seen.differenceToBase.mean, (0.5 + 0.5) / 2)
  assert.deepEqual(Object.keys(seen.byCategory), ['color', 'combination'])
  assert.equal(seen.byCategory.color?.n, 4)
  assert.equal(seen.byCategory.color?.mean, 0.75)
  const unseen = splitReport(plan, 'unseen', ours, theirs)
  assert.deepEqual([unseen.n, unseen.alignment.mean, unseen.differenceToBase.mean], [4, 0.5, 0.5])
  assert.deepEqual(splitReport(plan, 'seen', theirs, theirs).differenceToBase, { mean: 0, low: 0, high: 0 })
  assert.equal(alignmentDifference(plan, 'seen', theirs, ours).mean, -0.5)
  assert.ok(livingTensors() <= before)
})

test('images that equal their twins are at distance zero; equal images have no diversity', () => {
  const same = drawn(new Array<number>(12).fill(100))
  const found = judgePolicy(plan, same, judge)
  assert.ok(found.frechet.mean < 1e-9)
  assert.equal(found.diversity.mean, 0)
  const shifted: WorldJudge = {
    ...judge,
    read: (one) => ({ ...judge.read(one), twin: () => picture(one.bytes[0] + 51) }),
  }
  // 51 of 255 levels are 0.4 in [-1, 1], in one of three channels
  assert.ok(Math.abs(judgePolicy(plan, same, shifted).frechet.mean - 0.16) < 1e-6)
  // one of four images is 2 · 220/255 away from three equal ones: half of the pairs
  const { diversity } = judgePolicy({ ...plan, prompts: plan.prompts.slice(0, 1) }, firstPrompt(base, 8), judge)
  assert.ok(Math.abs(diversity.mean - (2 * 220) / 255 / 2) < 1e-6, `${diversity.mean}`)
})

/** The first four images, and repeats of them as images of no prompt, enough for the subsets. */
const firstPrompt = ({ pictures, rewards }: DrawnImages, count: number): DrawnImages => ({
  pictures: Array.from({ length: count }, (_, i) => pictures[i % 4]),
  rewards: Array.from({ length: count }, (_, i) => rewards[i % 4]),
})

/** Likes red; a red of 255 is 1. Its features are the mean colour. */
const scorer: Reward = {
  name: 'red',
  sha256: '',
  range: undefined,
  score: (pixels) => pixels.select(1, 0).flatten(1).mean(1).add(1).div(2),
  features: (pixels) => pixels.flatten(2).mean(2),
  embedImages: (pixels) => pixels.flatten(2).mean(2),
}

test('against the base image by image: a win is 1, a tie one half, a loss 0', () => {
  const before = livingTensors()
  const comparands = { base, reference: base.pictures, scorer }
  const theirs = comparePolicy(plan, base, comparands)
  const ours = comparePolicy(plan, better, comparands)
  assert.deepEqual(
    theirs.aligned,
    plan.prompts.map(() => [0.5, 0.5, 0.5, 0.5]),
  )
  assert.deepEqual(ours.aligned, [
    [0.5, 1, 1, 0.5],
    [0, 0.5, 0.5, 0.5],
    [0.5, 0.5, 1, 1],
  ])
  assert.deepEqual([ours.measuredBy, ours.validShare, ours.rewards[2][3]], ['reward', null, 1])
  const seen = splitReport(plan, 'seen', ours, theirs)
  assert.deepEqual([seen.measuredBy, seen.n], ['reward', 8])
  assert.equal(seen.alignment.mean, (0.75 + 0.375) / 2)
  assert.equal(seen.differenceToBase.mean, (0.25 - 0.125) / 2)
  assert.equal(seen.byCategory.color?.mean, 0.75)
  const self = splitReport(plan, 'seen', theirs, theirs)
  assert.deepEqual(self.alignment, { mean: 0.5, low: 0.5, high: 0.5 })
  assert.deepEqual(self.differenceToBase, { mean: 0, low: 0, high: 0 })
  assert.ok(livingTensors() <= before)
})

test('fidelity and diversity lie in the features of the scorer, ten times as long', () => {
  const same = drawn(new Array<number>(12).fill(100))
  const shifted = drawn(new Array<number>(12).fill(151))
  const comparands = { base: same, reference: same.pictures, scorer }
  assert.ok(comparePolicy(plan, same, comparands).frechet.mean < 1e-9)
  assert.ok(comparePolicy(plan, base, { ...comparands, reference: base.pictures }).frechet.mean < 1e-9)
  // 51 of 255 levels are 0.4 in [-1, 1], ten times that is 4, squared 16
  assert.ok(Math.abs(comparePolicy(plan, shifted, comparands).frechet.mean - 16) < 1e-4)
  assert.equal(comparePolicy(plan, shifted, comparands).diversity.mean, 0)
  // fewer reference images than two a subset
  assert.throws(() => comparePolicy(plan, same, { ...comparands, reference: same.pictures.slice(0, 7) }), ShapeError)
})

test('prompts of free text have no category', () => {
  const free = { ...plan, prompts: plan.prompts.map((one) => ({ ...one, category: 'other' as const })) }
  const found = comparePolicy(free, better, { base, reference: base.pictures, scorer })
  assert.deepEqual(splitReport(free, 'seen', found, found).byCategory, {})
})

test('free text cannot be judged, and is told before anything is measured', () => {
  const free = { ...plan, prompts: [{ ...plan.prompts[0], attributes: undefined }, ...plan.prompts.slice(1)] }
  assert.throws(() => judgePolicy(free, base, judge), VocabularyError)
})

test('best-of-n keeps the image with the highest reward, the earliest among equals', () => {
  const second = { ...better, rewards: better.rewards.map((reward, i) => (i === 0 ? base.rewards[0] : reward)) }
  const best = pickBest([base, second])
  assert.equal(best.pictures[0], base.pictures[0])
  assert.equal(best.pictures[4], base.pictures[4])
  assert.equal(best.pictures[10], better.pictures[10])
  assert.equal(best.rewards[10], 1)
})

test('drawn images are read back as they were', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-'))
  try {
    const file = join(folder, 'base.safetensors')
    writeDrawn(file, base)
    assert.deepEqual(readDrawn(file), base)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
