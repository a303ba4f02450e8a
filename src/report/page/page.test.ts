import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { measures } from '../measures/index.ts'
import { canTake } from '../measures/measure.ts'
import { isMeasured } from '../measures/value-of.ts'
import { goals } from './goals.ts'
import { headline } from './headline.ts'
import { reportPage } from './page.ts'
import { Report } from '../schema.ts'
import { syntheticReport } from './synthetic-report.test-helper.ts'

test('the page escapes prompts, loads nothing and is well formed', async () => {
  for (const measuredBy of ['judge', 'reward'] as const)
    await assertSound(reportPage(await syntheticReport(measuredBy)))
})

async function assertSound(page: string): Promise<void> {
  assert.ok(!/<script/i.test(page))
  assert.ok(!page.includes('<img src=x'))
  assert.ok(page.includes('&lt;script&gt;alert(&#39;1&#39;)'))
  for (const [, , target] of page.matchAll(/\b(src|href|srcset|action|xlink:href)\s*=\s*"([^"]*)"/g)) {
    assert.match(target, /^data:/)
  }
  assert.ok(!/url\(|@import|https?:\/\//.test(page))
  assert.ok(!/NaN|undefined|\bnull\b|Infinity|\[object/.test(page))
  assertBalanced(page)
  // What scrolls is reached by the keyboard, and says what it is.
  const scrolling = page.match(/<div class="scroll"[^>]*>/g) ?? []
  assert.ok(scrolling.length >= 3)
  for (const tag of scrolling) assert.match(tag, / aria-label="[^"]+".* tabindex="0">/)
  const charts = page.match(/<svg\b[\s\S]*?<\/svg\s*>/g) ?? []
  assert.ok(charts.length >= 8)
  for (const chart of charts) {
    const { width } = await sharp(
      Buffer.from(chart.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')),
    ).metadata()
    assert.ok(width)
  }
}

test('every policy, every section and every image is there', async () => {
  const input = await syntheticReport()
  const page = reportPage(input)
  for (const title of ['Base', 'Best-of-4', 'Reward-weighted', 'DPOK']) assert.ok(page.includes(title), title)
  const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading)
  assert.deepEqual(headings, [
    'What changed',
    'What it cost',
    'What to do next',
    'Of 8 goals set before the run: 8 met, 0 missed',
    'The policies side by side',
    'The same prompts and seeds, drawn by each policy',
    'Alignment by what the prompt asks for',
    'Alignment against fidelity',
    'Fine-tuning',
    'The reward model',
    'How it was measured',
    'How long each stage took',
  ])
  // Those of the grid, and of the base and the last policy above.
  assert.equal(page.match(/<img\b/g)?.length, 2 * 4 * 2 + 2 * 2 * 2)
  assert.equal(page.match(/: as asked"/g)?.length, 8 + 4)
  assert.ok(page.includes('Simulated: no person gave these labels'))
})

test('every measure is a row with unit, arrow and interval, a recorded one too', async () => {
  const { report } = await syntheticReport()
  const rowOf = (page: string, title: string) =>
    new RegExp(`<th scope="row">\\s*${title}[\\s\\S]*?</tr>`).exec(page)?.[0] ?? ''
  const before = reportPage({ report, grids: [] })
  for (const { title, unit, better } of measures.filter((one) => canTake(one, 'judge') && isMeasured(report, one))) {
    const row = rowOf(before, title)
    assert.ok(row.includes(unit.text), title)
    assert.equal(/aria-label="(higher|lower) is better"/.exec(row)?.[1], better, title)
    assert.equal(row.match(/<td/g)?.length, report.policies.length, title)
  }
  // Written by version 0.1, a share of clean renders has no interval.
  assert.match(rowOf(before, 'Clean renders'), /<b>90\.0<\/b>\s*<\/td>/)
  report.policies[3].measures = { 'valid-share': { mean: 0.9, low: 0.85, high: 0.94 } }
  assert.match(
    rowOf(reportPage({ report, grids: [] }), 'Clean renders'),
    /<b>90\.0<\/b>\s*<small>85\.0 to 94\.0<\/small>/,
  )
  assert.ok(!reportPage({ report, grids: [] }).includes('Win rate'))
})

test('measures of fidelity and of diversity stand apart, each with what it is; what an earlier version did not take is left out', async () => {
  const { report } = await syntheticReport()
  const page = reportPage({ report, grids: [] })
  const groups = [...page.matchAll(/<tr class="group">\s*<th[^>]*>(.*?)<\/th>/g)].map(([, title]) => title)
  assert.deepEqual(groups, [
    'Alignment on seen prompts, n = 400 images per policy',
    'Alignment on unseen prompts, n = 400 images per policy',
    'Fidelity',
    'Diversity',
    'What was optimised',
    'Cost',
  ])
  const titles = ['Kernel distance', 'Precision', 'Density', 'Recall', 'Coverage', 'Vendi score, within a prompt']
  for (const title of titles) assert.match(page, new RegExp(`<dt>${title}</dt>`))
  assert.match(page, /<b>1\.00<\/b><small>−1\.00 to 3\.00<\/small>/)
  report.details!.notMeasured = { recall: 'it takes more than 5 images of each kind, and there are 4' }
  for (const policy of report.policies) delete policy.measures
  const old = reportPage({ report, grids: [] })
  for (const title of titles) assert.equal(old.includes(title), title === 'Recall', title)
  assert.match(
    old,
    /<dt>Recall<\/dt>\s*<dd>Not measured: it takes more than 5 images of each kind, and there are 4\.<\/dd>/,
  )
})

test('a held-out reward has rows with what it shares, and votes a section of win rates', async () => {
  const { report } = await syntheticReport()
  assert.doesNotMatch(reportPage({ report, grids: [] }), /Held-out|voted|blind votes/)
  report.details!.measurement!.heldOutReward = { name: 'PickScore', labels: { shared: 3, of: 8 } }
  const around = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 })
  for (const { seen, unseen, name } of report.policies)
    for (const split of [seen, unseen])
      split.measures = { 'held-out-reward': around(0.5), ...(name !== 'base' && { 'held-out-change': around(0.2) }) }
  report.policies[3].measures = { 'people-alignment': around(0.8) }
  const pair = { votes: 9, raters: 2, duels: 6, wins: 5, ties: 3, losses: 1, form: 'set', question: 'alignment' } as const // prettier-ignore
  report.details!.votes = {
    raters: 2,
    pairs: [{ ...pair, policy: 'dpok', against: 'base', rate: { mean: 0.75, low: 0.55, high: 0.9 } }],
    nu: [{ question: 'alignment', nu: 0.5 }],
  }
  report.details!.notMeasured = { 'people-fidelity': 'a policy won all of its comparisons' }
  const parsed = Report.parse(JSON.parse(JSON.stringify(report)))
  const page = reportPage({ report: parsed, grids: [] })
  await assertSound(page)
  assert.equal(page.match(/<th scope="row">\s*Held-out reward[^<]*.*?of PickScore/gs)?.length, 2)
  assert.match(page, /<td class="up">\s*<b>\+0\.20<\/b>/)
  assert.match(page, /3 of its 8 labels taught the policies or their reward too/)
  assert.match(
    sectionOf(page, 'What people voted'),
    /DPOK over Base.*, sets.*5, 3, 1.*<b>75\.0<\/b>.*20 % of comparisons/s,
  )
  assert.match(page, /People’s blind votes.*Shows the prompt better.*<b>\+0\.80<\/b>/s)
  assert.match(page, /<dt>Better picture<\/dt>\s*<dd>Not measured: a policy won all/)
})

test('any number of policies under any names: titles, colours, pairs and the headline', async () => {
  const { report } = await syntheticReport()
  const names = ['good', 'reward', 'kl-01', 'dpok-1', 'up', 'kl-1']
  const [base, best, , dpok] = report.policies
  report.policies = [base, best, ...names.map((name) => ({ ...dpok, name, algorithm: 'dpok' }))]
  const all = ['best-of-n', ...names]
  report.details!.curves = names.map((policy) => ({ policy, points: report.details!.curves![1].points }))
  report.details!.comparisons = all.flatMap((policy, i) =>
    all.slice(0, i).flatMap((against, j) =>
      (['seen', 'unseen'] as const).map((split) => {
        const mean = j === 0 ? 0.1 : j === 1 ? -0.1 : 0
        return { policy, against, split, difference: { mean, low: mean - 0.05, high: mean + 0.05 } }
      }),
    ),
  )
  assert.deepEqual(Report.parse(JSON.parse(JSON.stringify(report))), JSON.parse(JSON.stringify(report)))
  const page = reportPage({ report, grids: [] })
  await assertSound(page)
  assert.match(
    headline(report).join(' '),
    /With kl-1, .*On seen and on unseen prompts it stands clearly above Best-of-4, clearly below good, not clearly apart from reward, kl-01, dpok-1 and up\./,
  )
  // Those of the subject stand open, the others are folded.
  assert.match(page, /<summary>The other 15 pairs<\/summary>/)
  assert.equal(page.match(/minus Best-of-4/g)?.length, 6)
  assert.match(page, /kl-01<small>DPOK<\/small>/)
  for (let i = 1; i <= names.length; i++) assert.ok(page.includes(`class="line policy-${i}"`), `${i}`)
})

test('the headline gives direction, size and interval', async () => {
  const { report } = await syntheticReport()
  const text = headline(report).join(' ')
  assert.match(
    text,
    /rose from 40\.0 % to 58\.0 % \(\+18\.0 points, 95 % interval \+13\.0 to \+23\.0\) on seen prompts/,
  )
  assert.match(costOf(reportPage({ report, grids: [] })), /14,600.*besides 3,120 labels.*4 min 10 s.*600 updates/s)
})

test('missed goals and intervals with zero are said plainly', async () => {
  const { report } = await syntheticReport()
  const dpok = report.policies[3]
  dpok.unseen.differenceToBase = { mean: 0.01, low: -0.03, high: 0.05 }
  dpok.seen.differenceToBase = { mean: -0.1, low: -0.15, high: -0.05 }
  report.reward!.heldOut!.auc = 0.7
  const page = reportPage({ report, grids: [] })
  assert.match(page, /fell from/)
  assert.match(page, /did not measurably change on unseen prompts.*which includes zero/)
  assert.match(page, /<span class="badge missed">missed<\/span><span>The reward model/)
  assert.match(page, /\+1\.0 points \(−3\.0 to \+5\.0\): the interval includes zero/)
})

test('nobody set goals for a run that was not planned beforehand', async () => {
  const { report } = await syntheticReport()
  assert.match(reportPage({ report, grids: [] }), /goals set before the run/)
  delete report.details!.measurement!.selectionRule
  assert.deepEqual(goals(report), [])
  assert.doesNotMatch(reportPage({ report, grids: [] }), /goals? set|badge (met|missed|unclear)/)
})

test('a report without details, or with the base alone, still gives a page', async () => {
  const { report } = await syntheticReport()
  delete report.details
  assertBalanced(reportPage({ report, grids: [] }))
  report.policies.splice(1)
  const page = reportPage({ report, grids: [] })
  assertBalanced(page)
  assert.match(page, /nothing to compare/)
})

test('the schema keeps its shape and refuses nonsense', async () => {
  const { report } = await syntheticReport()
  assert.deepEqual(Report.parse(JSON.parse(JSON.stringify(report))), report)
  assert.ok(!Report.safeParse({ ...report, schema: 2 }).success)
  assert.ok(!Report.safeParse({ ...report, more: 1 }).success)
  assert.ok(!Report.safeParse({ ...report, policies: report.policies.slice(1) }).success)
  assert.ok(!Report.safeParse({ ...report, policies: [report.policies[0], report.policies[0]] }).success)
  const upsideDown = structuredClone(report)
  upsideDown.policies[0].seen.alignment = { mean: 0.4, low: 0.5, high: 0.6 }
  assert.ok(!Report.safeParse(upsideDown).success)
})

test('measured by a reward, the page speaks of wins and of nothing that only a judge can know', async () => {
  const input = await syntheticReport('reward')
  const page = reportPage(input)
  const text = page.replace(/<style>[\s\S]*?<\/style>/, '')
  assert.ok(!/judge|render|clean|align|true pre-training|simulated|goals|✓|✗/i.test(text))
  const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading)
  assert.deepEqual(headings, [
    'What changed',
    'What it cost',
    'What to do next',

    'The policies side by side',
    'The same prompts and seeds, drawn by each policy',
    'Win rate over all prompts',
    'Win rate against fidelity',
    'Fine-tuning',
    'The reward model',
    'How it was measured',
    'How long each stage took',
  ])
  assert.equal(page.match(/<img\b/g)?.length, 2 * 4 * 3 + 2 * 2 * 3)
  assert.equal(page.match(/src="data:image\/webp;/g)?.length, 2 * 4 * 3 + 2 * 2 * 3)
  for (const said of ['higher than', 'lower than', 'the same as']) {
    assert.equal(page.match(new RegExp(`: scored ${said} the base&#39;s"`, 'g'))?.length, 2 * 3 + 2, said)
  }
  assert.match(page, /alt="Base, seed 1"/)
  assert.match(page, /The reward is <b>CLIP score<\/b>/)
  assert.match(page, /of CLIP score/)
  assert.ok(!page.includes('The numbers'))
  assert.match(page, /the image features of the CLIP network by which &quot;&gt;&lt;script/)
  assert.match(page, /compare it within this page only/)
  assert.deepEqual(goals(input.report), [])
  // the base: a dash in the table, and no mark among the win rates
  const row = /<th scope="row">\s*Win rate[\s\S]*?<\/tr>/.exec(page)![0]
  assert.match(row, /aria-label="higher is better"[^]*?<\/th>\s*<td><small>–<\/small><\/td>/)
  assert.ok(!sectionOf(page, 'Win rate over all prompts').includes('mark base'))
})

test('measured by a reward, the headline tells the win rates and what they are clear of', async () => {
  const { report } = await syntheticReport('reward')
  report.details!.measurement!.scorer = 'PickScore'
  report.policies[3].unseen.differenceToBase = { mean: 0.01, low: -0.03, high: 0.05 }
  report.policies[3].unseen.alignment = { mean: 0.51, low: 0.47, high: 0.55 }
  assert.deepEqual(headline(report), [
    "With DPOK, 66.0 % of images on seen prompts (95 % interval 61.0 to 71.0: better than the base) and 51.0 % of images on unseen prompts (95 % interval 47.0 to 55.0: no clear difference) score higher by PickScore than the base's image of the same prompt and noise; ties count half.",
    'On seen and on unseen prompts it stands clearly above Reward-weighted.',
  ])
  report.policies[3].seen.differenceToBase = { mean: -0.1, low: -0.15, high: -0.05 }
  assert.match(headline(report).join(' '), /: worse than the base\)/)
  assert.match(
    costOf(reportPage({ report, grids: [] })),
    /to other images of the base model.*248 → 180.*overlap: no clear change/s,
  )
  report.policies[3].fidelity = { ...report.policies[3].fidelity, frechet: 500, low: 450, high: 550 }
  assert.match(costOf(reportPage({ report, grids: [] })), /class="down"><b>248 → 500<\/b>.*further away/s)
})

test('categories of prompts are shown where there are some; a reward of our own is tested on its labels', async () => {
  const { report } = await syntheticReport('reward')
  const judged = await syntheticReport()
  report.reward = judged.report.reward
  report.details!.measurement!.rewardRange = [0, 1]
  for (const policy of report.policies) {
    policy.seen.byCategory = { color: { n: 4, mean: 0.6, low: 0.5, high: 0.7 } }
  }
  report.policies[2].seen.byCategory = {}
  const page = reportPage({ report, grids: [] })
  assertBalanced(page)
  assert.match(page, /<h2>Win rate by what the prompt asks for<\/h2>/)
  assert.match(page, /Colour, seen/)
  assert.match(page, /60\.0 %\s*<small>50\.0 to 70\.0, n = 4<\/small>/)
  assert.match(page, /of CLIP score, range 0 to 1/)
  assert.match(page, /On 800 labelled images/)
  assert.match(page, /besides 3,120 labels/)
  assert.match(page, /<dt>Raters<\/dt>\s*<dd>People\.<\/dd>/)
})

test('without names of scorer, reward and reference the page still makes sentences', async () => {
  const { report } = await syntheticReport('reward')
  delete report.details
  const page = reportPage({ report, grids: [] })
  assertBalanced(page)
  assert.match(page, /score higher by a reward than the base/)
  assert.match(costOf(page), /Fréchet distance to reference images/)
  assert.match(page, /The reward was taken as it is/)
  report.policies.splice(1)
  const alone = reportPage({ report, grids: [] })
  assert.ok(!alone.includes('Win rate over all prompts'))
})

test('a judge and a reward of no labels: no goal of the reward, no raters', async () => {
  const { report, grids } = await syntheticReport()
  report.reward = null
  const page = reportPage({ report, grids })
  assertBalanced(page)
  assert.ok(goals(report).every(({ aim }) => !aim.startsWith('The reward model')))
  assert.ok(!page.includes('Raters'))
  assert.match(page, /tuned by a reward/)
})

/** A folded section, with what is folded in it. */
const sectionOf = (page: string, heading: string) =>
  page.slice(page.indexOf(`<h2>${heading}</h2>`)).split('<details class="fold">')[0]
const costOf = (page: string) => /<h2>What it cost[\s\S]*?<\/section>/.exec(page)![0]

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
