/** The table of runs: titles, archiving, running once more, and deleting, which nothing outside survives less well for. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { openFeedback } from '../../feedback/store/store.ts'
import { trainingJudgments } from '../../feedback/training-judgments.ts'
import { syntheticReport } from '../../report/page/synthetic-report.test-helper.ts'
import { ownerOf } from '../../run-lock.ts'
import { devicesOf } from '../devices/devices.ts'
import { ImageShelf } from '../images.ts'
import { databaseName, openStudio } from '../open-studio.ts'
import { addImageRun, addRun, changing, goodBad, refused, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { writeComparison } from './comparison-files.ts'

/** A studio in which no job begins: the embedded model computes on the CPU, which this one has not. */
const idle = () => testStudio({ devices: devicesOf(['cuda:0'], 1, 1) })
const row = async ({ client }: TestStudio, name: string) => (await client.runs()).runs.find((one) => one.name === name)

const heldOut = { n: 12, prompts: 2, accuracy: 0.75, auc: 0.8 }
const reward = (it: TestStudio, name = 'reward-1') =>
  addRun(it.studio, name, 'reward train', { feedback: 'studio.sqlite' }, { labels: 12, heldOut })
const policy = (it: TestStudio, name: string, from = 'reward-1') =>
  addRun(
    it.studio,
    name,
    'policy dpok',
    { reward: `runs/${from}` },
    { rewardMean: 0.6, kl: 1.5 },
    {
      'metrics.jsonl':
        '{"step":1,"at":"2030-01-01T00:00:00.000Z","reward_mean":0.5,"images_drawn":8}\n{"step":2,"reward_mean":0.7}\n',
    },
  )

describe('the table of runs', () => {
  test('has every run with its settings, its figures and its size', async () => {
    await using it = await idle()
    await addImageRun(it.studio, 'round-1', ['a', 'b'])
    reward(it)
    policy(it, 'dpok-1')
    const { report } = await syntheticReport()
    const named = { ...report, policies: report.policies.map((one) => ({ ...one, name: one.name === 'dpok' ? 'mine' : one.name })) } // prettier-ignore
    addRun(it.studio, 'report-1', 'report', { reward: 'runs/reward-1' }, {}, { 'report.json': JSON.stringify(named) })
    const config = it.studio.workspace.at('runs', 'report-1', 'config.json')
    writeFileSync(config, JSON.stringify({ stage: 'report', policies: ['mine=runs/dpok-1'], reward: 'runs/reward-1' }))
    const { runs } = await it.client.runs()
    assert.deepEqual(runs.map(({ name }) => name).sort(), ['dpok-1', 'report-1', 'reward-1', 'round-1'])
    const dpok = (await row(it, 'dpok-1'))!
    const [{ frechet, unseen }] = (await it.client.reports()).reports[0].policies.slice(-1)
    assert.deepEqual([dpok.figures.alignment, dpok.figures.frechet], [unseen.mean, frechet.mean])
    assert.deepEqual([dpok.settings, dpok.state, dpok.measured, dpok.job], [{ reward: 'reward-1' }, 'done', true, null])
    assert.deepEqual((await row(it, 'report-1'))!.settings, { policies: ['dpok-1'], reward: 'reward-1' })
    assert.equal((await row(it, 'reward-1'))!.figures.auc, 0.8)
    const files = ['config.json', 'manifest.json', 'metrics.jsonl']
    const bytes = files.reduce(
      (sum, file) => sum + readFileSync(it.studio.workspace.at('runs', 'dpok-1', file)).length,
      0,
    )
    assert.equal(dpok.bytes, bytes)
    const { rows } = await it.client.runMetrics('dpok-1')
    assert.deepEqual(
      rows.map(({ step, reward_mean, images_drawn }) => [step, reward_mean, images_drawn]),
      [
        [1, 0.5, 8],
        [2, 0.7, undefined],
      ],
    )
    assert.ok(rows[0].seconds > 0)
    await assert.rejects(it.client.runMetrics('none'), refused(404, 'not-found'))
  })

  test('keeps a title beside the folder', async () => {
    await using it = await idle()
    reward(it)
    assert.equal(
      (await it.client.changeRun('reward-1', { title: ' Käthe’s <b>first</b> ' })).title,
      'Käthe’s <b>first</b>',
    )
    assert.ok(existsSync(it.studio.workspace.at('runs', 'reward-1', 'manifest.json')))
    assert.equal((await it.client.lineage()).nodes.find(({ id }) => id === 'reward-1')?.label, 'Käthe’s <b>first</b>')
    assert.equal((await it.client.changeRun('reward-1', { title: null })).title, null)
    for (const title of ['', ' ', '\u200b\u202e', 'x'.repeat(121), 'a\0'])
      await assert.rejects(it.client.changeRun('reward-1', { title }), refused(400, 'config'))
    await assert.rejects(it.client.changeRun('reward-1', {}), refused(400, 'config'))
    await assert.rejects(it.client.changeRun('none', { title: 'a' }), refused(404, 'not-found'))
  })

  test('archives a run, which no list has then, and takes it back', async () => {
    await using it = await idle()
    await addImageRun(it.studio, 'round-1', ['a'])
    await addImageRun(it.studio, 'round-2', ['b'])
    reward(it)
    policy(it, 'dpok-1')
    const names = async () => {
      const [{ rewards, policies, rounds }, gallery, stages] = await Promise.all([
        it.client.state(),
        it.client.gallery(),
        it.client.stages(),
      ])
      const field = stages.stages.find(({ stage }) => stage === 'policy dpok')!.main.find((one) => one.field === 'reward')! // prettier-ignore
      const asked = (await it.client.tasks({ mode: 'good-bad', count: 10 })).tasks.flatMap(
        ({ images }) => images,
      ).length
      return [rewards.length, policies.length, rounds.length, gallery.total, field.default, field.choices.length, asked]
    }
    assert.deepEqual(await names(), [1, 1, 2, 4, 'reward-1', 1, 4])
    for (const name of ['reward-1', 'dpok-1', 'round-1']) await it.client.changeRun(name, { archived: true })
    assert.deepEqual(await names(), [0, 0, 1, 2, null, 1, 2])
    assert.ok((await row(it, 'round-1'))!.archived)
    assert.equal((await it.client.reward('reward-1')).name, 'reward-1')
    assert.deepEqual(
      (await it.client.lineage()).nodes
        .filter(({ archived }) => archived)
        .map(({ id }) => id)
        .sort(),
      ['dpok-1', 'reward-1', 'round-1'],
    )
    for (const name of ['reward-1', 'dpok-1', 'round-1']) await it.client.changeRun(name, { archived: false })
    assert.deepEqual(await names(), [1, 1, 2, 4, 'reward-1', 1, 4])
  })
})

describe('a run once more', () => {
  test('has the same settings, seed and prompts, unless others are given', async () => {
    await using it = await idle()
    const first = await it.client.startJob({ stage: 'images generate', settings: { promptCount: 4, perPrompt: 1 } })
    // What it drew would make other prompts come first.
    const { at } = it.studio.workspace
    const texts = readFileSync(at('prompts', 'round-1.jsonl'), 'utf8')
    await addImageRun(it.studio, 'round-7', texts.trim().split('\n').map((line) => (JSON.parse(line) as { prompt: string }).prompt)) // prettier-ignore
    const again = await it.client.startJob({ stage: 'images generate', like: 'round-1' })
    assert.deepEqual([again.run, again.settings], ['round-2', first.settings])
    assert.equal(readFileSync(at('prompts', 'round-2.jsonl'), 'utf8'), texts)
    const other = await it.client.startJob({ stage: 'images generate', like: 'round-1', settings: { seed: 99 } })
    assert.deepEqual([other.settings.seed, other.settings.perPrompt], [99, 1])
    const fresh = await it.client.startJob({ stage: 'images generate', like: 'round-1', settings: { promptCount: 4 } })
    assert.notEqual(readFileSync(at('prompts', `${fresh.run}.jsonl`), 'utf8'), texts)
    await assert.rejects(it.client.startJob({ stage: 'images generate', like: 'none' }), refused(404, 'not-found'))
    reward(it)
    await assert.rejects(
      it.client.startJob({ stage: 'images generate', like: 'reward-1' }),
      refused(409, 'wrong-state'),
    )
    // Of a run that the command line made there are its settings, and no prompts that were kept.
    policy(it, 'dpok-1')
    await assert.rejects(it.client.startJob({ stage: 'policy dpok', like: 'dpok-1' }), refused(409, 'missing'))
    const given = await it.client.startJob({
      stage: 'policy dpok',
      like: 'dpok-1',
      settings: { prompts: ['a red circle'] },
    })
    assert.equal(given.settings.reward, 'reward-1')
  })

  test('is made from what is archived as well', async () => {
    await using it = await idle()
    reward(it)
    const settings = { reward: 'reward-1', prompts: ['a red circle'] }
    await it.client.startJob({ stage: 'policy dpok', settings })
    await it.client.changeRun('reward-1', { archived: true })
    const again = await it.client.startJob({ stage: 'policy dpok', like: 'dpok-1' })
    assert.equal(again.settings.reward, 'reward-1')
  })
})

describe('what is planned behind a job', () => {
  test('is queued with it, each step on what the ones before make', async () => {
    await using it = await idle()
    const [image] = await addImageRun(it.studio, 'round-1', ['a red circle', 'a blue square'])
    const images = (await it.studio.store.images()).map(({ record }) => record.id)
    await it.client.judge({
      judgments: images.map((id, i) => goodBad(`g${i}`, id, i % 2 === 0 ? 'good' : 'bad')),
    })
    assert.ok(image)
    const then = ['policy dpok', 'report', 'compare'] as const
    const first = await it.client.startJob({ stage: 'reward train', then: then.map((stage) => ({ stage })) })
    assert.equal(first.run, 'reward-1')
    const jobs = it.studio.queue.all()
    assert.deepEqual(
      jobs.map(({ run, needs }) => [run, needs]),
      [
        ['reward-1', []],
        ['dpok-1', ['reward-1']],
        ['report-1', ['reward-1', 'dpok-1']],
        ['compare-1-1', []],
        ['compare-1-2', ['dpok-1']],
      ],
    )
    assert.deepEqual((await it.client.comparisons()).comparisons[0].policies, ['pretrained', 'dpok-1'])
  })

  test('is refused as a whole', async () => {
    await using it = await idle()
    reward(it)
    const settings = { prompts: ['a red circle'] }
    const start = (then: Parameters<typeof it.client.startJob>[0]['then']) =>
      it.client.startJob({ stage: 'policy dpok', settings, then })
    await assert.rejects(start([{ stage: 'report', settings: { bestOf: -1 } }]), refused(400, 'config'))
    await assert.rejects(start([{ stage: 'compare' }, { stage: 'report' }]), /as the last step/)
    await assert.rejects(start([{ stage: 'compare', settings: { perPrompt: 1000 } }]), refused(400, 'config'))
    await assert.rejects(
      it.client.startJob({ stage: 'reward train', then: [{ stage: 'compare' }] }),
      refused(409, 'missing'),
    )
    assert.deepEqual([it.studio.queue.all(), (await it.client.comparisons()).comparisons], [[], []])
  })
})

test('the log of a job is searched, and handed out as a file', async () => {
  await using it = await idle()
  const { id } = await it.client.startJob({ stage: 'images generate' })
  const { at, folder } = it.studio.workspace
  assert.deepEqual(await it.client.jobLog(id), { lines: [], next: 0, size: 0 })
  assert.equal((await it.app.request(it.client.jobLogUrl(id).slice('http://localhost'.length))).status, 404)
  const log = `$ attune images generate\nerror: ${folder}/runs/x: a full disk\nthe end\n`
  writeFileSync(at('jobs', id, 'log.txt'), log)
  const { lines } = await it.client.jobLog(id, { errors: 'true', count: 1 })
  assert.deepEqual(
    lines.map(({ text }) => text),
    ['error: runs/x: a full disk'],
  )
  const { lines: found, next, size } = await it.client.jobLog(id, { find: 'END', from: lines[0].at })
  assert.deepEqual([found.map(({ text }) => text), next], [['the end'], size])
  const file = await it.app.request(it.client.jobLogUrl(id).slice('http://localhost'.length))
  assert.deepEqual(
    [file.headers.get('content-disposition'), await file.text()],
    ['attachment; filename="round-1.log.txt"', log],
  )
  for (const query of ['from=-1', 'from=x', 'count=0', 'count=501', 'find=', 'errors=maybe'])
    assert.equal((await it.app.request(`/api/jobs/${id}/log?${query}`)).status, 400, query)
})

describe('deleting a run', () => {
  test('names what was made from it, and needs a yes to all of that', async () => {
    await using it = await idle()
    reward(it)
    policy(it, 'dpok-1')
    policy(it, 'dpok-12', 'reward-12')
    await addImageRun(it.studio, 'compare-1-1', ['a'], { policy: 'dpok-1', purpose: 'comparison' })
    writeComparison(it.studio.workspace, { id: 'compare-1', at: new Date().toISOString(), prompts: ['a'], perPrompt: 1, seed: 1, policies: ['pretrained', 'dpok-1'], runs: ['compare-1-0', 'compare-1-1'], jobs: [] }) // prettier-ignore
    const of = async (name: string) => (await it.client.runDeletion(name)).children.map((child) => child.name).sort()
    assert.deepEqual(await of('reward-1'), ['dpok-1'])
    assert.deepEqual(await of('dpok-1'), ['compare-1', 'compare-1-1'])
    assert.deepEqual(await of('dpok-12'), [])
    await assert.rejects(it.client.deleteRun('reward-1'), refused(409, 'has-children'))
    await assert.rejects(
      it.client.deleteRun('dpok-1', { children: ['compare-1'] }),
      /none to compare-1-1 \(images generate\)/,
    )
    assert.ok(existsSync(it.studio.workspace.at('runs', 'dpok-1')))
    const { bytes } = await it.client.runDeletion('reward-1')
    assert.deepEqual(await it.client.deleteRun('reward-1', { children: ['dpok-1'] }), { name: 'reward-1', bytes })
    assert.equal(await row(it, 'reward-1'), undefined)
    for (const name of ['reward-1', 'none']) await assert.rejects(it.client.deleteRun(name), refused(404, 'not-found'))
    for (const name of ['..', '.deleted-00000000-a', 'runs%2f..'])
      assert.equal((await it.app.request(`/api/runs/${name}/delete`, changing('POST', {}))).status, 404)
  })

  test('takes its job and its prompts, and leaves its name and number to nobody', async () => {
    await using it = await idle()
    const { id, run } = await it.client.startJob({ stage: 'images generate' })
    const { at } = it.studio.workspace
    assert.deepEqual([run, existsSync(at('prompts', 'round-1.jsonl'))], ['round-1', true])
    await it.client.deleteRun('round-1')
    assert.deepEqual(
      [existsSync(at('prompts', 'round-1.jsonl')), existsSync(at('jobs', id, 'job.json'))],
      [false, false],
    )
    await assert.rejects(it.client.job(id), refused(404, 'not-found'))
    await assert.rejects(it.client.startJob({ stage: 'images generate', run }), refused(409, 'name-taken'))
    const next = await it.client.startJob({ stage: 'images generate' })
    assert.deepEqual([next.id, next.run], ['job-2', 'round-2'])
  })

  test('leaves judgments, which train nothing any more, and images that another round has too', async () => {
    await using it = await idle()
    const [a, b] = await addImageRun(it.studio, 'round-1', ['a', 'b'], { perPrompt: 1 })
    const { at } = it.studio.workspace
    // Another round of the same seed has drawn the second one as well, and lies where it lay last.
    await addImageRun(it.studio, 'round-0', ['c'])
    const list = readFileSync(at('runs', 'round-1', 'images.jsonl'), 'utf8').split('\n')
    writeFileSync(at('runs', 'round-0', 'images.jsonl'), `${list[1]}\n`)
    await it.studio.rounds.add({
      name: 'round-0',
      policy: 'pretrained',
      purpose: 'round',
      createdAt: a.id,
      images: [b.id],
    })
    copyFileSync(at('runs', 'round-1', b.file), at('runs', 'round-0', b.file))
    await it.client.judge({ judgments: [goodBad('x', a.id), goodBad('y', b.id, 'bad')] })
    const { children } = await it.client.runDeletion('round-1')
    assert.deepEqual(children, [{ name: 'judgments', what: '2 judgments of its images', judgments: 2 }])
    await using store = await openFeedback(at(databaseName))
    const elsewhere = new ImageShelf(store)
    for (const { id } of [a, b]) await elsewhere.wholeRef(id)
    await it.client.deleteRun('round-1', { children: ['judgments'] })
    assert.equal(await elsewhere.refIfThere(a.id), undefined, 'another process knows that it is gone')
    assert.equal((await elsewhere.wholeFile(b.id)).file, at('runs', 'round-0', b.file), 'and where it lies now')
    assert.deepEqual(
      (await trainingJudgments(it.studio.store)).map(({ id }) => id),
      ['y'],
    )
    assert.equal((await it.client.state()).counts.judgments, 2)
    assert.equal((await it.app.request(`/images/${a.id}`)).status, 404)
    assert.equal((await it.app.request(`/images/${b.id}`)).status, 200)
    assert.deepEqual(
      (await it.client.rounds()).rounds.map(({ name }) => name),
      ['round-0'],
    )
    const { tasks } = await it.client.tasks({ mode: 'good-bad', count: 10 })
    assert.ok(!tasks.some(({ images }) => images.some(({ id }) => id === a.id)))
  })

  test('waits for nobody who is at work on it', async () => {
    await using it = await idle()
    reward(it)
    const lock = it.studio.workspace.at('runs', 'reward-1', 'run.lock')
    writeFileSync(lock, JSON.stringify(ownerOf()))
    assert.match((await it.client.runDeletion('reward-1')).obstacle ?? '', /^Process \d+ on /)
    await assert.rejects(it.client.deleteRun('reward-1'), refused(409, 'run-in-use'))
    writeFileSync(lock, JSON.stringify({ ...ownerOf(), began: 'another' }))
    assert.equal((await it.client.runDeletion('reward-1')).obstacle, null)
  })

  test('follows no link out of the workspace', async () => {
    await using it = await idle()
    const { at, folder } = it.studio.workspace
    const outside = join(dirname(folder), 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), 'x'.repeat(1000))
    reward(it)
    const before = (await it.client.runDeletion('reward-1')).bytes
    symlinkSync(outside, at('runs', 'reward-1', 'checkpoints'))
    linkSync(join(outside, 'kept'), at('runs', 'reward-1', 'same'))
    const { bytes } = await it.client.runDeletion('reward-1')
    assert.ok(bytes < before + 500, 'neither what a link names nor what has another name becomes free')
    await it.client.deleteRun('reward-1')
    assert.equal(readFileSync(join(outside, 'kept'), 'utf8').length, 1000)
    reward(it, 'reward-2')
    renameSync(at('runs'), join(outside, 'runs'))
    symlinkSync(join(outside, 'runs'), at('runs'))
    await assert.rejects(it.client.deleteRun('reward-2'), /lie outside of it/)
    assert.ok(existsSync(join(outside, 'runs', 'reward-2')))
  })

  test('is finished by the next start where it was cut short', async () => {
    await using it = await idle()
    const [image] = await addImageRun(it.studio, 'round-1', ['a'])
    const { at, folder } = it.studio.workspace
    renameSync(at('runs', 'round-1'), at('runs', '.deleted-0123abcd-round-1'))
    assert.deepEqual((await it.client.runs()).runs, [])
    await it.studio[Symbol.asyncDispose]()
    {
      await using again = await openStudio(folder)
      assert.ok(!existsSync(at('runs', '.deleted-0123abcd-round-1')))
      assert.ok(again.notes.isDeleted('round-1'))
      assert.deepEqual(await again.rounds.drawn(), [])
      assert.ok(!(await again.rounds.asked()).some(({ id }) => id === image.id))
    }
  })
})
