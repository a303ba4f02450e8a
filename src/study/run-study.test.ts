/** Studies from their arms to the page, with a tiny study of policies and the real one of rewards. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { FormatError } from '../errors.ts'
import { baseArm, policyArm, rewardWeighted } from './recipes.ts'
import { runStudy, StudyConfig } from './run-study.ts'
import { studies } from './studies/index.ts'
import type { Study } from './study.ts'

const out = mkdtempSync(join(tmpdir(), 'attune-study-'))
const elsewhere = mkdtempSync(join(tmpdir(), 'attune-study-'))
after(() => [out, elsewhere].forEach((folder) => rmSync(folder, { recursive: true })))

const rowsOf = (folder = out) =>
  parse(readFileSync(join(folder, 'results.csv')), { columns: true }) as Record<string, string>[]

const tiny: Study = {
  name: 'tiny',
  title: 'A study with <one> policy',
  question: 'Does it run?',
  tunings: [
    {
      name: 'rate',
      candidates: [{ learningRate: 1e-4 }, { learningRate: 1e-3 }],
      train: (bench, chosen) => rewardWeighted(bench, 'candidate', { pretrainingWeight: 0, ...chosen }),
    },
  ],
  arms: (bench, { rate }) => [
    baseArm(bench),
    policyArm(
      bench,
      { name: 'tuned', title: 'Tuned', at: 1 },
      rewardWeighted(bench, 'tuned', { pretrainingWeight: 0, ...rate }),
    ),
    policyArm(
      bench,
      { name: 'impossible', title: 'Impossible' },
      rewardWeighted(bench, 'impossible', { threshold: 1e9 }),
    ),
  ],
  claims: [
    {
      says: 'Training changes something.',
      source: 'a test',
      parts: [{ says: 'KL', unit: 'nats', of: (look) => look('tuned', 'kl') - look('base', 'kl') }],
    },
    {
      says: 'What failed is never a figure.',
      source: 'a test',
      parts: [{ says: 'KL', unit: 'nats', of: (look) => look('impossible', 'kl') }],
    },
  ],
  sweeps: [],
}

test('a study of policies: coefficients chosen, arms measured, claims decided, failures told; again at no cost', async () => {
  const config = StudyConfig.parse({ small: true, seeds: 2, out })
  const page = readFileSync(await runStudy(config, [tiny]), 'utf8')
  assert.match(page, /A study with &lt;one&gt; policy/)
  assert.match(page, /Training changes something/)
  assert.match(page, /not measured/)
  assert.match(page, /<li>Impossible, seed 0: it needs “reward-weighted impossible, seed 0”, which failed<\/li>/)
  const text = readFileSync(join(out, 'results.md'), 'utf8')
  assert.match(text, /Chosen: rate: learningRate 0\.00?01/)
  assert.match(text, /not measured\*\*: What failed is never a figure/)
  assert.match(text, /^\| Impossible, 0 of 2 seeds \|/m)
  assert.match(text, /^\| Tuned \|/m)
  assert.match(
    text,
    /^Of 2 claims \d (is|are) supported, 0 are not supported, \d (is|are) inconclusive and 1 is not measured\.$/m,
  )
  const kl = rowsOf().filter(({ arm, measure }) => arm === 'tuned' && measure === 'kl')
  assert.deepEqual(kl.map(({ seed }) => seed), ['0', '1']) // prettier-ignore
  assert.ok(kl.every(({ value }) => Number(value) > 0))

  const done = readdirSync(join(out, 'steps')).filter((name) => existsSync(join(out, 'steps', name, 'done.json')))
  const before = done.map((name) => statSync(join(out, 'steps', name, 'done.json')).mtimeMs)
  assert.equal(
    await runStudy({ ...config, minutes: 0 }, [{ ...tiny, arms: (b, c) => tiny.arms(b, c).slice(0, 2) }]),
    join(out, 'study.html'),
  )
  assert.deepEqual(done.map((name) => statSync(join(out, 'steps', name, 'done.json')).mtimeMs), before) // prettier-ignore
})

test('what another folder has chosen and measured is taken from its file, and only the rest is computed', async () => {
  const more: Study = {
    ...tiny,
    arms: (bench, chosen) => [
      ...tiny.arms(bench, chosen).slice(0, 2),
      policyArm(bench, { name: 'more', title: 'More' }, rewardWeighted(bench, 'more', { pretrainingWeight: 0.5 })),
    ],
  }
  const file = join(out, 'results.json')
  const config = StudyConfig.parse({ small: true, firstSeed: 1, seeds: 1, out: elsewhere, known: [file] })
  await runStudy(config, [more])
  const known = rowsOf().filter(({ seed }) => seed === '1')
  const rows = rowsOf(elsewhere)
  const isMore = ({ arm }: Record<string, string>) => arm === 'more'
  assert.deepEqual(rows.filter((row) => !isMore(row)), known) // prettier-ignore
  assert.ok(rows.some(isMore))
  const titles = readdirSync(join(elsewhere, 'steps')).map((name) => {
    const done = readFileSync(join(elsewhere, 'steps', name, 'done.json'), 'utf8')
    return (JSON.parse(done) as { title: string }).title
  })
  assert.deepEqual(titles.sort(), [
    'images, seed 1',
    'images, seed 1',
    'labels, seed 1',
    'measuring More, seed 1',
    'reward, seed 1',
    'reward-weighted more, seed 1',
  ])
  await runStudy({ ...config, firstSeed: 0, seeds: 4, minutes: 0 }, [more])
  const missing = readFileSync(join(elsewhere, 'results.md'), 'utf8')
  assert.match(missing, /^- Tuned, seeds 2, 3: not computed yet$/m)
  assert.match(missing, /^- More, seeds 0, 2, 3: not computed yet$/m)

  await runStudy(config, [more])
  const text = readFileSync(join(elsewhere, 'results.md'), 'utf8')
  assert.match(text, /Chosen: rate: learningRate 0\.00?01/)
  assert.equal(text.match(/all steps together took/g)?.length, 2)
  assert.doesNotMatch(text, /Not measured/)

  // What the own folder has comes before what files say.
  const other = join(elsewhere, 'other.json')
  const written = readFileSync(join(elsewhere, 'results.json'), 'utf8')
  writeFileSync(other, written.replaceAll(/("kl",null),[\d.e-]+/g, '$1,7'))
  await runStudy({ ...config, known: [other] }, [more])
  const kls = rowsOf(elsewhere).filter(({ measure }) => measure === 'kl')
  const klOfMore = rows.find((row) => isMore(row) && row.measure === 'kl')!.value
  assert.deepEqual(kls.map(({ arm, value }) => [arm, value]), [['base', '7'], ['tuned', '7'], ['more', klOfMore]]) // prettier-ignore

  writeFileSync(other, written.replace(/"learningRate":[\d.e-]+/, '"learningRate":0.5'))
  await assert.rejects(
    runStudy({ ...config, known: [other] }, [more]),
    (error) => error instanceof FormatError && /chosen\.rate: expected one of .* received .*0\.5/.test(error.message),
  )
})

test('the study of rewards: a curve for each share of wrong labels', async () => {
  const config = StudyConfig.parse({ small: true, seeds: 2, only: ['2'], out })
  await runStudy(config)
  const rows = rowsOf()
  const right = rows.filter(({ arm }) => arm === 'clip-0%-60')
  assert.equal(rows.length, 2 * 4 * 4 * 2)
  assert.equal(right.length, 2)
  assert.ok(right.every(({ measure, value }) => measure === 'auc' && Number(value) > 0.5))
})

test('the seed of the choice is never one of the figures', async () => {
  for (const seeds of [{ seeds: 90, firstSeed: 1 }, { firstSeed: 86 }]) {
    const config = StudyConfig.parse({ ...seeds, out: join(out, 'none') })
    await assert.rejects(runStudy(config, [tiny]), /--seeds: expected seeds below 90/)
  }
  assert.ok(!existsSync(join(out, 'none')))
})

test('a study that is not there is refused', async () => {
  await assert.rejects(
    runStudy(StudyConfig.parse({ only: ['dopk'], out })),
    new RegExp(`one of ${studies.map(({ name }) => name).join(', ')}, or a number from 1 to ${studies.length}`),
  )
})
