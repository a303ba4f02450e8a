import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stages } from '../../stages.ts'
import { productOf } from '../work.ts'
import { estimateOf } from './estimate.ts'

const run = (
  name: string,
  stage: string,
  seconds: number,
  results: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>> = {},
) => ({ name, config, manifest: { stage, seconds, results } })
const embedded = { model: 'shapes', isEmbedded: true }
const checkpoint = { model: 'owner/sd', isEmbedded: false }

test('by the largest of the latest runs of the stage, without their start', () => {
  const runs = [
    run('round-1', 'images generate', 3, { images: 100 }),
    run('round-2', 'images generate', 12, { images: 1000 }),
    run('dpok-1', 'policy dpok', 62, { imagesDrawn: 1500 }),
  ]
  const {
    run: name,
    startSeconds,
    secondsPerWork,
    isOfThisMachine,
    work,
  } = estimateOf('images generate', runs, embedded)!
  assert.deepEqual([name, startSeconds, secondsPerWork, isOfThisMachine], ['round-2', 2, 0.01, true])
  const filled: Readonly<Record<string, unknown>> = { prompts: null, promptCount: 32, perPrompt: 3 }
  assert.equal(
    productOf(work, (field) => filled[field]),
    96,
  )
  assert.equal(
    productOf(work, (field) => (field === 'prompts' ? ['a', 'b'] : filled[field])),
    6,
  )
  assert.equal(
    productOf(work, () => null),
    undefined,
  )
  // A thousand times the images take a thousand times as long.
  const seconds = startSeconds + secondsPerWork * 100_000
  assert.ok(seconds > 900 && seconds < 1100)
})

test('a run that was gone on with counts whole, and one that took hardly longer than its start tells nothing', () => {
  const gone = estimateOf(
    'policy dpok',
    [run('dpok-1', 'policy dpok', 10, { imagesDrawn: 100, seconds: 52 })],
    embedded,
  )!
  assert.equal(gone.secondsPerWork, 0.5)
  const short = estimateOf('policy dpok', [run('dpok-1', 'policy dpok', 1, { imagesDrawn: 100 })], embedded)!
  assert.deepEqual([short.run, short.isOfThisMachine], [null, false])
})

test('of the embedded model usual rates before any run, as fast as other stages were here', () => {
  const usual = stages['policy dpok'].form.secondsPerWork
  const none = estimateOf('policy dpok', [], embedded)!
  assert.deepEqual([none.secondsPerWork, none.run, none.isOfThisMachine], [usual, null, false])
  const drawn = 2 + 3 * stages['images generate'].form.secondsPerWork * 1000
  const slow = estimateOf('policy dpok', [run('round-1', 'images generate', drawn, { images: 1000 })], embedded)!
  assert.ok(Math.abs(slow.secondsPerWork / usual - 3) < 1e-9)
  assert.deepEqual([slow.run, slow.isOfThisMachine], [null, true])
})

test('of a checkpoint nothing before its stage has run, and nothing by runs of another model', () => {
  const other = run('dpo-1', 'policy dpo', 90, { updates: 100 }, { model: 'shapes' })
  assert.equal(estimateOf('policy dpo', [other], checkpoint), null)
  const own = run('dpo-2', 'policy dpo', 90, { updates: 100 }, { model: 'owner/sd' })
  assert.deepEqual(estimateOf('policy dpo', [other, own], checkpoint)!.secondsPerWork, 0.9)
})

test('by settings where a run does not tell, and not at all of what is broken', () => {
  const reward = run('reward-1', 'reward train', 6, {}, { epochs: 20 })
  assert.equal(estimateOf('reward train', [reward], embedded)!.secondsPerWork, 0.2)
  const broken = run('reward-2', 'reward train', 6, { epochs: 'many' }, { epochs: -1 })
  assert.equal(estimateOf('reward train', [broken], embedded)!.run, null)
})
