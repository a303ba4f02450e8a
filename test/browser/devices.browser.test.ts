/** The devices of the machine on the page where jobs are started: jobs beside each other, and a job of several GPUs. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { JobOrder } from '../../src/studio/jobs/job-queue.ts'
import { isAlive } from '../../src/run-lock.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { jobPatienceMs, until } from './visitor.ts'

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [390, 1440].map((width) => ({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' as const })),
)

browserSuite(
  'a machine with two GPUs',
  (it) => {
    /** The embedded model computes on the CPU, whatever device its job has. */
    const draw = async (run: string, change: Partial<JobOrder>) => {
      const { studio } = it.studio
      const { id } = await it.studio.client.drawRound({ prompts: ['two red circles'], perPrompt: 64 })
      studio.queue.stop(id)
      const { settings } = studio.queue.get(id)
      const config = { prompts: 'prompts/round-1.jsonl', perPrompt: 20_000, out: `runs/${run}` }
      const order = { stage: 'images generate', purpose: 'other', workers: 1, needs: [], settings } as const
      return studio.queue.add({ ...order, devices: null, run, config, ...change })
    }
    before(async () => {
      await draw('first', { devices: ['cuda:0'] })
      await draw('second', { devices: ['cpu'] })
      await draw('third', { devices: ['cuda:0', 'cuda:1'], workers: 2 })
    })

    test('tells what each device does, what it is and what waits for it, as it changes', async () => {
      await using person = await it.visit({ name: 'Ada' })
      const { page } = person
      await person.open('train')
      const card = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) })
      await card('cuda:0').getByText('has a job').waitFor()
      await card('cuda:0')
        .getByRole('link', { name: /^first/ })
        .waitFor()
      await card('cuda:0').getByText('Waiting: third').waitFor()
      await card('cuda:1').getByText('free', { exact: true }).waitFor()
      await card('cuda:1').getByText('Waiting: third').waitFor()
      await card('CPU')
        .getByRole('link', { name: /^second/ })
        .waitFor()
      await card('CPU').getByRole('meter', { name: 'Memory, CPU' }).waitFor()
      await card('CPU').getByRole('meter', { name: 'At work, CPU' }).waitFor()
      await page.getByText('waits for cuda:0 and cuda:1, 1 job before it').waitFor()
      await card('cuda:0')
        .getByRole('link', { name: /^first/ })
        .click()
      await page.getByText(/ on cuda:0/).waitFor()
      await person.button('Stop').click()
      await page.getByText('stopped', { exact: true }).waitFor({ timeout: jobPatienceMs })
      await person.open('train')
      await card('cuda:1')
        .getByRole('link', { name: /^third/ })
        .waitFor({ timeout: jobPatienceMs })
    })

    for (const look of looks) {
      test(`can be used by everybody: ${look.colorScheme}, ${look.viewport.width} px wide`, async () => {
        await using person = await it.visit({ ...look, name: 'Ada' })
        const { page } = person
        await person.open('train', 'round')
        await page.getByRole('meter').first().waitFor()
        const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'))
        assert.ok(scrolled <= look.viewport.width, `${scrolled} px wide`)
        assert.deepEqual(await seriousViolations(page), [])
      })
    }

    test('ends all processes of a job of several', async () => {
      const { queue } = it.studio.studio
      const running = queue.open()
      for (const { id } of running) queue.stop(id)
      await until(
        () => Promise.resolve(running.every(({ owner }) => owner === null || !isAlive(owner))),
        (areGone) => areGone,
        jobPatienceMs,
      )
    })
  },
  {},
  { count: 2, note: null },
)

browserSuite(
  'a studio on a real checkpoint and three GPUs, of which it has two',
  (it) => {
    test('offers automatic, one GPU or several, and says what does not go together', async () => {
      await using person = await it.visit({ name: 'Ada' })
      const { page } = person
      await person.open('train', 'round')
      const devices = page.getByRole('group', { name: 'Devices' })
      await devices.getByLabel('cuda:2').check()
      assert.deepEqual(await devices.getByRole('checkbox').count(), 2)
      await devices.getByLabel('cuda:0').check()
      await person.fill({ Workers: 1 })
      await page.getByRole('main').getByRole('textbox', { name: 'Prompts' }).fill('a cat')
      person.expected.push(/status of 400/)
      await person.button('Start').click()
      await page
        .getByRole('alert')
        .getByText(/2, one for each device/)
        .waitFor()
      await person.fill({ Workers: '' })
      await person.button('Start').click()
      await person.heading('round-1').waitFor()
      const { jobs } = await it.studio.client.jobs()
      assert.deepEqual(
        jobs.map(({ devices }) => devices.toSorted()),
        [['cuda:0', 'cuda:2']],
      )
      const { workers, devices: asked } = it.studio.studio.queue.get(jobs[0].id)
      assert.deepEqual([workers, asked], [2, ['cuda:2', 'cuda:0']])
    })
  },
  { model: 'owner/photos', devices: ['cuda:0', 'cuda:2'] },
  { count: 3, note: null },
)

const note = 'computing on the CPU, since the driver is too old; bring the driver up to date'
browserSuite(
  'a machine whose GPU cannot be used',
  (it) => {
    test('says why, and what to do', async () => {
      await using person = await it.visit({ name: 'Ada' })
      await person.open('train')
      await person.page.getByText('Computing on the CPU, since the driver is too old').waitFor()
      await person.page.getByRole('meter', { name: 'Memory, CPU' }).waitFor()
    })
  },
  { model: 'owner/photos' },
  { count: 0, note },
)
