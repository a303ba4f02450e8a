/** Training that follows on training lives in the server's queue: no page has to stay open. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { addImageRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'
import { jobPatienceMs, until } from './visitor.ts'

const texts = ['two red circles', 'a blue square', 'three crosses', 'a green ring']

browserSuite('a policy that follows a reward', (it) => {
  const state = async (run: string) => (await it.studio.client.jobs()).jobs.find((one) => one.run === run)?.state
  before(async () => {
    const records = await addImageRun(it.studio.studio, 'round-1', texts, { perPrompt: 8, side: 32 })
    const judgments = records.map(({ id }, i) => goodBad(`g${i}`, id, i % 2 === 0 ? 'good' : 'bad'))
    await it.studio.client.judge({ judgments })
  })

  test('is queued by one button, and held where the reward is not proven, though the page is closed', async () => {
    {
      await using person = await it.visit({ name: 'Ada' })
      await person.open()
      await person.page.getByTestId('next').click()
      await person.page.getByText(/Then dpok-1 begins, if the reward is shown to be better than chance/).waitFor()
    }
    assert.equal(
      await until(
        () => state('dpok-1'),
        (now) => now !== 'waiting',
        jobPatienceMs,
      ),
      'held',
    )
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open()
    await page.getByText('dpok-1 has not begun').waitFor()
    await page
      .getByText(/reward-1 (is not shown|was measured)/)
      .first()
      .waitFor()
    await person.link('Look at it, and begin it all the same').click()
    await page.getByText('It has not begun').waitFor()
    await person.button('Start anyhow').click()
    await person.button('Stop').click({ timeout: jobPatienceMs })
    await person.button('Resume').waitFor({ timeout: jobPatienceMs })
  })

  test('says what became of a reward that was stopped, follows it when that goes on, and can be removed', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    const reward = await it.studio.client.startJob({ stage: 'reward train', settings: { epochs: 100_000 } })
    await person.open('train', 'policy')
    await page
      .getByRole('navigation', { name: 'Method' })
      .getByRole('link', { name: /^Reward-weighted/ })
      .click()
    await person.heading('Reward-weighted fine-tuning').waitFor()
    await page.getByLabel('Reward', { exact: true }).selectOption(reward.run)
    await person.button('Start').click()
    await page.getByText(`follows ${reward.run}`).waitFor()
    await it.studio.client.stopJob(reward.id)
    await page.getByText(`It is made from ${reward.run}, which was stopped`).waitFor({ timeout: jobPatienceMs })
    assert.equal(await person.button('Start anyhow').count(), 0)
    await it.studio.client.resumeJob(reward.id)
    await page.getByText(`follows ${reward.run}`).waitFor()
    await it.studio.client.stopJob(reward.id)
    await person.button('Remove from the queue').click()
    await page.getByText('stopped', { exact: true }).waitFor()
    assert.equal(await state('reward-weighted-1'), 'stopped')
  })
})
