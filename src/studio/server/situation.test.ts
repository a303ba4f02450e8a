/** What Home says next, from a whole studio: votes, answers, jobs and runs as they lie there. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { en } from '../../../web/texts/en.ts'
import { sayWhy } from '../../../web/why-next.ts'
import { writeJob, type JobRecord } from '../jobs/job-record.ts'
import { recordOf } from '../jobs/job-record.test-helper.ts'
import { openStudio } from '../open-studio.ts'
import { Counts } from '../schemas/state.ts'
import { openWorkspace } from '../workspace.ts'
import { addImageRun, addRun, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { writeComparison } from './comparison-files.ts'
import { situationOf } from './situation.ts'

const texts = ['two red circles', 'a blue ring', 'three crosses']
const heldOut = { n: 40, prompts: 12, auc: 0.8, aucInterval: [0.7, 0.9], clipScoreAuc: 0.6, comparisons: 0 }
const learned = { labels: 60, good: 30, bad: 30, heldOut }

/** A proven reward, a policy on it, and a comparison of twelve pairs that is drawn. */
async function compared(it: TestStudio, results: object = {}): Promise<void> {
  const { studio } = it
  await addImageRun(studio, 'round-1', texts, { perPrompt: 20 })
  addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, learned)
  addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' }, { ...results })
  const policies = ['pretrained', 'dpok-1']
  for (const [i, policy] of policies.entries()) {
    await addImageRun(studio, `compare-1-${i + 1}`, texts, { perPrompt: 4, policy, purpose: 'comparison' })
  }
  writeComparison(studio.workspace, {
    id: 'compare-1',
    at: new Date().toISOString(),
    prompts: texts,
    perPrompt: 4,
    policies,
    seed: 1,
    runs: ['compare-1-1', 'compare-1-2'],
    jobs: [],
  })
}

/** Votes by the images, as somebody would who sees what is better. */
async function voteFor(it: TestStudio, policy: string | null, count = 50): Promise<void> {
  const of = new Map((await it.studio.store.images()).map(({ record }) => [record.id, record.policy]))
  const { tasks } = await it.client.voteTasks('compare-1', { count })
  const votes = tasks.map(({ id, first }) => ({
    id: randomUUID(),
    task: id,
    answer:
      policy === null ? ('tie' as const) : of.get(first[0].id) === policy ? ('first' as const) : ('second' as const),
    at: new Date().toISOString(),
  }))
  await it.client.vote({ votes })
}

const label = async (it: TestStudio, count: number, from = 0) => {
  const images = (await it.studio.rounds.asked()).slice(from, from + count)
  await it.client.judge({
    judgments: images.map(({ id }, i) => goodBad(randomUUID(), id, i % 2 === 0 ? 'good' : 'bad')),
  })
}
const nextOf = async (it: TestStudio) => {
  const { next, base } = await it.client.state()
  return { ...next, sentence: sayWhy(next.why, en), base, all: [next.step, ...next.others.map(({ step }) => step)] }
}

test('a policy goes on only when people voted for it', async () => {
  await using it = await testStudio()
  await compared(it)
  assert.equal((await nextOf(it)).step, 'vote')
  await voteFor(it, 'dpok-1', 3)
  const open = await nextOf(it)
  assert.deepEqual([open.step, open.base], ['vote', 'dpok-1'])
  assert.match(open.sentence, /not decided yet: go on voting, about \d+ more votes\.$/)
  await voteFor(it, 'dpok-1')
  const won = await nextOf(it)
  assert.deepEqual([won.step, won.policy, won.base], ['report', 'dpok-1', 'dpok-1'])
})

test('a lost vote leads back to labels and to the policy before, and new labels to the next reward', async () => {
  await using it = await testStudio()
  await compared(it)
  await label(it, 8)
  await voteFor(it, 'pretrained')
  const lost = await nextOf(it)
  assert.deepEqual([lost.step, lost.base], ['label', null])
  assert.match(lost.sentence, /^dpok-1 lost the blind vote against the pre-trained model \(0 wins, 12 losses, 0 ties\)/)
  assert.ok(!lost.all.includes('draw-again'))
  const form = (await it.client.stages()).stages.find(({ stage }) => stage === 'policy dpok')!
  assert.equal(form.main.find(({ field }) => field === 'policy')?.default, null)
  // Of answers, those count that no reward has learned from.
  addRun(
    it.studio,
    'reward-1b',
    'reward train',
    { feedback: 'studio.sqlite' },
    { ...learned, good: 4, bad: 4, labels: 8 },
  )
  await label(it, 40, 8)
  const fresh = await nextOf(it)
  assert.deepEqual([fresh.step, fresh.policy], ['train-reward', null])
  assert.match(fresh.sentence, /40 labels were used by no reward/)
})

test('a vote of ties alone is no clear difference', async () => {
  await using it = await testStudio()
  await compared(it)
  await voteFor(it, null)
  const { step, sentence, all } = await nextOf(it)
  assert.equal(step, 'label')
  assert.match(sentence, /^No clear difference between dpok-1 and the pre-trained model \(0 wins, 0 losses, 12 ties\)/)
  assert.ok(!all.includes('draw-again') && all.includes('compare'))
})

test('alarms of a policy are told, unless its training was stopped at them', async () => {
  const alarms = [{ statistic: 'spectral_peak', step: 4, value: 0.9, base: 0.2, deviation: 0.1 }]
  await using it = await testStudio()
  await compared(it, { alarms })
  const { sentence, base, all } = await nextOf(it)
  assert.match(sentence, /^dpok-1 was trained on although its probe images show over-optimisation from step 4 on/)
  assert.deepEqual([base, all.includes('vote')], [null, true])
  await using other = await testStudio()
  await compared(other, { alarms, stoppedAtStep: 6, policyOfStep: 4 })
  assert.deepEqual([(await nextOf(other)).step, (await nextOf(other)).base], ['vote', 'dpok-1'])
})

test('a failed job is told until something has come of another one', async () => {
  const ended: Partial<JobRecord> = {
    stage: 'policy dpok',
    state: 'failed',
    error: 'the loss is not finite',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
  }
  const folder = mkdtempSync(join(tmpdir(), 'attune-situation-'))
  const brokenAfter = async (...jobs: JobRecord[]) => {
    const workspace = openWorkspace(folder)
    for (const job of jobs) writeJob(workspace, job)
    await using studio = await openStudio(folder)
    const feedback = { counts: Counts.parse(await studio.store.counts()), rounds: [], pairs: await studio.pairs.all() }
    return (await situationOf(studio, feedback, 'Ada')).broken
  }
  try {
    assert.deepEqual(await brokenAfter(recordOf(1, 'dpok-2', ended)), {
      job: 'job-1',
      run: 'dpok-2',
      state: 'failed',
      error: 'the loss is not finite',
      canResume: true,
    })
    // What waits for it, or is held since it failed, is no way on.
    assert.equal((await brokenAfter(recordOf(2, 'report-1', { state: 'held', needs: ['dpok-2'] })))?.job, 'job-1')
    const done = { ...ended, state: 'done', error: null } as const
    assert.equal(await brokenAfter(recordOf(3, 'round-9', { ...done, stage: 'images generate' })), null)
    const stopped = { ...ended, state: 'stopped', error: null } as const
    assert.equal((await brokenAfter(recordOf(4, 'dpok-3', stopped)))?.state, 'stopped')
    // One that was taken out of the queue has not begun.
    assert.equal(await brokenAfter(recordOf(4, 'dpok-3', { ...stopped, startedAt: null })), null)
    // Of the two drawings of a comparison the first failed.
    const drawing = { ...ended, stage: 'images generate', purpose: 'comparison' } as const
    const two = [recordOf(5, 'compare-1-1', drawing), recordOf(6, 'compare-1-2', { ...done, stage: 'images generate' })]
    assert.equal((await brokenAfter(...two))?.job, 'job-5')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what was skipped is not asked about again: more images come next', async () => {
  await using it = await testStudio()
  const records = await addImageRun(it.studio, 'round-1', texts, { perPrompt: 2 })
  const judge = (from: number, to: number, answer: 'good' | 'skip') =>
    it.client.judge({
      judgments: records.slice(from, to).map(({ id }, i) => goodBad(`j${from + i}`, id, answer)),
    })
  await judge(0, 4, 'good')
  assert.equal((await nextOf(it)).step, 'label')
  await judge(4, 6, 'skip')
  assert.equal((await nextOf(it)).step, 'draw-more')
})
