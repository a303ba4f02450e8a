/** The whole loop as a person goes through it, with real jobs of the embedded model and the smallest settings. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { jobPatienceMs, until, type Visitor } from './visitor.ts'

browserSuite('the loop in the browser', (it) => {
  let person: Visitor
  let page: Page
  before(async () => {
    person = await it.visit()
    page = person.page
  })
  after(() => person[Symbol.asyncDispose]())

  test('the first page says what is next, and a round is drawn', async () => {
    await person.open()
    await person.heading('Teach a model what you like').waitFor()
    await person.button('Draw the first images').waitFor()
    await person.goTo('Train')
    await person.link('Draw images').click()
    await person.fill({ 'Prompt count': 10, 'Per prompt': 3 })
    await person.button('Start').click()
    await person.link('Label the images').click({ timeout: jobPatienceMs })
    const { rounds } = await it.studio.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, images, prompts }) => [name, images, prompts]),
      [['round-1', 30, 10]],
    )
  })

  test('thirty images are labelled by keyboard, one answer is taken back', async () => {
    await page.getByLabel('Your name').fill('Ada')
    await page.keyboard.press('Enter')
    const keys = Array.from({ length: 30 }, (_, i) => (i % 10 === 9 ? 's' : i % 2 === 0 ? 'g' : 'b'))
    for (const [i, key] of keys.entries()) {
      await page.getByText(`${i} of 30`).waitFor()
      await page.getByRole('region', { name: /^Image 1 of 3/ }).waitFor()
      await page.keyboard.press(key)
    }
    await person.heading('All done. Thank you!').waitFor()
    await page.keyboard.press('u')
    await page.getByText('29 of 30').waitFor()
    assert.equal(
      (await page.getByRole('region', { name: /, good$/ }).count()) +
        (await page.getByRole('region', { name: /, bad$/ }).count()),
      2,
    )
    await page.keyboard.press('g')
    await person.heading('All done. Thank you!').waitFor()
    await person.saved()
    const { counts } = await it.studio.client.state()
    assert.deepEqual([counts.judged, counts.good, counts.bad, counts.skip, counts.raters], [28, 16, 12, 2, 1])
    await person.link('What comes next').click()
  })

  test('a reward is trained, and its page shows what it has learned', async () => {
    await person.heading('What comes next').waitFor()
    await person.goTo('Train')
    await person.fill({ Epochs: 5 })
    await person.button('Start').click()
    await person.link('Look at the reward').click({ timeout: jobPatienceMs })
    await person.heading('reward-1').waitFor()
    await person.heading('On judgments that it has not seen').waitFor()
    const { labels, heldOut, disagreements } = await it.studio.client.reward('reward-1')
    assert.equal(labels, 28)
    await page.getByText(`of ${heldOut!.prompts} prompts that training did not see`).waitFor()
    for (const { prompt } of disagreements.slice(0, 1)) {
      await person.heading('Where people and reward disagree').waitFor()
      await page.getByRole('img', { name: prompt }).first().waitFor()
    }
  })

  test('DPOK runs, its curves move, it is stopped, goes on, and shows samples', async () => {
    await person.goTo('Train')
    await person.link('Policy').click()
    await person.fill({ 'Images drawn': 160 })
    await page.getByText(/^More settings/).click()
    await person.fill({
      'Rollouts per iteration': 8,
      'Gradient steps': 1,
      'Value updates': 1,
      Steps: 4,
      'Checkpoint every': 1,
      'Sample every': 5,
    })
    for (const group of ['Drawing', 'Learning', 'Checkpoints and samples'])
      await person.heading(`${group} 2 changed`).waitFor()
    await person.button('Start').click()
    const curve = page.getByRole('img', { name: /^reward mean: /i })
    await curve.waitFor({ timeout: jobPatienceMs })
    assert.deepEqual(await seriousViolations(page), [], 'a job at work')
    const points = async () => Number(/(\d+) points/.exec((await curve.getAttribute('aria-label')) ?? '')?.[1])
    await person.button('Stop').click()
    await person.button('Resume').waitFor({ timeout: jobPatienceMs })
    const before = await points()
    await person.button('Resume').click()
    await until(points, (now) => now > before, jobPatienceMs)
    await person.button('Stop').waitFor({ state: 'hidden', timeout: jobPatienceMs })
    await person.link('Compare').waitFor({ timeout: jobPatienceMs })
    await page.getByRole('img', { name: /^reward mean: 20 points/i }).waitFor()
    await page.getByRole('img', { name: /^KL: 20 points/i }).waitFor()
    assert.deepEqual(await seriousViolations(page), [], 'a job that has ended')

    await page.getByText(/^step 20 · (\d+) of \1$/).waitFor()
    await page.getByRole('slider', { name: 'Step of the training' }).press('Home')
    await page.getByText(/^step [015] · 1 of \d+$/).waitFor()
    const { id } = (await it.studio.client.jobs()).jobs[0]
    const { settings } = await it.studio.client.job(id)
    const { rows } = await it.studio.client.metrics(id)
    // The samples before the first update have a row of their own.
    const updates = rows.filter((row) => row.reward_mean !== undefined)
    assert.deepEqual([settings.imagesDrawn, updates.length], [160, 20])
  })

  test('policies are compared blind, in pairs and in sets, and the win rates have intervals', async () => {
    await person.link('Compare').click()
    await person.fill({ 'How many prompts': 3, 'Images of each': 4 })
    await person.button('Draw and compare').click()
    await person.heading('Vote first, then look').waitFor({ timeout: jobPatienceMs })
    const [{ id }] = (await it.studio.client.comparisons()).comparisons

    const answers: string[] = []
    page.on('response', async (response) => {
      if (response.url().includes('/api/')) answers.push(await response.text().catch(() => ''))
    })
    await person.link('Vote blind').click()
    const total = await voteOnAll(page, ['ArrowLeft', '2', 't', '1'])
    await person.button('Sets').click()
    const sets = await voteOnAll(page, ['ArrowRight', 'ArrowLeft', 'ArrowRight'])
    assert.ok(total > 3 && sets > 0, `${total} pairs and ${sets} sets`)
    page.removeAllListeners('response')
    const { rows } = await it.studio.client.openComparison(id)
    const ids = rows.flatMap(({ images }) => images.map((image) => image!.id))
    const telling = answers.filter((text) => /pretrained|dpok-1/.test(text) && ids.some((one) => text.includes(one)))
    assert.deepEqual(telling, [], 'no answer of the server names an image together with a policy')
    assert.ok(answers.some((text) => ids.some((one) => text.includes(one))))

    await person.saved()
    await person.link('See the result').click()
    await person.heading('What people voted').waitFor()
    const { winRates } = await it.studio.client.votes()
    assert.deepEqual(winRates.map(({ form, votes, raters }) => [form, votes, raters]).sort(), [
      ['set', sets, 1],
      ['single', total, 1],
    ])
    for (const { rate, votes } of winRates) {
      const { low, value, high } = rate!
      assert.ok(low! <= value && value <= high!, `${low} to ${high} around ${value}`)
      await page.getByText(new RegExp(`${votes} votes? of 1 rater`)).waitFor()
    }
    await page
      .getByText(/the 95 % interval, \d+ to \d+ %, holds/)
      .first()
      .waitFor()
    await page.getByText(/^With at least two thirds of the votes on a prompt/).waitFor()
    assert.equal(await page.getByRole('main').getByRole('img').count(), 0)
    await person.button('Show side by side').click()
    await person.button('Show them').click()
    await page
      .getByRole('img', { name: /, by dpok-1$/ })
      .first()
      .waitFor()
  })

  test('the report is read in the page', async () => {
    await person.goTo('Train')
    await person.link('Report').click()
    await person.fill({ 'Images per prompt': 2, 'Best of': 1 })
    await page.getByText(/^More settings/).click()
    await person.fill({ 'KL rollouts': 4, Steps: 2 })
    await person.button('Start').click()
    await person.link('Read the report').click({ timeout: jobPatienceMs })
    const report = page.frameLocator('iframe')
    await report.getByText('dpok').first().waitFor()
    assert.ok((await report.getByRole('heading').count()) > 2)
    assert.deepEqual(await seriousViolations(page), [], 'a report')
    assert.deepEqual(
      (await it.studio.client.reports()).reports.map(({ policies }) => policies.map(({ name }) => name)),
      [['base', 'dpok-1']],
    )
  })

  test('the loop is closed: the new policy draws the next round, and the history shows it', async () => {
    // Answers that were given without looking prove nothing: the page does not lead on with this policy.
    await person.open()
    await person.heading('What comes next').waitFor()
    assert.equal(await person.button('Collect again with this policy').count(), 0)
    await person.goTo('Train')
    await person.link('Draw images').click()
    await page.getByLabel('Policy', { exact: true }).selectOption('dpok-1')
    await person.fill({ 'Prompt count': 2, 'Per prompt': 3 })
    await person.button('Start').click()
    await person.link('Label the images').waitFor({ timeout: jobPatienceMs })
    assert.deepEqual(
      (await it.studio.client.rounds()).rounds.map(({ name, policy }) => [name, policy]),
      [
        ['round-1', 'pretrained'],
        ['round-2', 'dpok-1'],
      ],
    )
    await person.goTo('History')
    const entry = page.getByRole('listitem').filter({ hasText: 'round-2' })
    await entry.getByText('from dpok-1').waitFor()
  })
})

/** Votes by keyboard until nothing is left, and never sees which side is which. */
async function voteOnAll(page: Page, keys: readonly string[]): Promise<number> {
  const main = page.getByRole('main')
  for (let votes = 0; ; votes++) {
    const next = main.getByText(new RegExp(`^${votes} of \\d+$`))
    await next.waitFor()
    const total = Number(/of (\d+)/.exec((await next.textContent()) ?? '')?.[1])
    if (votes === total) {
      await main.getByRole('heading', { name: 'All votes are cast. Thank you!' }).waitFor()
      return total
    }
    await main.getByRole('button', { name: 'Left is better' }).waitFor()
    assert.doesNotMatch(await main.innerHTML(), /pretrained|pre-trained|dpok-1/)
    await page.keyboard.press(keys[votes % keys.length])
  }
}
