/** Rewards, lineage and reports through the HTTP interface. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { syntheticReport } from '../../report/page/synthetic-report.test-helper.ts'
import { addImageRun, addRun, goodBad, refused, testStudio } from '../studio.test-helper.ts'

describe('rewards, reports, lineage', () => {
  const heldOut = {
    n: 20,
    prompts: 5,
    accuracy: 0.9,
    auc: 0.95,
    clipScoreAuc: 0.8,
    ece: 0.1,
    reliability: [{ low: 0, high: 0.1, n: 3, predicted: 0.05, observed: 0 }],
  }

  test('a reward with its quality, and where people and it differ', async () => {
    await using it = await testStudio()
    const { studio } = it
    const [a, b] = await addImageRun(studio, 'round-1', ['<b>two</b> circles'])
    const results = {
      labels: 40,
      prompts: 10,
      raters: 1,
      simulated: false,
      head: 'agreement',
      encoder: { name: '/home/x/clip' },
      heldOut,
    }
    const rows = [
      { image: a.id, score: 0.9, people: 0, judgments: 2 },
      { image: '0'.repeat(16), score: 0, people: 1, judgments: 1 },
    ]
    addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, results, {
      'disagreements.json': JSON.stringify(rows),
    })
    addRun(
      studio,
      'dpok-1',
      'policy dpok',
      { reward: 'runs/reward-1', prompts: 'prompts/dpok-1.jsonl' },
      { imagesDrawn: 96, kl: 1.5 },
    )
    const { rewards } = await it.client.rewards()
    assert.deepEqual([rewards.length, rewards[0].encoder, rewards[0].heldOut?.calibrationError], [1, 'clip', 0.1])
    const detail = await it.client.reward('reward-1')
    assert.deepEqual(
      detail.disagreements.map(({ image, prompt, score }) => [image.id, prompt, score]),
      [[a.id, '<b>two</b> circles', 0.9]],
    )
    assert.deepEqual([detail.policies, detail.reliability.length], [['dpok-1'], 1])
    for (const name of ['reward-2', 'dpok-1', '..', '../reward-1'])
      await assert.rejects(it.client.reward(name), refused(404, 'not-found'))
    // What the newest reward is least sure of comes first.
    const unsure = JSON.stringify({ [b.id]: 0.9, [a.id]: 0.1 })
    addRun(studio, 'reward-0', 'reward train', { feedback: 'studio.sqlite' }, results, { 'uncertainties.json': unsure })
    assert.deepEqual(
      studio.runs.uncertainties(),
      new Map([
        [b.id, 0.9],
        [a.id, 0.1],
      ]),
    )
    const { policies, next } = await it.client.state()
    assert.deepEqual([policies[0].algorithm, policies[0].reward, policies[0].results.kl], ['dpok', 'reward-1', 1.5])
    assert.equal(next.step, 'compare')
  })

  test('who came from whom', async () => {
    await using it = await testStudio()
    const { studio } = it
    const [first] = await addImageRun(studio, 'round-1', ['a'])
    const [later] = await addImageRun(studio, 'round-0', ['c'])
    await it.client.judge({ judgments: [goodBad('a', first.id)] })
    addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, { labels: 1, heldOut: { auc: 0.9 } })
    addRun(
      studio,
      'dpok-1',
      'policy dpok',
      { reward: 'runs/reward-1', prompts: 'p.jsonl' },
      { imagesDrawn: 96, updates: 3 },
    )
    await addImageRun(studio, 'round-2', ['a'], { policy: 'dpok-1' })
    // Drawn before the reward, judged after it.
    const at = new Date(Date.now() + 60_000).toISOString()
    await it.client.judge({ judgments: [{ ...goodBad('b', later.id), at }] })
    await addImageRun(studio, 'compare-1-1', ['b'], { policy: 'dpok-1', purpose: 'comparison' })
    addRun(studio, 'rw-1', 'policy reward-weighted', {
      images: 'runs/round-2',
      reward: 'runs/reward-1',
      policy: 'runs/dpok-1',
    })
    addRun(studio, 'broken', 'policy dpok', { reward: 'runs/reward-1' })
    writeFileSync(studio.workspace.at('runs', 'broken', 'manifest.json'), '{')
    const { nodes, edges } = await it.client.lineage()
    assert.deepEqual(
      nodes.map(({ id, depth }) => [id, depth]),
      [
        ['pretrained', 0],
        ['round-1', 1],
        ['round-0', 1],
        ['round-2', 4],
        ['reward-1', 2],
        ['dpok-1', 3],
        ['rw-1', 5],
      ],
    )
    assert.deepEqual(edges.map(({ from, to, role }) => `${from} ${role} ${to}`).sort(), [
      'dpok-1 policy round-2',
      'dpok-1 policy rw-1',
      'pretrained policy dpok-1',
      'pretrained policy round-0',
      'pretrained policy round-1',
      'reward-1 reward dpok-1',
      'reward-1 reward rw-1',
      'round-1 judgments reward-1',
      'round-2 images rw-1',
    ])
    assert.deepEqual(
      nodes.filter(({ kind }) => kind === 'reward').map(({ facts }) => facts),
      [{ labels: 1, auc: 0.9 }],
    )
    const { rounds } = await it.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, policy, images, judged }) => [name, policy, images, judged]),
      [
        ['round-1', 'pretrained', 2, 1],
        ['round-0', 'pretrained', 2, 1],
        ['round-2', 'dpok-1', 2, 0],
      ],
    )
  })
})

describe('reports', () => {
  test('figures, and a page that can do nothing', async () => {
    await using it = await testStudio()
    const { report } = await syntheticReport()
    const files = { 'report.json': JSON.stringify(report), 'report.html': '<script>alert(1)</script>' }
    addRun(it.studio, 'report-1', 'report', { reward: 'runs/reward-1' }, {}, files)
    const [{ url, policies }] = (await it.client.reports()).reports
    assert.deepEqual(
      policies.map(({ name, frechet }) => [name, frechet.mean]),
      [
        ['base', 248],
        ['best-of-n', 240],
        ['reward-weighted', 380],
        ['dpok', 180],
      ],
    )
    const page = await it.app.request(url)
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.ok(
      policy.startsWith('sandbox allow-same-origin;') &&
        policy.includes("default-src 'none'") &&
        !policy.includes('script'),
    )
    assert.equal((await it.app.request('/reports/none')).status, 404)
    assert.equal((await it.app.request('/reports/..%2freport-1')).status, 404)
  })
})

test('a held job is told of, however many end after it', async () => {
  await using it = await testStudio()
  const { queue } = it.studio
  const order = {
    stage: 'policy dpok',
    purpose: 'other',
    devices: ['cpu'],
    workers: 1,
    settings: {},
    config: {},
  } as const
  const held = queue.add({ ...order, run: 'dpok-1', needs: ['reward-1'] })
  for (let i = 2; i < 9; i++) queue.stop(queue.add({ ...order, run: `dpok-${i}`, needs: ['reward-1'] }).id)
  const { jobs } = await it.client.state()
  assert.deepEqual([jobs[0].id, jobs[0].state, jobs.length], [held.id, 'held', 6])
})
