/** The whole loop through the HTTP interface, with real processes of the embedded model and the smallest settings. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { StudioError } from '../errors.ts'
import type { JobDetail, JobState } from './schemas/jobs.ts'
import { changing, goodBad, testStudio, type TestStudio } from './studio.test-helper.ts'

let it: TestStudio
before(async () => {
  it = await testStudio()
})
after(() => it[Symbol.asyncDispose]())

async function until(job: string, isSo: (detail: JobDetail) => boolean): Promise<JobDetail> {
  for (let look = 0; look < 6000; look++) {
    const detail = await it.client.job(job)
    if (isSo(detail)) return detail
    assert.ok(detail.state !== 'failed', `${detail.error}\n${detail.log.join('\n')}`)
    await wait(50)
  }
  assert.fail('waited for 5 minutes')
}
const isState = (state: JobState) => (detail: JobDetail) => detail.state === state

describe('the loop', () => {
  test('draw', async () => {
    const { next, counts } = await it.client.state()
    assert.deepEqual([next.step, counts.images], ['draw', 0])
    assert.match((await it.client.stages()).stages[1].missing ?? '', /Label at least one/)
    await assert.rejects(it.client.startJob({ stage: 'reward train' }), /Label at least one image good/)
    const { id, run, settings } = await it.client.drawRound({ promptCount: 8, perPrompt: 2 })
    assert.deepEqual([run, settings.seed, settings.policy], ['round-1', 1, null])
    assert.equal((await it.client.state()).next.step, 'wait')
    await until(id, isState('done'))
    const { rounds } = await it.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, policy, images, prompts }) => [name, policy, images, prompts]),
      [['round-1', 'pretrained', 16, 8]],
    )
    const { tasks } = await it.client.tasks({ mode: 'good-bad', count: 1 })
    assert.equal(
      (await it.app.request(it.client.imageUrl(tasks[0].images[0].id).slice('http://localhost'.length))).status,
      200,
    )
  })

  test('label and train a reward', async () => {
    const { tasks } = await it.client.tasks({ mode: 'good-bad', count: 50 })
    const images = tasks.flatMap((task) => task.images)
    await it.client.judge({ judgments: images.map(({ id }, i) => goodBad(`j${i}`, id, i % 2 === 0 ? 'good' : 'bad')) })
    const { main } = (await it.client.stages()).stages[1]
    assert.deepEqual(
      main.map(({ field }) => field),
      ['heldOut', 'epochs', 'seed'],
    )
    const { id } = await it.client.startJob({ stage: 'reward train', settings: { epochs: 2 } })
    const dpok = (await it.client.stages()).stages.find(({ stage }) => stage === 'policy dpok')!
    const field = dpok.main.find((one) => one.field === 'reward')
    assert.deepEqual(
      [dpok.missing, field?.choices, field?.default],
      [null, [{ value: 'reward-1', label: 'reward-1 (being made)' }], 'reward-1'],
    )
    const settings = { imagesDrawn: 8, rolloutsPerIteration: 8, valueUpdates: 1, gradientSteps: 1, steps: 2 }
    const after = await it.client.startJob({ stage: 'policy dpok', run: 'waits', settings })
    assert.deepEqual([after.state, after.settings.reward, after.follows], ['waiting', 'reward-1', ['reward-1']])
    const { results } = await until(id, isState('done'))
    // Nothing is proven by so few labels: a person has to want it.
    const held = await until(after.id, isState('held'))
    assert.match(held.error ?? '', /^reward-1 .*: (about \d+ more labels|label images of more prompts)\.$/)
    await it.client.resumeJob(after.id)
    await until(after.id, isState('done'))
    assert.equal(results.labels, 16)
    const [reward] = (await it.client.rewards()).rewards
    assert.deepEqual([reward.name, reward.labels, reward.raters], ['reward-1', 16, 1])
    assert.ok((await it.client.reward('reward-1')).reliability.length > 0)
  })

  test('settings that are not accepted are refused where they are sent', async () => {
    const start = (settings: Record<string, number | string | null>) =>
      it.client.startJob({ stage: 'policy dpok', settings })
    for (const [settings, told] of [
      [{ klWeight: -1 }, /KL weight: expected a number ≥ 0, received -1/],
      [{ klweight: 1 }, /did you mean klWeight/],
      [{ reward: '../reward-1' }, /Reward: expected one of the list/],
      [{ reward: 'http://127.0.0.1:1/score' }, /Reward: expected one of the list/],
      [{ reward: 'reward-1=1,redness=1' }, /Reward: expected one of the list/],
      [{ reward: null }, /Reward: expected one of the list/],
      [{ prompts: 'a file' }, /Prompts: expected texts/],
      [{ device: '/etc' }, /Device/],
      [{ out: '/tmp/x' }, /a setting of policy dpok/],
      [{ model: '/tmp/x' }, /a setting of policy dpok/],
      [{ trainDataDir: '/' }, /a setting of policy dpok/],
    ] as const) {
      await assert.rejects(
        start(settings),
        (error: StudioError) => error.status === 400 && told.test(error.message),
        JSON.stringify(settings),
      )
    }
    await assert.rejects(
      it.client.startJob({ stage: 'policy dpok', settings: { policy: 'reward-1' } }),
      /Policy: expected/,
    )
    await assert.rejects(
      it.client.startJob({ stage: 'policy reward-weighted', settings: { images: ['round-1', 'round-1'] } }),
      /Images: expected some of the list, each once/,
    )
    await assert.rejects(it.client.startJob({ stage: 'reward train', run: 'reward-1' }), /a name that no run has/)
    await assert.rejects(
      it.client.startJob({ stage: 'reward train', run: 'compare-x' }),
      /does not begin with compare-/,
    )
    await assert.rejects(it.client.drawRound({ prompts: ['two red unicorns'] }), /unicorns/)
    const stage = await it.app.request('/api/jobs', changing('POST', { stage: 'pretrain' }))
    assert.equal(stage.status, 400)
  })

  test('DPOK: curves, samples now, stop and resume', async () => {
    const settings = {
      imagesDrawn: 240,
      rolloutsPerIteration: 8,
      valueUpdates: 1,
      gradientSteps: 1,
      steps: 4,
      checkpointEvery: 1,
      sampleEvery: 0,
    }
    const { id } = await it.client.startJob({ stage: 'policy dpok', settings })
    await until(id, ({ state }) => state === 'running')
    for (;;) {
      if ((await it.client.metrics(id)).last !== null) break
      await wait(20)
    }
    assert.ok((await it.client.sampleJob(id)).can.sample)
    await until(id, () => existsSync(it.studio.workspace.at('runs', 'dpok-1', 'samples', 'prompts.json')))
    await it.client.stopJob(id)
    const { can, log } = await until(id, isState('stopped'))
    assert.deepEqual(can, { stop: false, resume: true, sample: false })
    assert.ok(log.every((line) => !line.includes(it.studio.workspace.folder)))
    await it.client.resumeJob(id)
    const { results } = await until(id, isState('done'))
    assert.equal(results.imagesDrawn, 240)
    const { last, rows } = await it.client.metrics(id)
    assert.deepEqual([last, rows.length, rows.every(({ step }, i) => step === i + 1)], [30, 30, true])
    assert.equal(results.rewardMean, rows[29].reward_mean)
    assert.ok(Object.keys(results).every((name) => !name.includes('_')))
    assert.deepEqual(
      (await it.client.metrics(id, 28)).rows.map(({ step }) => step),
      [29, 30],
    )
    const [{ step, images }] = (await it.client.samples(id)).steps
    assert.ok(images.length === 8 && images[0].prompt.length > 3)
    const sampleAt = (path: string) => it.app.request(`/api/jobs/${id}/samples/${path}`)
    assert.equal((await sampleAt(`${step}/0`)).headers.get('content-type'), 'image/png')
    for (const path of [`${step}/99`, '999/0', '..%2f..%2fx/0', `${step}/..%2f..%2fconfig.json`, `${step}/-1`]) {
      assert.equal((await sampleAt(path)).status, 404, path)
    }
  })

  test('compare blind, and collect again with the new policy', async () => {
    const { id, jobs } = await it.client.compare({ policies: ['pretrained', 'dpok-1'], promptCount: 2, perPrompt: 2 })
    assert.equal((await it.client.comparison(id)).ready, false)
    const draw = () => it.client.drawRound({ policy: 'dpok-1', prompts: ['two red circles'], perPrompt: 2 })
    const [again, twice] = await Promise.all([draw(), draw()])
    assert.deepEqual([again.run, twice.run], ['round-2', 'round-3'], 'a double click gives no name twice')
    await it.client.stopJob(twice.id)
    for (const job of [...jobs, again.id]) await until(job, isState('done'))
    const { rows, ready } = await it.as('Opener').openComparison(id)
    assert.ok(ready && rows.every(({ images }) => images.every((image) => image !== null)))
    const { tasks } = await it.client.voteTasks(id)
    assert.ok(tasks.length > 0)
    const votes = tasks.map((task, i) => ({
      id: `v${i}`,
      task: task.id,
      answer: 'first' as const,
      at: new Date().toISOString(),
    }))
    assert.equal((await it.client.vote({ votes })).added, tasks.length)
    assert.equal((await it.client.votes()).winRates[0].votes, tasks.length)
    const { rounds, policies, next } = await it.client.state()
    assert.deepEqual(
      rounds.map(({ name, policy }) => [name, policy]),
      [
        ['round-1', 'pretrained'],
        ['round-2', 'dpok-1'],
      ],
    )
    assert.deepEqual([policies[0].name, policies[0].reward], ['dpok-1', 'reward-1'])
    assert.notEqual(next.step, 'draw-again', 'four votes prove nothing')
    const { edges } = await it.client.lineage()
    assert.ok(edges.some(({ from, to }) => from === 'dpok-1' && to === 'round-2'))
    assert.equal((await it.client.jobs()).jobs[0].run, 'round-3')
    await assert.rejects(it.client.job('job-99'), /an unknown one/)
  })
})
