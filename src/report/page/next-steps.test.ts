import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Report } from '../schema.ts'
import { headline } from './headline.ts'
import { nextSteps } from './next-steps.ts'
import { reportPage } from './page.ts'
import { syntheticReport } from './synthetic-report.test-helper.ts'

type Pair = NonNullable<NonNullable<Report['details']>['votes']>['pairs'][number]
const pair = (verdict: Pick<NonNullable<Pair['verdict']>, 'better' | 'won' | 'tied' | 'lost' | 'wanted'>): Pair => ({
  ...{ policy: 'dpok', against: 'base', question: 'alignment', form: 'single', votes: 48, raters: 1, duels: 48 },
  ...{ wins: verdict.won, ties: verdict.tied, losses: verdict.lost, rate: { mean: 0.5, low: 0.4, high: 0.6 } },
  verdict: { ...verdict, share: { mean: 0.4, low: 0.1, high: 0.7 } },
})
const withVotes = async (verdict: Parameters<typeof pair>[0]) => {
  const { report } = await syntheticReport()
  report.details!.votes = { raters: 1, pairs: [pair(verdict)], nu: [] }
  return Report.parse(JSON.parse(JSON.stringify(report)))
}

test('nobody has voted: vote blind, and collect again where the gain is clear', async () => {
  const { report } = await syntheticReport()
  assert.deepEqual(nextSteps(report), [
    'Vote blind: no person has said yet whether DPOK is better than the base.',
    'Collect again: let DPOK draw the next round, and label its images.',
  ])
})

test('a vote that is open goes on, one that is lost leads back, one that is won leads on', async () => {
  const open = await withVotes({ better: null, won: 6, tied: 33, lost: 9, wanted: { least: 21, about: null } })
  assert.match(nextSteps(open)[0], /^Go on voting: no clear difference between DPOK and the base so far\. At least 21/)
  assert.match(headline(open)[1], /^By people's blind votes: No clear difference .* \(6 won, 33 tied, 9 lost\)\.$/)
  assert.match(
    reportPage({ report: open, grids: [] }),
    /<td class="unclear">\s*<b>50\.0<\/b>.*no clear difference so far\. At least 21/s,
  )
  const lost = await withVotes({ better: 'against', won: 1, tied: 0, lost: 20, wanted: null })
  assert.equal(nextSteps(lost)[0], 'Do not go on from DPOK: people find it clearly worse than the base.')
  assert.ok(!nextSteps(lost).some((step) => /Collect again|voting|Vote/.test(step)))
  assert.match(reportPage({ report: lost, grids: [] }), /<td class="down">\s*<b>50\.0<\/b>.*clearly worse/s)
  const won = await withVotes({ better: 'policy', won: 20, tied: 0, lost: 1, wanted: null })
  assert.deepEqual(nextSteps(won), ['Collect again: let DPOK draw the next round, and label its images.'])
})

test('a reward that is not proven comes before anything that follows it', async () => {
  const { report } = await syntheticReport()
  report.reward = {
    labels: 60,
    heldOut: { n: 11, accuracy: 0.5, auc: 0.467, aucInterval: [0.2, 0.74], clipScoreAuc: 0.6, ece: 0.2 },
  }
  const [first, ...others] = nextSteps(Report.parse(JSON.parse(JSON.stringify(report))))
  assert.equal(
    first,
    'Label about 60 more images: the reward is not proven. Its AUC on 11 held-out labels is 0.47 (0.20 to 0.74), not clear of the CLIP score (0.60).',
  )
  assert.ok(!others.some((step) => step.startsWith('Collect again')))
  report.reward = {
    labels: 0,
    heldOut: null,
    comparisons: { n: 40, pairAccuracy: 0.6, pairInterval: [0.45, 0.72], clipScorePairAccuracy: 0.5 },
  }
  assert.match(nextSteps(report)[0], /^Compare about 50 more pairs of images: .* 0\.60 of 40 held-out pairs/)
})

test('what it cost leads to a smaller KL, or to the policy that has one', async () => {
  const { report } = await syntheticReport()
  const [base, , , dpok] = report.policies
  dpok.diversity = { mean: 0.3, low: 0.28, high: 0.32 }
  assert.ok(nextSteps(report).includes('Train with a smaller KL, by a larger KL weight or fewer images drawn: with DPOK they vary less.')) // prettier-ignore
  const gentle = { ...dpok, name: 'gentle', klNats: { mean: 3, low: 2.8, high: 3.2 } }
  report.policies = [base, gentle, dpok]
  report.details!.comparisons = (['seen', 'unseen'] as const).map((split) => ({
    ...{ policy: 'dpok', against: 'gentle', split },
    difference: { mean: 0.01, low: -0.03, high: 0.05 },
  }))
  assert.ok(nextSteps(report).includes('Take gentle instead: it is not clearly worse than DPOK, at a KL of 3.00 instead of 8.00 nats.')) // prettier-ignore
})

test('what is not clear is measured with more, and what is worse is left', async () => {
  const { report } = await syntheticReport()
  const dpok = report.policies[3]
  dpok.unseen.differenceToBase = { mean: 0.01, low: -0.03, high: 0.05 }
  assert.ok(nextSteps(report).some((step) => /^Train longer.*unseen prompts is not clear of zero\.$/.test(step)))
  dpok.unseen.n = 24
  assert.ok(nextSteps(report).some((step) => /^Measure more images: .*, with 24 images a policy\.$/.test(step)))
  dpok.seen.differenceToBase = { mean: -0.1, low: -0.15, high: -0.05 }
  assert.equal(nextSteps(report)[0], 'Do not go on from DPOK: it is clearly worse than the base on seen prompts.')
  report.policies.splice(1)
  assert.deepEqual(nextSteps(report), ['Train a policy, and measure it beside the base.'])
})

test('the page tells what changed, what it cost and what to do next before everything that is folded', async () => {
  for (const measuredBy of ['judge', 'reward'] as const) {
    const input = await syntheticReport(measuredBy)
    assert.ok(headline(input.report).length <= 3)
    assert.ok(nextSteps(input.report).length <= 4)
    const page = reportPage(input)
    const places = ['<h2>What changed', 'class="key-pictures"', '<h2>What it cost', '<h2>What to do next', '<details'].map((text) => page.indexOf(text)) // prettier-ignore
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    assert.ok(places[0] > 0 && !/<details[^>]* open/.test(page))
    for (const theme of ['light', 'dark']) assert.ok(page.includes(`:root[data-theme='${theme}']`))
  }
})
