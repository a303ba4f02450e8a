/** No two streams of random numbers have one path, but for those that are listed here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as streams from './streams.ts'
import type { StreamPath } from './streams.ts'

/** What a part of a path may be: of these a whole number of less than 2³², or one that a name or an id makes. */
const number = -1
const hash = -2
/** A seed that is made of another stream; one of each is another number. */
const madeOf = (stream: number) => -100 - stream
const [ofReport, ofIntervals, ofMember, ofRater, ofWeights, , ofProbes, ofBase] = [0, 1, 2, 3, 4, 5, 6, 7].map(madeOf)

/** What is made of a path: numbers by `random`, noise by a tensor generator, a seed of further paths, or one number. */
type Use = 'random' | 'noise' | 'seed' | 'lot'

const { policyStreams, trainingImageStreams, rewardStreams, reportStreams } = streams
const { queueStreams, studioStreams, shapesStreams, studyStreams } = streams
const later = (path: StreamPath) => streams.stageNoise(path, 'decoder')

const all: Record<string, readonly [use: Use, ...paths: (readonly number[])[]]> = {
  imageNoise: [
    'noise',
    streams.imageNoise(number, number),
    streams.imageNoise(ofReport, number),
    streams.imageNoise(ofProbes, number),
    streams.imageNoise(ofBase, number),
  ],
  stageNoise: [
    'noise',
    later(streams.imageNoise(number, number)),
    later(policyStreams.rollout(number, number, number)),
    later(policyStreams.groupStart(number, number, number)),
    later(reportStreams.kl(number, number)),
  ],
  parameterWeights: ['noise', streams.parameterWeights(ofWeights, hash)],
  resamples: ['random', streams.resamples(number), streams.resamples(ofIntervals)],
  'policyStreams.choices': ['random', policyStreams.choices(number, number)],
  'policyStreams.rollout': ['noise', policyStreams.rollout(number, number, number)],
  'policyStreams.groupStart': ['noise', policyStreams.groupStart(number, number, number)],
  'policyStreams.valueWeights': ['seed', policyStreams.valueWeights(number)],
  'policyStreams.valueRows': ['random', policyStreams.valueRows(number, number)],
  'policyStreams.generatedNoise': ['noise', policyStreams.generatedNoise(number, number)],
  'policyStreams.pretrainingNoise': ['noise', policyStreams.pretrainingNoise(number, number)],
  'policyStreams.forwardNoise': ['noise', policyStreams.forwardNoise(number, number, number)],
  'policyStreams.renoising': ['noise', policyStreams.renoising(number, number, number, number)],
  'policyStreams.roundPrompts': ['random', policyStreams.roundPrompts(number, number)],
  'policyStreams.adapter': ['noise', policyStreams.adapter(number, number)],
  'policyStreams.heldOutPrompts': ['random', policyStreams.heldOutPrompts(number)],
  'policyStreams.heldOutNoise': ['noise', policyStreams.heldOutNoise(number)],
  'policyStreams.probes': ['seed', policyStreams.probes(number, number)],
  'trainingImageStreams.choice': ['random', trainingImageStreams.choice(number)],
  'trainingImageStreams.crop': ['random', trainingImageStreams.crop(number, number)],
  'trainingImageStreams.order': ['random', trainingImageStreams.order(number, number)],
  'rewardStreams.heldOut': ['random', rewardStreams.heldOut(number, number), rewardStreams.heldOut(madeOf(9), number)],
  'rewardStreams.distractors': ['random', rewardStreams.distractors(number, number)],
  'rewardStreams.head': ['seed', rewardStreams.head(number), rewardStreams.head(ofMember)],
  'rewardStreams.examples': ['random', rewardStreams.examples(number), rewardStreams.examples(ofMember)],
  'rewardStreams.interval': ['random', rewardStreams.interval(number)],
  'rewardStreams.memberPrompts': ['seed', rewardStreams.memberPrompts(number, number)],
  'rewardStreams.member': ['seed', rewardStreams.member(number, number)],
  'rewardStreams.folds': ['random', rewardStreams.folds(number)],
  'rewardStreams.baseImages': ['seed', rewardStreams.baseImages()],
  'rewardStreams.encoderSplit': ['seed', rewardStreams.encoderSplit(number)],
  'rewardStreams.encoderAdapter': ['seed', rewardStreams.encoderAdapter(number, number)],
  'rewardStreams.encoderPairs': ['random', rewardStreams.encoderPairs(number, number)],
  'rewardStreams.memberDraw': ['random', rewardStreams.memberDraw(madeOf(5), number)],
  'reportStreams.images': ['seed', reportStreams.images(number, number)],
  'reportStreams.kl': ['noise', reportStreams.kl(number, number)],
  'reportStreams.twin': ['random', reportStreams.twin(number, number)],
  'reportStreams.wanted': ['random', reportStreams.wanted(number, number)],
  'reportStreams.intervals': ['seed', reportStreams.intervals(number)],
  'queueStreams.rater': ['seed', queueStreams.rater(number, hash)],
  'queueStreams.task': ['random', queueStreams.task(ofRater, number, number)],
  'queueStreams.imageLot': ['lot', queueStreams.imageLot(ofRater, hash)],
  'queueStreams.promptLot': ['lot', queueStreams.promptLot(ofRater, number)],
  'queueStreams.overlap': ['lot', queueStreams.overlap(number, [hash]), queueStreams.overlap(number, [hash, hash])],
  'studioStreams.comparison': ['random', studioStreams.comparison(number)],
  'studioStreams.round': ['random', studioStreams.round(number)],
  'shapesStreams.pretrainingScene': ['random', shapesStreams.pretrainingScene(number)],
  'shapesStreams.heldOutScene': ['random', shapesStreams.heldOutScene(number)],
  'shapesStreams.combinations': ['random', shapesStreams.combinations()],
  'shapesStreams.answer': ['random', shapesStreams.answer(number, hash, hash)],
  'shapesStreams.generatorWeights': ['seed', shapesStreams.generatorWeights(number)],
  'shapesStreams.clipWeights': ['seed', shapesStreams.clipWeights(number)],
  'shapesStreams.featureWeights': ['seed', shapesStreams.featureWeights(number)],
  'shapesStreams.generatorNoise': ['noise', shapesStreams.generatorNoise(number, number)],
  'shapesStreams.droppedCaptions': ['random', shapesStreams.droppedCaptions(number, number)],
  'shapesStreams.clipNoise': ['noise', shapesStreams.clipNoise(number, number)],
  'shapesStreams.featureNoise': ['noise', shapesStreams.featureNoise(number, number)],
  'studyStreams.heldOut': ['random', studyStreams.heldOut(number)],
  'studyStreams.labels': ['random', studyStreams.labels(number)],
  'studyStreams.errors': ['random', studyStreams.errors(number)],
}

/**
 * Of stages that happen to have the same seed. They draw the same numbers, for other purposes and from other lists; other
 * paths would change what all seeds give.
 */
const known = [
  // a training of a policy and one of a reward, of the same seed
  'policyStreams.choices = rewardStreams.heldOut',
  'policyStreams.valueRows = rewardStreams.distractors',
  // one with images of a user's own, and the pre-training of the embedded model
  'shapesStreams.droppedCaptions = trainingImageStreams.order',
  // scenes by their number, and what the seed 1 or 2 draws
  ...['pretrainingScene', 'heldOutScene'].flatMap((scenes) =>
    [
      'rewardStreams.examples',
      'rewardStreams.folds',
      'rewardStreams.interval',
      'studioStreams.comparison',
      'studioStreams.round',
      'trainingImageStreams.choice',
    ].map((other) => [`shapesStreams.${scenes}`, other].sort().join(' = ')),
  ),
]

const mayBeOne = (a: number, b: number): boolean => {
  if (a === b) return true
  const [low, high] = a < b ? [a, b] : [b, a]
  return low === number && high >= 0 && high < 2 ** 32
}
const mayBeSame = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((part, place) => mayBeOne(part, b[place]))

test('all streams are looked at', () => {
  const names = Object.entries(streams).flatMap(([name, one]) =>
    typeof one === 'function' ? [name] : Object.keys(one).map((inner) => `${name}.${inner}`),
  )
  assert.deepEqual(names.sort(), Object.keys(all).sort())
})

test('two streams have other paths, but for those that are known', () => {
  const names = Object.keys(all).sort()
  const shared = names.flatMap((one, place) =>
    names.slice(place + 1).flatMap((other) => {
      const [use, ...paths] = all[one]
      const [otherUse, ...otherPaths] = all[other]
      const same = use === otherUse && paths.some((path) => otherPaths.some((further) => mayBeSame(path, further)))
      return same ? [`${one} = ${other}`] : []
    }),
  )
  assert.deepEqual(shared.sort(), known.sort())
})

test('a stage of a model has noise of its own', () => {
  const image = streams.imageNoise(3, 4)
  assert.deepEqual(later(image).slice(0, 2), image)
  assert.notDeepEqual(later(image), streams.stageNoise(image, 'upscaler'))
  assert.ok(later(image)[2] > 2 ** 32)
})
