import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { random } from '../random.ts'
import { headline } from './headline.ts'
import { reportPage, type ReportInput } from './page.ts'
import { policyNames, Report, splits, type PolicyName } from './schema.ts'

const hostile = `"><script>alert('1')</script><img src=x onerror=alert(1)> & two 'red' circles \u0000`

test('the page escapes prompts, loads nothing and is well formed', async () => {
  const page = reportPage(await syntheticInput())
  assert.ok(!/<script/i.test(page))
  assert.ok(!page.includes('<img src=x'))
  assert.ok(page.includes('&lt;script&gt;alert(&#39;1&#39;)'))
  for (const [, , target] of page.matchAll(/\b(src|href|srcset|action|xlink:href)\s*=\s*"([^"]*)"/g)) {
    assert.match(target, /^data:/)
  }
  assert.ok(!/url\(|@import|https?:\/\//.test(page))
  assert.ok(!/NaN|undefined|Infinity|\[object/.test(page))
  assertBalanced(page)
  const charts = page.match(/<svg\b[\s\S]*?<\/svg\s*>/g) ?? []
  assert.ok(charts.length >= 8)
  for (const chart of charts) {
    const { width } = await sharp(
      Buffer.from(chart.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')),
    ).metadata()
    assert.ok(width)
  }
})

test('every policy, every section and every image is there', async () => {
  const input = await syntheticInput()
  const page = reportPage(input)
  for (const title of ['Base', 'Best-of-4', 'Reward-weighted', 'DPOK']) assert.ok(page.includes(title), title)
  const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading)
  assert.deepEqual(headings, [
    'The policies side by side',
    'The same prompts and seeds, drawn by each policy',
    'Alignment by what the prompt asks for',
    'Alignment against fidelity',
    'Fine-tuning',
    'The reward model',
    'How it was measured',
    'What it cost',
  ])
  assert.equal(page.match(/<img\b/g)?.length, 2 * 4 * 2)
  assert.equal(page.match(/: as asked"/g)?.length, 8)
  assert.ok(page.includes('Simulated: no person gave these labels'))
})

test('the headline gives direction, size and interval', async () => {
  const { report } = await syntheticInput()
  const text = headline(report).join(' ')
  assert.match(
    text,
    /rose from 40\.0 % to 58\.0 % \(\+18\.0 points, 95 % interval \+13\.0 to \+23\.0\) on seen prompts/,
  )
  assert.match(text, /14,600 images drawn, 600 updates and 4 min 10 s/)
})

test('missed goals and intervals with zero are said plainly', async () => {
  const { report } = await syntheticInput()
  const dpok = report.policies[3]
  dpok.unseen.differenceToBase = { mean: 0.01, low: -0.03, high: 0.05 }
  dpok.seen.differenceToBase = { mean: -0.1, low: -0.15, high: -0.05 }
  report.reward.heldOut.auc = 0.7
  const page = reportPage({ report, grids: [] })
  assert.match(page, /fell from/)
  assert.match(page, /did not measurably change on unseen prompts.*which includes zero/)
  assert.match(page, /<span class="badge missed">missed<\/span><span>The reward model/)
  assert.match(page, /\+1\.0 points \(−3\.0 to \+5\.0\): the interval includes zero/)
})

test('a report without details, or with the base alone, still gives a page', async () => {
  const { report } = await syntheticInput()
  delete report.details
  assertBalanced(reportPage({ report, grids: [] }))
  report.policies.splice(1)
  const page = reportPage({ report, grids: [] })
  assertBalanced(page)
  assert.match(page, /nothing to compare/)
})

test('the schema keeps its shape and refuses nonsense', async () => {
  const { report } = await syntheticInput()
  assert.deepEqual(Report.parse(JSON.parse(JSON.stringify(report))), report)
  assert.ok(!Report.safeParse({ ...report, schema: 2 }).success)
  assert.ok(!Report.safeParse({ ...report, more: 1 }).success)
  assert.ok(!Report.safeParse({ ...report, policies: report.policies.slice(1) }).success)
  assert.ok(!Report.safeParse({ ...report, policies: [report.policies[0], report.policies[0]] }).success)
  const upsideDown = structuredClone(report)
  upsideDown.policies[0].seen.alignment = { mean: 0.4, low: 0.5, high: 0.6 }
  assert.ok(!Report.safeParse(upsideDown).success)
})

/** Every element is closed in the right order; void elements close themselves. */
function assertBalanced(page: string): void {
  const open: string[] = []
  for (const [tag, closing, name, self] of page.matchAll(
    /<(\/?)([a-z][a-z0-9]*)(?:\s+[a-zA-Z:-]+="[^"<>]*")*\s*(\/?)>/g,
  )) {
    if (closing) assert.equal(open.pop(), name, tag)
    else if (!self) open.push(name)
  }
  assert.deepEqual(open, [])
  const stripped = page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<\/?[a-z!][^<>]*>/g, '')
  assert.ok(!/[<>]/.test(stripped), 'a bracket outside a tag')
}

async function syntheticInput(): Promise<ReportInput> {
  const png = await sharp({ create: { width: 24, height: 24, channels: 3, background: '#c04020' } })
    .png()
    .toBuffer()
  const around = (mean: number, half: number) => ({ mean, low: mean - half, high: mean + half })
  const alignment: Record<PolicyName, [number, number]> = {
    base: [0.4, 0.35],
    'best-of-n': [0.5, 0.42],
    'reward-weighted': [0.48, 0.37],
    dpok: [0.58, 0.43],
  }
  const policies = policyNames.map((name, p) => ({
    name,
    imagesDrawn: [0, 3200, 14600, 14600][p],
    updates: [0, 0, 900, 600][p],
    seconds: [0, 12.5, 240, 250][p],
    ...(name === 'best-of-n' ? { bestOf: 4 } : {}),
    klNats: { ...around([0, 0.636, 6, 8][p], 0), ...(name === 'best-of-n' ? { of: 'image' as const } : {}) },
    meanReward: around(0.4 + 0.05 * p, 0.02),
    fidelity: { frechet: [248, 240, 380, 180][p], low: 150, high: 400, validShare: 0.9 },
    diversity: around(0.6, 0.02),
    ...(Object.fromEntries(
      splits.map((split, s) => [
        split,
        {
          n: 400,
          measuredBy: 'judge' as const,
          alignment: around(alignment[name][s], 0.05),
          differenceToBase: around(alignment[name][s] - alignment.base[s], name === 'base' ? 0 : 0.05),
          byCategory: { color: { n: 100, ...around(0.5, 0.1) }, combination: { n: 100, ...around(0.2, 0.1) } },
        },
      ]),
    ) as Pick<Report['policies'][0], 'seen' | 'unseen'>),
  }))
  const stream = random(1)
  const curve = (policy: PolicyName, length: number) => ({
    policy,
    points: Array.from({ length }, (_, i) => ({
      imagesDrawn: 96 * (i + 1),
      reward: 0.4 + 0.002 * i + 0.02 * stream.normal(),
      klNats: 0.05 * i,
      ...(policy === 'dpok' ? { explainedVariance: Math.min(0.6, 0.01 * i) } : {}),
    })),
  })
  return {
    report: {
      schema: 1,
      seconds: 640,
      machine: '2 × <Example> CPU, Linux x64',
      torch: '2.9.1',
      reward: { labels: 3120, heldOut: { n: 800, accuracy: 0.84, auc: 0.92, clipScoreAuc: 0.79, ece: 0.03 } },
      policies,
      details: {
        measurement: {
          seed: 1,
          tuningSeed: 7,
          promptsSeen: 50,
          promptsUnseen: 50,
          imagesPerPrompt: 8,
          sampler: 'ddim',
          steps: 10,
          eta: 1,
          guidance: 1.5,
          simulatedRater: { errorRate: 0.05, skipRate: 0.05 },
          selectionRule: 'Highest held-out reward.',
          rewardRange: [0, 1],
        },
        comparisons: splits.map((split) => ({
          policy: 'dpok' as const,
          against: 'reward-weighted' as const,
          split,
          difference: around(0.06, 0.04),
        })),
        curves: [curve('reward-weighted', 5), curve('dpok', 60)],
        reliability: [
          { low: 0.1, high: 0.2, n: 40, predicted: 0.15, observed: 0.12 },
          { low: 0.8, high: 0.9, n: 90, predicted: 0.86, observed: 0.9 },
        ],
        caveats: [hostile],
        stages: [{ name: hostile, seconds: 30 }],
        config: { 'dpok.klWeight': 0.01 },
      },
    },
    grids: splits.map((split) => ({
      prompt: hostile,
      split,
      cells: policyNames.map((policy) => ({
        policy,
        images: [
          { png, aligned: true, seed: 1 },
          { png, aligned: false, seed: 2 },
        ],
      })),
    })),
  }
}
