/** Which rewards a policy may start on by itself. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { lackInWords } from '../reward-evidence.ts'
import { addImageRun, addRun, testStudio, type TestStudio } from '../studio.test-helper.ts'

const figures = { n: 40, prompts: 12, auc: 0.8, aucInterval: [0.7, 0.9], clipScoreAuc: 0.6, comparisons: 0 }
const pairs = { pairAccuracy: 0.7, pairAccuracyInterval: [0.6, 0.8], comparisons: 30 }
const noLabels = { auc: null, aucInterval: null, clipScoreAuc: null }

const rewards: readonly [what: string, heldOut: object | null, lack: RegExp | null][] = [
  ['better than the CLIP score', figures, null],
  [
    'an interval with the CLIP score in it',
    { ...figures, clipScoreAuc: 0.75 },
    /not shown to be better than the CLIP score, .*\(0\.75; AUC 0\.80/,
  ],
  [
    'an interval below the CLIP score',
    { ...figures, clipScoreAuc: 0.95 },
    /not shown to be better than the CLIP score, .*\(0\.95/,
  ],
  [
    'an interval with chance in it',
    { ...figures, aucInterval: [0.45, 0.9], clipScoreAuc: 0.3 },
    /not shown to be better than chance yet \(AUC 0\.80, 0\.45 … 0\.90/,
  ],
  ['an interval that ends at chance', { ...figures, aucInterval: [0.5, 0.9], clipScoreAuc: null }, /than chance/],
  ['too few answers for an interval', { ...figures, aucInterval: null }, /too few/],
  ['nothing held out', null, /no held-out prompts/],
  ['pairs only', { ...figures, ...noLabels, ...pairs }, null],
  [
    'pairs at chance',
    { ...figures, ...noLabels, ...pairs, pairAccuracyInterval: [0.49, 0.9] },
    /pairs in order 0\.70, 0\.49 … 0\.90, on 30 held-out pairs/,
  ],
  ['labels at chance beside good pairs', { ...figures, ...pairs, aucInterval: [0.4, 0.9] }, /than chance yet \(AUC/],
]

const addReward = ({ studio }: TestStudio, heldOut: object | null) =>
  addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, { labels: 60, heldOut })

for (const [what, heldOut, lack] of rewards) {
  test(`a reward: ${what}`, async () => {
    await using it = await testStudio()
    await addImageRun(it.studio, 'round-1', ['two red circles'])
    addReward(it, heldOut)
    const { rewards: told, next } = await it.client.state()
    if (lack === null) assert.deepEqual([told[0].lack, next.step], [null, 'train-policy'])
    else {
      assert.match(lackInWords('reward-1', told[0].lack!), lack)
      assert.deepEqual(
        [next.step, next.why],
        ['label', [{ kind: 'weak-reward', reward: 'reward-1', lack: told[0].lack }]],
      )
    }
  })
}

test('a policy that was ordered before its reward was made does not begin by itself on one that is not proven', async () => {
  await using it = await testStudio()
  await addImageRun(it.studio, 'round-1', ['two red circles'])
  addReward(it, { ...figures, auc: 0.467, aucInterval: [0.2, 0.75] })
  const file = it.studio.workspace.at('runs', 'reward-1', 'manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...manifest, finishedAt: '2999-01-01T00:00:00.000Z' }))
  const job = await it.client.startJob({ stage: 'policy dpok', settings: { reward: 'reward-1' } })
  assert.deepEqual([job.state, job.can.resume], ['held', true])
  assert.match(job.error ?? '', /^reward-1 is no better than chance yet \(AUC 0\.47, 0\.20 … 0\.75/)
  assert.equal((await it.client.state()).next.step, 'label', 'nobody waits for what is held')
  assert.notEqual((await it.client.resumeJob(job.id)).state, 'held')
})
