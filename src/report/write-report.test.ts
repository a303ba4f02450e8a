import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FormatError } from '../errors.ts'
import { startRun } from '../run.ts'
import { assembleReport, type MeasuredPolicy } from './assemble-report.ts'
import { zeros } from '../tensor/create.ts'
import type { EvaluationPlan } from './draw.ts'
import { pastRun } from './lineage.ts'
import { reportPage } from './page/page.ts'
import { rewardSection } from './page/reward-section.ts'
import { sampleRows } from './sample-rows.ts'
import { Report } from './schema.ts'
import { reportFiles, writeReport } from './write-report.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))

const plan: EvaluationPlan = {
  prompts: (['seen', 'seen', 'unseen'] as const).map((split, p) => ({
    id: `p${p}`,
    text: `prompt ${p}`,
    category: 'color',
    attributes: { color: 'red' },
    split,
  })),
  imagesPerPrompt: 4,
  seed: 5,
  sampling: { steps: 10, eta: 1, guidance: 1 },
  sampler: 'ddim',
  klRollouts: 3,
}

function measured(
  name: string,
  aligned: readonly (readonly number[])[],
  more: Partial<MeasuredPolicy> = {},
): MeasuredPolicy {
  const picture = { bytes: new Uint8Array(12).fill(90), width: 2, height: 2 }
  return {
    name,
    drawn: { pictures: new Array<typeof picture>(12).fill(picture), rewards: aligned.flat() },
    evaluation: {
      measuredBy: 'judge',
      aligned,
      rewards: aligned,
      clean: aligned,
    },
    features: () => {
      const none = zeros([12, 2], 'float64')
      return { features: none, reference: none, wanted: none }
    },
    cost: { imagesDrawn: 0, updates: 0, seconds: 0 },
    ...more,
  }
}
const policies: MeasuredPolicy[] = [
  measured('base', [
    [1, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 0, 0],
  ]),
  measured(
    'best-of-n',
    Array.from({ length: 3 }, () => [1, 1, 0, 0]),
    { bestOf: 4 },
  ),
  measured(
    'dpok',
    Array.from({ length: 3 }, () => [1, 1, 1, 0]),
    { kl: [[1, 3], [2]] },
  ),
]

function rewardRun(name: string, heldOut: unknown) {
  using run = startRun({ folder: join(folder, name), stage: 'reward train', config: {} })
  run.finish({ labels: 90, simulated: true, heldOut })
  return pastRun(run.folder)
}
const unlabelled = { prompts: 2, n: 0, accuracy: null, auc: null, clipScoreAuc: null, ece: null, reliability: [] }
const quality = { prompts: 2, n: 20, accuracy: 0.8, auc: 0.9, clipScoreAuc: 0.7, ece: 0.1, reliability: [] }
const space = { network: 'two numbers', resize: 'not resized' }
const context = { seconds: 60, torch: '2', rewardRange: [0, 1] as const, caveats: [], tuningSeed: 9, space }

test('a reward of comparisons alone is told by them', () => {
  const heldOut = { ...unlabelled, comparisons: 40, pairAccuracy: 0.75, clipScorePairAccuracy: 0.5 }
  const runs = { reward: rewardRun('reward-of-pairs', heldOut), policies: [] }
  const report = assembleReport(plan, policies, runs, context)
  assert.equal(report.reward?.heldOut, null)
  assert.deepEqual(report.reward.comparisons, { n: 40, pairAccuracy: 0.75, clipScorePairAccuracy: 0.5 })
  assert.match(String(rewardSection(report)), /Of 40 comparisons .* gave in 75.* %, by the CLIP score in 50/)
})

test('a report holds what was measured and is written as numbers and as a page', async () => {
  const report = assembleReport(plan, policies, { reward: rewardRun('reward', quality), policies: [] }, context)
  assert.deepEqual(Report.parse(JSON.parse(JSON.stringify(report))), JSON.parse(JSON.stringify(report)))
  const [base, bestOf, dpok] = report.policies
  assert.deepEqual([base.seen.n, base.unseen.n, base.seen.alignment.mean], [8, 4, 0.125])
  assert.deepEqual(base.klNats, { mean: 0, low: 0, high: 0 })
  assert.equal(bestOf.klNats.of, 'image')
  assert.ok(Math.abs(bestOf.klNats.mean - (Math.log(4) - 3 / 4)) < 1e-12)
  assert.deepEqual([dpok.klNats.of, dpok.klNats.mean], ['trajectory', 2])
  assert.equal(dpok.fidelity.low, 0)
  assert.deepEqual(dpok.unseen.differenceToBase.mean, 0.25)
  assert.equal(report.reward?.heldOut?.auc, 0.9)
  assert.deepEqual(
    report.details?.comparisons?.map(({ policy, against, split }) => `${policy} ${against} ${split}`),
    ['dpok best-of-n seen', 'dpok best-of-n unseen'],
  )
  const grids = await sampleRows(plan, policies)
  assert.deepEqual(
    grids.map(({ prompt, cells }) => [prompt, cells.length, cells[0].images.length]),
    [0, 1, 2].map((p) => [`prompt ${p}`, 3, 4]),
  )
  const out = join(folder, 'reward')
  writeReport(out, { report, grids })
  const [numbers, page] = reportFiles.map((name) => readFileSync(join(out, name), 'utf8'))
  assert.deepEqual(JSON.parse(numbers), JSON.parse(JSON.stringify(report)))
  assert.match(page, /Best-of-4/)
  assert.ok(!readdirSync(out).some((name) => name.endsWith('.partial')))
})

test('measured by a reward that learned from no labels: marks against the base, no numbers of a reward run', async () => {
  const compared = [
    [0, 0.5, 1, 0],
    [1, 1, 1, 1],
    [0.5, 0.5, 0.5, 0.5],
  ]
  const byReward = (policy: MeasuredPolicy, aligned: readonly (readonly number[])[]): MeasuredPolicy => ({
    ...policy,
    evaluation: { ...policy.evaluation, measuredBy: 'reward', clean: null, aligned },
  })
  const pair = [
    byReward(
      policies[0],
      compared.map(() => [0.5, 0.5, 0.5, 0.5]),
    ),
    byReward(policies[2], compared),
  ]
  const report = assembleReport(
    plan,
    pair,
    { reward: undefined, policies: [] },
    { ...context, rewardRange: undefined, rewardName: 'clip', scorer: 'pickscore', reference: 'the images of photos' },
  )
  assert.equal(report.reward, null)
  const measurement = report.details!.measurement!
  assert.deepEqual(
    [
      measurement.rewardRange,
      measurement.rewardName,
      measurement.scorer,
      measurement.reference,
      measurement.features,
      measurement.tuningSeed,
    ],
    [undefined, 'clip', 'pickscore', 'the images of photos', { ...space, width: 2 }, 9],
  )
  assert.match(measurement.diversity!, /unit vectors times 10/)
  const [base, dpok] = report.policies
  assert.deepEqual(base.seen.alignment, { mean: 0.5, low: 0.5, high: 0.5 })
  assert.equal(dpok.seen.alignment.mean, (0.375 + 1) / 2)
  assert.ok(Math.abs(dpok.seen.differenceToBase.low - (dpok.seen.alignment.low - 0.5)) < 1e-12)
  const grids = await sampleRows(plan, pair)
  assert.deepEqual(
    grids[0].cells.map(({ images }) => images.map(({ mark }) => mark)),
    [
      [undefined, undefined, undefined, undefined],
      ['bad', 'equal', 'good', 'bad'],
    ],
  )
  const page = reportPage({ report, grids })
  assert.match(page, /score higher by pickscore than the base/)
  assert.match(page, /<small>to the images of photos<\/small>/)
})

test('a reward that was not measured is refused with what to do', () => {
  const runs = { reward: rewardRun('unmeasured', null), policies: [] }
  assert.throws(
    () => assembleReport(plan, policies, runs, context),
    (error: FormatError) => {
      assert.ok(error instanceof FormatError)
      assert.match(error.message, /--held-out 0\.2/)
      return true
    },
  )
})
