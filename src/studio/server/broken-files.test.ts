/** Every file of a workspace, broken in every way: its run is told as broken, and everything else works. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { syntheticReport } from '../../report/page/synthetic-report.test-helper.ts'
import { createClient } from '../client.ts'
import { openStudio } from '../open-studio.ts'
import { addImageRun, addRun, goodBad, type TestStudio } from '../studio.test-helper.ts'
import { openWorkspace } from '../workspace.ts'
import { studioApp, routes } from './app.ts'

const corruptions: Readonly<Record<string, (file: string) => void>> = {
  torn: (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  empty: (file) => writeFileSync(file, ''),
  'a folder': (file) => {
    rmSync(file)
    mkdirSync(file)
  },
  'a list': (file) => writeFileSync(file, '[]\n'),
  'texts for numbers': (file) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/:\s*[\d.]+/g, ': "7"')),
  huge: (file) => truncateSync(file, 3e9),
}

/** Whose breaking is told, by the name of the run, job or comparison; null where nothing depends on it. */
const files: readonly [file: string, told: string | null][] = [
  ['runs/reward-1/manifest.json', 'reward-1'],
  ['runs/reward-1/config.json', 'reward-1'],
  ['runs/reward-1/disagreements.json', null],
  ['runs/reward-1/uncertainties.json', null],
  ['runs/reward-1/scores.json', null],
  ['runs/dpok-1/manifest.json', 'dpok-1'],
  ['runs/dpok-1/config.json', 'dpok-1'],
  ['runs/dpok-1/metrics.jsonl', null],
  ['runs/dpok-1/samples/prompts.json', null],
  ['runs/dpok-1/samples/000010/0.png', null],
  ['runs/report-1/manifest.json', 'report-1'],
  ['runs/report-1/report.json', 'report-1'],
  ['runs/report-1/report.html', null],
  ['runs/round-1/manifest.json', 'round-1'],
  ['runs/round-1/images.jsonl', null],
  ['runs/round-1/images/000000.png', null],
  ['runs/compare-1-1/images.jsonl', null],
  ['runs/compare-1-1/manifest.json', 'compare-1-1'],
  ['compare/compare-1.json', 'compare-1'],
  ['jobs/job-1/job.json', 'job-1'],
  ['jobs/job-1/config.json', null],
  ['jobs/job-1/log.txt', null],
  ['secret', null],
]
/** A file that is fine, whatever it says, in these ways. */
const harmless = new Set(['reward-1', 'dpok-1'].map((name) => `runs/${name}/config.json texts for numbers`))

async function fill(folder: string): Promise<void> {
  await using studio = await openStudio(folder)
  const [a] = await addImageRun(studio, 'round-1', ['two red circles', 'a cross'])
  await addImageRun(studio, 'round-2', ['three crosses'])
  const heldOut = { n: 9, prompts: 3, auc: 0.9, aucInterval: [0.8, 0.95], clipScoreAuc: 0.6, ece: 0.1 }
  addRun(
    studio,
    'reward-1',
    'reward train',
    { feedback: 'studio.sqlite' },
    { labels: 9, head: 'mlp', heldOut },
    {
      'disagreements.json': JSON.stringify([{ image: a.id, score: 0.9, people: 0, judgments: 2 }]),
      'uncertainties.json': JSON.stringify({ [a.id]: 0.5 }),
      'scores.json': JSON.stringify({ [a.id]: 0.9 }),
    },
  )
  addRun(studio, 'reward-2', 'reward train', { feedback: 'studio.sqlite' }, { labels: 9 })
  addRun(
    studio,
    'dpok-1',
    'policy dpok',
    { reward: 'runs/reward-1' },
    { imagesDrawn: 8 },
    {
      'metrics.jsonl': '{"step":1,"reward":0.5}\n{"step":2,"reward":0.6}\n',
    },
  )
  const samples = studio.workspace.at('runs', 'dpok-1', 'samples')
  mkdirSync(join(samples, '000010'), { recursive: true })
  writeFileSync(join(samples, 'prompts.json'), '["a cross"]')
  writeFileSync(join(samples, '000010', '0.png'), readFileSync(studio.workspace.at('runs/round-1/images/000000.png')))
  const { report } = await syntheticReport()
  addRun(
    studio,
    'report-1',
    'report',
    { dpok: 'runs/dpok-1' },
    {},
    {
      'report.json': JSON.stringify(report),
      'report.html': '<p>a report</p>',
    },
  )
  for (const [name, policy] of [
    ['compare-1-1', 'pretrained'],
    ['compare-1-2', 'dpok-1'],
  ] as const) {
    await addImageRun(studio, name, ['a cross'], { policy, purpose: 'comparison' })
  }
  const at = '2026-01-01T00:00:00.000Z'
  const comparison = {
    id: 'compare-1',
    at,
    prompts: ['a cross'],
    perPrompt: 2,
    seed: 2_000_001,
    policies: ['pretrained', 'dpok-1'],
    runs: ['compare-1-1', 'compare-1-2'],
    jobs: [],
  }
  writeFileSync(studio.workspace.at('compare', 'compare-1.json'), JSON.stringify(comparison))
  const job = {
    id: 'job-1', stage: 'policy dpok', run: 'dpok-1', purpose: 'other', device: 'cpu', state: 'done', needs: [],
    settings: { reward: 'reward-1' }, queuedAt: at, startedAt: at, finishedAt: at, earlierSeconds: 0, stopAskedAt: null,
    owner: null, error: null,
  } // prettier-ignore
  mkdirSync(studio.workspace.at('jobs', 'job-1'))
  writeFileSync(studio.workspace.at('jobs', 'job-1', 'job.json'), JSON.stringify(job))
  writeFileSync(studio.workspace.at('jobs', 'job-1', 'config.json'), JSON.stringify({ out: 'runs/dpok-1' }))
  writeFileSync(studio.workspace.at('jobs', 'job-1', 'log.txt'), 'dpok: 1/9 steps 11 % 1.00/s, 0:08 left\n')
}

const idsOf = { '/api/jobs': 'job-1', '/api/compare': 'compare-1' }
const addressesOf = (image: string) =>
  routes
    .filter(({ method, path }) => method === 'get' && !path.startsWith('/api/invitations'))
    .map(({ path }) =>
      path
        .replace('/images/:id', `/images/${image}?size=64`)
        .replace('/api/gallery/:id', `/api/gallery/${image}`)
        .replace(':step/:index', '10/0')
        .replace('/reports/:name', '/reports/report-1')
        .replace(':name', 'reward-1')
        .replace(':id', Object.entries(idsOf).find(([start]) => path.startsWith(start))?.[1] ?? ''),
    )
    .map((path) => (path === '/api/export' ? '/api/export?format=jsonl' : path))

/** Answers of which one of these files is the whole content may refuse; nothing may break. */
async function expectTheRest(app: TestStudio['app'], told: string | null, what: string): Promise<void> {
  const fetch = (url: string | URL | Request, init?: RequestInit) => Promise.resolve(app.request(url as string, init))
  const client = createClient('http://localhost', { rater: () => 'Ada', fetch })
  const state = await client.state()
  assert.deepEqual([...new Set(state.broken.map(({ name }) => name))], told === null ? [] : [told], what)
  for (const { reason } of state.broken) assert.match(reason, /^(runs|jobs|compare)\/.*: ./, what)
  assert.equal(state.rewards.length, told === 'reward-1' ? 1 : 2, what)
  assert.equal(state.reports.length, told === 'report-1' ? 0 : 1, what)
  const { tasks } = await client.tasks({ count: 10 })
  assert.ok(tasks.length > 0, what)
  const judgment = goodBad(crypto.randomUUID(), tasks[0].images[0].id)
  const undo = { ...judgment, id: crypto.randomUUID(), undoes: judgment.id }
  assert.deepEqual(await client.judge({ judgments: [judgment, undo] }), { added: 2, known: 0 }, what)
  for (const path of addressesOf(tasks[0].images[0].id)) {
    const answer = await app.request(path)
    if (answer.status >= 500) assert.fail(`${what}: ${path} ${answer.status} ${await answer.text()}`)
    // Of a file of gigabytes these send all.
    if (/\/api\/backup|\/log\/file/.test(path)) await answer.body?.cancel()
    else await answer.arrayBuffer()
  }
}

describe('a workspace of which a file is broken', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-broken-'))
  const work = join(folder, 'work')
  before(() => fill(work))
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const [file, told] of files) {
    test(file, async () => {
      const { at } = openWorkspace(work)
      const whole = readFileSync(at(file))
      for (const [how, breakIt] of Object.entries(corruptions)) {
        if (file === 'secret' && how === 'a folder') continue
        breakIt(at(file))
        const what = `${file} ${how}`
        {
          await using studio = await openStudio(work, { pages: folder })
          await expectTheRest(studioApp(studio), harmless.has(what) ? null : told, what)
        }
        rmSync(at(file), { recursive: true, force: true })
        writeFileSync(at(file), whole)
      }
    })
  }

  test('a setting of how raters are asked', async () => {
    for (const value of ['', '{', '"often"', 'null', '[1]', '7']) {
      await using studio = await openStudio(work, { pages: folder })
      await studio.store.database.deleteFrom('settings').execute()
      const keys = ['mode', 'overlapShare', 'goldShare', 'byUncertainty', 'seed', '__proto__', 'unheard-of']
      await studio.store.database
        .insertInto('settings')
        .values(keys.map((key) => ({ key, value })))
        .execute()
      await expectTheRest(studioApp(studio), null, `settings ${value}`)
    }
  })
})
