/** The whole loop as a person goes through it, with real jobs of the embedded model and the smallest settings. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, noChromium } from './chromium.ts'
import { studioAtWork, type StudioAtWork } from './studio-at-work.ts'
import { jobPatienceMs, launchBrowser, tellOfFailure, until, visit, type Visitor } from './visitor.ts'

/** Fills in a form's fields by their labels. */
async function fill(page: Page, values: Readonly<Record<string, string | number>>) {
  for (const [label, value] of Object.entries(values)) {
    await page.getByLabel(label, { exact: true }).fill(String(value))
  }
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name })
/** By the list of pages. */
const goTo = (page: Page, name: string) =>
  page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('link', { name: new RegExp(`^${name}`) })
    .click()
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name })

describe('the loop in the browser', { skip: chromiumPath() === undefined && noChromium }, () => {
  let studio: StudioAtWork
  let browser: Browser
  let person: Visitor
  let page: Page
  before(async () => {
    studio = await studioAtWork()
    browser = await launchBrowser()
    person = await visit(browser, studio.address)
    page = person.page
  })
  afterEach((context) => tellOfFailure(context, page))
  after(async () => {
    try {
      await person[Symbol.asyncDispose]()
    } finally {
      await browser.close()
      await studio[Symbol.asyncDispose]()
    }
  })

  test('the first page says what is next, and a round is drawn', async () => {
    await person.open()
    await heading(page, 'Teach a model what you like').waitFor()
    await button(page, 'Draw the first images').waitFor()
    await goTo(page, 'Train')
    await link(page, 'Draw images').click()
    await fill(page, { 'Prompt count': 10, 'Per prompt': 3 })
    await button(page, 'Start').click()
    await link(page, 'Label the images').click({ timeout: jobPatienceMs })
    const { rounds } = await studio.client.rounds()
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
    await heading(page, 'All done. Thank you!').waitFor()
    await page.keyboard.press('u')
    await page.getByText('29 of 30').waitFor()
    assert.equal(
      (await page.getByRole('region', { name: /, good$/ }).count()) +
        (await page.getByRole('region', { name: /, bad$/ }).count()),
      2,
    )
    await page.keyboard.press('g')
    await heading(page, 'All done. Thank you!').waitFor()
    await page.getByRole('status').getByText('Saved').waitFor()
    const { counts } = await studio.client.state()
    assert.deepEqual([counts.judged, counts.good, counts.bad, counts.skip, counts.raters], [28, 16, 12, 2, 1])
    await link(page, 'What comes next').click()
  })

  test('a reward is trained, and its page shows what it has learned', async () => {
    await heading(page, 'What comes next').waitFor()
    await goTo(page, 'Train')
    await fill(page, { Epochs: 5 })
    await button(page, 'Start').click()
    await link(page, 'Look at the reward').click({ timeout: jobPatienceMs })
    await heading(page, 'reward-1').waitFor()
    await heading(page, 'On judgments that it has not seen').waitFor()
    const { labels, heldOut, disagreements } = await studio.client.reward('reward-1')
    assert.equal(labels, 28)
    await page.getByText(`of ${heldOut!.prompts} prompts that training did not see`).waitFor()
    for (const { prompt } of disagreements.slice(0, 1)) {
      await heading(page, 'Where people and reward disagree most').waitFor()
      await page.getByRole('img', { name: prompt }).first().waitFor()
    }
  })

  test('DPOK runs, its curves move, it is stopped, goes on, and shows samples', async () => {
    await goTo(page, 'Train')
    await link(page, 'DPOK').click()
    await fill(page, { 'Images drawn': 320 })
    await page.getByText(/^More settings/).click()
    await fill(page, {
      'Rollouts per iteration': 8,
      'Gradient steps': 1,
      'Value updates': 1,
      Steps: 4,
      'Checkpoint every': 1,
      'Sample every': 10,
    })
    await button(page, 'Start').click()
    const curve = page.getByRole('img', { name: /^reward mean: / })
    await curve.waitFor({ timeout: jobPatienceMs })
    const points = async () => Number(/(\d+) points/.exec((await curve.getAttribute('aria-label')) ?? '')?.[1])
    await button(page, 'Stop').click()
    await button(page, 'Resume').waitFor({ timeout: jobPatienceMs })
    const before = await points()
    await button(page, 'Resume').click()
    await until(points, (now) => now > before, jobPatienceMs)
    await button(page, 'Stop').waitFor({ state: 'hidden', timeout: jobPatienceMs })
    await page.getByRole('main').getByRole('link', { name: 'Compare' }).waitFor({ timeout: jobPatienceMs })
    await page.getByRole('img', { name: /^reward mean: 40 points/ }).waitFor()
    await page.getByRole('img', { name: /^KL: 40 points/ }).waitFor()

    await page.getByText('step 40 · 4 of 4').waitFor()
    await page.getByRole('slider', { name: 'Step of the training' }).press('Home')
    await page.getByText('step 10 · 1 of 4').waitFor()
    const { id } = (await studio.client.jobs()).jobs[0]
    const { settings } = await studio.client.job(id)
    assert.deepEqual([settings.imagesDrawn, (await studio.client.metrics(id)).rows.length], [320, 40])
  })

  test('policies are compared blind, in pairs and in sets, and the win rates have intervals', async () => {
    await page.getByRole('main').getByRole('link', { name: 'Compare' }).click()
    await fill(page, { 'How many prompts': 3, 'Images of each': 4 })
    await button(page, 'Draw and compare').click()
    await heading(page, 'Vote first, then look').waitFor({ timeout: jobPatienceMs })
    const [{ id }] = (await studio.client.comparisons()).comparisons

    const answers: string[] = []
    page.on('response', async (response) => {
      if (response.url().includes('/api/')) answers.push(await response.text().catch(() => ''))
    })
    await link(page, 'Vote blind').click()
    const total = await voteOnAll(page, ['ArrowLeft', '2', 't', '1'])
    await button(page, 'Sets').click()
    const sets = await voteOnAll(page, ['ArrowRight', 'ArrowLeft', 'ArrowRight'])
    assert.ok(total > 3 && sets > 0, `${total} pairs and ${sets} sets`)
    page.removeAllListeners('response')
    const { rows } = await studio.client.comparison(id)
    const ids = rows.flatMap(({ images }) => images.map((image) => image!.id))
    const telling = answers.filter((text) => /pretrained|dpok-1/.test(text) && ids.some((one) => text.includes(one)))
    assert.deepEqual(telling, [], 'no answer of the server names an image together with a policy')
    assert.ok(answers.some((text) => ids.some((one) => text.includes(one))))

    await page.getByRole('status').getByText('Saved').waitFor()
    await link(page, 'See the result').click()
    await heading(page, 'Side by side').waitFor()
    const { winRates } = await studio.client.votes()
    assert.deepEqual(winRates.map(({ form, votes, raters }) => [form, votes, raters]).sort(), [
      ['set', sets, 1],
      ['single', total, 1],
    ])
    for (const { rate, votes } of winRates) {
      assert.ok(rate!.low! < rate!.high! && rate!.low! <= rate!.value && rate!.value <= rate!.high!)
      await page.getByText(new RegExp(`${votes} votes? of 1 rater`)).waitFor()
    }
    await page
      .getByText(/^\d+ % to \d+ %$/)
      .first()
      .waitFor()
    await page.getByText(/^With at least two thirds of the votes on a prompt/).waitFor()
    await page
      .getByRole('img', { name: /, by dpok-1$/ })
      .first()
      .waitFor()
  })

  test('the report is read in the page', async () => {
    await goTo(page, 'Train')
    await page.getByRole('main').getByRole('link', { name: 'Report', exact: true }).click()
    await fill(page, { 'Images per prompt': 2, 'Best of': 1 })
    await page.getByText(/^More settings/).click()
    await fill(page, { 'KL rollouts': 4, Steps: 2 })
    await button(page, 'Start').click()
    await link(page, 'Read the report').click({ timeout: jobPatienceMs })
    const report = page.frameLocator('iframe')
    await report.getByText('dpok').first().waitFor()
    assert.ok((await report.getByRole('heading').count()) > 2)
    assert.deepEqual(
      (await studio.client.reports()).reports.map(({ policies }) => policies.map(({ name }) => name)),
      [['base', 'dpok']],
    )
  })

  test('the loop is closed: the new policy draws the next round, and the history shows it', async () => {
    await person.open()
    await button(page, 'Collect again with this policy').waitFor()
    await goTo(page, 'Train')
    await link(page, 'Draw images').click()
    await page.getByLabel('Policy', { exact: true }).selectOption('dpok-1')
    await fill(page, { 'Prompt count': 2, 'Per prompt': 3 })
    await button(page, 'Start').click()
    await link(page, 'Label the images').waitFor({ timeout: jobPatienceMs })
    assert.deepEqual(
      (await studio.client.rounds()).rounds.map(({ name, policy }) => [name, policy]),
      [
        ['round-1', 'pretrained'],
        ['round-2', 'dpok-1'],
      ],
    )
    await goTo(page, 'History')
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
