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
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { pickBest, readDrawn, writeDrawn, type DrawnImages, type EvaluationPlan } from './draw.ts'
import { comparePolicy, evaluatedSet, judgePolicy, type Comparands, type WorldJudge } from './evaluate.ts'
import { diversity } from './measures/diversity.ts'
import { frechet } from './measures/frechet.ts'
import { kl } from './measures/kl.ts'
import { valueOf } from './measures/value-of.ts'
import { comparisons, lacks, policyReport } from './policy-report.ts'

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
  render: ({ color }) => picture(color === 'red' ? 220 : 30),
  space: { network: 'mean colours', resize: 'not resized' },
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

const judgedSet = (name: string, images: DrawnImages, by = judge, of = plan) =>
  evaluatedSet(of, { name }, images, judgePolicy(of, images, by))
const comparedSet = (name: string, images: DrawnImages, comparands: Comparands, of = plan) =>
  evaluatedSet(of, { name }, images, comparePolicy(of, images, comparands))

test('alignment, differences and categories are what one counts by hand', () => {
  const before = livingTensors()
  {
    using _scope = tensorScope()
    const [theirs, ours] = [judgedSet('base', base), judgedSet('ours', better)]
    assert.deepEqual(theirs.aligned, [
      [1, 0, 0, 0],
      [0, 1, 1, 0],
      [0, 0, 0, 0],
    ])
    const [report, own] = [policyReport(ours, theirs), policyReport(theirs, theirs)]
    assert.equal(own.fidelity.validShare, 11 / 12)
    assert.equal(report.fidelity.validShare, 1)
    assert.deepEqual(report.measures!['valid-share'], { mean: 1, low: 1, high: 1 })
    const clean = own.measures!['valid-share']
    assert.ok(Math.abs(clean.mean - 11 / 12) < 1e-12 && clean.low < clean.mean && clean.high === 1)
    const { seen, unseen } = report
    assert.equal(seen.n, 8)
    assert.equal(seen.alignment.mean, (0.75 + 1) / 2)
    assert.equal(seen.differenceToBase.mean, (0.5 + 0.5) / 2)
    assert.deepEqual(Object.keys(seen.byCategory), ['color', 'combination'])
    assert.equal(seen.byCategory.color?.n, 4)
    assert.equal(seen.byCategory.color?.mean, 0.75)
    assert.deepEqual([unseen.n, unseen.alignment.mean, unseen.differenceToBase.mean], [4, 0.5, 0.5])
    assert.deepEqual(own.seen.differenceToBase, { mean: 0, low: 0, high: 0 })
    assert.deepEqual(
      comparisons([theirs, { ...theirs, name: 'first' }, { ...ours, name: 'second' }]).map((row) => [
        `${row.policy} ${row.against} ${row.split}`,
        row.difference.mean,
      ]),
      [
        ['second first seen', 0.5],
        ['second first unseen', 0.5],
      ],
    )
  }
  assert.ok(livingTensors() <= before)
})

test('every policy is compared with every other but the base, the last ones first', () => {
  using _scope = tensorScope()
  const set = judgedSet('base', base)
  const names = ['base', 'best-of-n', 'a', 'b', 'c']
  const pairs = comparisons(names.map((name) => ({ ...set, name }))).filter(({ split }) => split === 'seen')
  assert.deepEqual(
    pairs.map(({ policy, against }) => `${policy} ${against}`),
    ['c b', 'c a', 'c best-of-n', 'b a', 'b best-of-n', 'a best-of-n'],
  )
})

test('images that equal their twins are at distance zero; equal images have no diversity', () => {
  using _scope = tensorScope()
  const same = drawn(new Array<number>(12).fill(100))
  const found = judgedSet('same', same)
  assert.ok(frechet.of(found).mean < 1e-9)
  assert.equal(diversity.of(found).mean, 0)
  const shifted: WorldJudge = {
    ...judge,
    read: (one) => ({ ...judge.read(one), twin: () => picture(one.bytes[0] + 51) }),
  }
  // 51 of 255 levels are 0.4 in [-1, 1], in one of three channels
  assert.ok(Math.abs(frechet.of(judgedSet('same', same, shifted)).mean - 0.16) < 1e-6)
  // one of four images is 2 · 220/255 away from three equal ones: half of the pairs
  const one = { ...plan, prompts: plan.prompts.slice(0, 1) }
  const { mean } = diversity.of(judgedSet('one', firstPrompt(base, 4), judge, one))
  assert.ok(Math.abs(mean - (2 * 220) / 255 / 2) < 1e-6, `${mean}`)
})

test('of too few images some measures say why they cannot be taken, and the others are finite', () => {
  using _scope = tensorScope()
  const few = { ...plan, prompts: plan.prompts.slice(0, 1) }
  const set = judgedSet('base', firstPrompt(base, 4), judge, few)
  assert.deepEqual(Object.keys(lacks([set])), ['precision', 'density', 'recall', 'coverage'])
  const whole = judgedSet('base', base)
  assert.deepEqual(lacks([whole]), {})
  const { measures } = policyReport(whole, whole)
  assert.deepEqual(Object.keys(measures!), [
    'kernel-distance',
    'precision',
    'density',
    'valid-share',
    'recall',
    'coverage',
    'vendi-within',
    'vendi-overall',
  ])
  for (const [name, { mean, low, high }] of Object.entries(measures!))
    assert.ok(low <= mean && mean <= high && Number.isFinite(high - low), name)
})

test('where no step has noise a trained policy has no KL, and it is not called 0', () => {
  using _scope = tensorScope()
  const [own, trained] = [judgedSet('base', base), judgedSet('dpok', better)]
  assert.match(lacks([own, trained]).kl, /no step of the sampler has noise/)
  const found = policyReport(trained, own)
  assert.equal(found.klNats.of, 'none')
  const cost = { imagesDrawn: 0, updates: 0, seconds: 0 }
  assert.equal(valueOf({ ...found, ...cost }, kl), undefined)
  assert.deepEqual(valueOf({ ...policyReport(own, own), ...cost }, kl), { mean: 0, low: 0, high: 0 })
})

const firstPrompt = ({ pictures, rewards }: DrawnImages, count: number): DrawnImages => ({
  pictures: pictures.slice(0, count),
  rewards: rewards.slice(0, count),
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
  {
    using _scope = tensorScope()
    const comparands = { base, reference: base.pictures, scorer }
    const theirs = comparedSet('base', base, comparands)
    const ours = comparedSet('ours', better, comparands)
    assert.deepEqual(
      theirs.aligned,
      plan.prompts.map(() => [0.5, 0.5, 0.5, 0.5]),
    )
    assert.deepEqual(ours.aligned, [
      [0.5, 1, 1, 0.5],
      [0, 0.5, 0.5, 0.5],
      [0.5, 0.5, 1, 1],
    ])
    assert.deepEqual([ours.measuredBy, ours.clean, ours.rewards[2][3]], ['reward', null, 1])
    const [report, own] = [policyReport(ours, theirs), policyReport(theirs, theirs)]
    assert.deepEqual([report.fidelity.validShare, 'valid-share' in report.measures!], [null, false])
    const { seen } = report
    assert.deepEqual([seen.measuredBy, seen.n], ['reward', 8])
    assert.equal(seen.alignment.mean, (0.75 + 0.375) / 2)
    assert.equal(seen.differenceToBase.mean, (0.25 - 0.125) / 2)
    assert.equal(seen.byCategory.color?.mean, 0.75)
    assert.deepEqual(own.seen.alignment, { mean: 0.5, low: 0.5, high: 0.5 })
    assert.deepEqual(own.seen.differenceToBase, { mean: 0, low: 0, high: 0 })
  }
  assert.ok(livingTensors() <= before)
})

test('fidelity and diversity lie in the features of the scorer, ten times as long', () => {
  using _scope = tensorScope()
  const same = drawn(new Array<number>(12).fill(100))
  const shifted = drawn(new Array<number>(12).fill(151))
  const comparands = { base: same, reference: same.pictures, scorer }
  assert.ok(frechet.of(comparedSet('same', same, comparands)).mean < 1e-9)
  assert.ok(frechet.of(comparedSet('base', base, { ...comparands, reference: base.pictures })).mean < 1e-9)
  // 51 of 255 levels are 0.4 in [-1, 1], ten times that is 4, squared 16
  assert.ok(Math.abs(frechet.of(comparedSet('shifted', shifted, comparands)).mean - 16) < 1e-4)
  assert.equal(diversity.of(comparedSet('shifted', shifted, comparands)).mean, 0)
  // fewer reference images than two a subset
  const few = { ...comparands, reference: same.pictures.slice(0, 7) }
  assert.throws(() => frechet.of(comparedSet('same', same, few)), ShapeError)
})

test('prompts of free text have no category', () => {
  const free = { ...plan, prompts: plan.prompts.map((one) => ({ ...one, category: 'other' as const })) }
  using _scope = tensorScope()
  const found = comparedSet('free', better, { base, reference: base.pictures, scorer }, free)
  assert.deepEqual(policyReport(found, found).seen.byCategory, {})
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
