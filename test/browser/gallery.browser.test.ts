/** All images: found, looked at, chosen, judged, compared and archived by mouse and keyboard. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/studio/client.ts'
import { addImageRun, addRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

const texts = ['two red circles', 'a blue square', 'a cross']
const cells = (page: Page) => page.locator('.gallery-cell')
const total = (page: Page, text: string) => page.getByRole('status').getByText(text, { exact: true }).waitFor()
const transformOf = (page: Page, place = 0) =>
  page.locator('.zoom-pane > img').nth(place).evaluate((image: { style: { transform: string } }) => image.style.transform) // prettier-ignore

browserSuite('the gallery', (it) => {
  let ids: string[] = []
  before(async () => {
    const { studio, address } = it.studio
    const first = await addImageRun(studio, 'images-1', texts, { perPrompt: 25, side: 8 })
    const second = await addImageRun(studio, 'images-2', texts, { perPrompt: 25, side: 8, policy: 'dpok-1' })
    ids = [...first, ...second].map(({ id }) => id)
    const scores = JSON.stringify(Object.fromEntries(ids.slice(0, 10).map((id, i) => [id, i])))
    addRun(studio, 'reward-1', 'reward train', {}, { labels: 9 }, { 'scores.json': scores })
    const judgments = ids.slice(0, 4).map((id, i) => goodBad(`a${i}`, id, i === 0 ? 'bad' : 'good'))
    await createClient(address, { rater: () => 'Ada' }).judge({ judgments })
  })

  test('finds images, keeps what is wanted in the address, and goes back', async () => {
    await using person = await it.visit({ name: 'Cy' })
    const { page } = person
    await person.open('gallery')
    await total(page, '150 images')
    await page.getByLabel('Round').selectOption('images-1')
    await total(page, '75 images')
    await page.getByLabel('Prompt').fill('CROSS')
    await total(page, '25 images')
    await page.getByLabel('Answers').selectOption('good')
    await page.getByText('No image is like that').waitFor()
    await page.goBack()
    await total(page, '25 images')
    assert.match(page.url(), /#\/gallery\?round=images-1&prompt=CROSS$/)
    await page.reload()
    await total(page, '25 images')
    assert.equal(await page.getByLabel('Prompt').inputValue(), 'CROSS')
    await page.goto(`/#/gallery?sort=highest&from=2`)
    await total(page, '8 images')
    assert.match(await cells(page).first().innerText(), /reward 9/)
    // All of them, a page at a time.
    await page.goto('/#/gallery')
    await total(page, '150 images')
    await until(
      async () => {
        await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
        return await cells(page).count()
      },
      (count) => count === 150,
    )
  })

  test('shows an image with its history, and goes on by the arrow keys', async () => {
    await using person = await it.visit({ name: 'Cy' })
    const { page } = person
    await person.open('gallery')
    await page.goto('/#/gallery?sort=oldest')
    await cells(page).first().waitFor()
    await page.getByRole('button', { name: /two red circles, by pre-trained model, 0 good, 1 bad/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Ada: bad').waitFor()
    await dialog.getByText('images-1', { exact: true }).waitFor()
    assert.deepEqual(await seriousViolations(page), [])
    // A comment is written, stands beside its time, is taken back and stands again; its letters are no keys of the dialog.
    const comments = dialog.getByRole('region', { name: 'Comments' })
    await comments.getByLabel('Comment on this image').fill('cut off + 0')
    await page.keyboard.press('+')
    await comments.getByRole('button', { name: 'Add' }).click()
    await comments.getByText('cut off + 0+').waitFor()
    await comments.getByRole('button', { name: 'Take back' }).click()
    await comments.getByRole('button', { name: 'Undo' }).click()
    await comments.getByRole('button', { name: 'Take back' }).waitFor()
    assert.equal(await transformOf(page), 'translate(0%, 0%) scale(1)')
    await dialog.locator('.lightbox-title').click()
    await page.evaluate('document.querySelector("dialog").focus()')
    // Enlarged by a key and the wheel, moved by the arrow keys, whole again.
    await page.keyboard.press('+')
    await until(() => transformOf(page), (transform) => transform.includes('scale(1.5)')) // prettier-ignore
    await page.keyboard.press('ArrowRight')
    await until(() => transformOf(page), (transform) => transform.includes('-12%')) // prettier-ignore
    await page.keyboard.press('0')
    await page.locator('.zoom-pane').hover()
    await page.mouse.wheel(0, -400)
    await until(() => transformOf(page), (transform) => /scale\(2\.[34]/.test(transform)) // prettier-ignore
    await page.keyboard.press('0')
    await page.keyboard.press('ArrowRight')
    await dialog.getByText('Ada: good').waitFor()
    await page.keyboard.press('ArrowLeft')
    // The same noise by the other policy.
    await dialog.getByRole('button', { name: 'dpok-1' }).click()
    await dialog.getByText('images-2', { exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    assert.doesNotMatch(page.url(), /image=/)
  })

  test('chooses by keys, judges, compares and archives', async () => {
    await using person = await it.visit({ name: 'Cy' })
    const { page } = person
    await person.open('gallery')
    await page.goto('/#/gallery?round=images-2&sort=oldest')
    await total(page, '75 images')
    await cells(page).first().getByRole('checkbox').click()
    await cells(page)
      .nth(3)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] })
    await page.getByText('4 images chosen').waitFor()
    await page.keyboard.press('x')
    await page.getByText('3 images chosen').waitFor()
    await page.keyboard.press('Escape')
    await cells(page).first().getByRole('button').focus()
    await page.keyboard.press('Shift+ArrowRight')
    await page.getByText('2 images chosen').waitFor()
    await person.button('Label these').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 of 2: two red circles').waitFor()
    await page.keyboard.press('g')
    await dialog.getByText('2 of 2: two red circles').waitFor()
    await page.keyboard.press('u')
    await page.keyboard.press('b')
    await page.keyboard.press('g')
    await dialog.getByText('All 2 are judged').waitFor()
    await person.saved()
    await dialog.getByRole('button', { name: 'Done' }).click()
    const [one, two] = await Promise.all(ids.slice(75, 77).map((id) => it.studio.client.galleryImage(id)))
    assert.deepEqual([[one.good, one.bad], [two.good, two.bad]], [[0, 1], [1, 0]]) // prettier-ignore
    assert.match(await cells(page).first().innerText(), /0 good, 1 bad/)
    await person.button('Compare these').click()
    await page.keyboard.press('+')
    await until(async () => [await transformOf(page, 0), await transformOf(page, 1)], ([left, right]) => left === right && left.includes('1.5')) // prettier-ignore
    assert.deepEqual(await seriousViolations(page), [])
    await page.keyboard.press('2')
    await dialog.waitFor({ state: 'detached' })
    await until(() => it.studio.client.galleryImage(ids[76]), ({ history }) => history.at(-1)?.told === 'preferred') // prettier-ignore
    await person.button('Archive').click()
    await until(() => cells(page).first().innerText(), (text) => text.includes('not judged')) // prettier-ignore
    await page.getByLabel('Archive').selectOption('only')
    await total(page, '2 images')
    await cells(page).first().getByRole('checkbox').click()
    await person.button('Take back').click()
    await until(() => it.studio.client.gallery({ archived: 'only' }), (left) => left.total === 1) // prettier-ignore
  })
})
