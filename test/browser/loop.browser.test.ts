/** The whole loop as a person goes through it, with real jobs of the embedded model and the smallest settings. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, noChromium } from './chromium.ts'
import { studioAtWork, type StudioAtWork } from './studio-at-work.ts'
import { jobPatienceMs, launchBrowser, visit, type Visitor } from './visitor.ts'

/** Fills in a form's fields by their labels. */
async function fill(page: Page, values: Readonly<Record<string, string | number>>) {
  for (const [label, value] of Object.entries(values)) {
    await page.getByLabel(label, { exact: true }).fill(String(value))
  }
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name })
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
    await link(page, 'Train').click()
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
})
