/** Images that are judged: they use the window, are enlarged by click, key, wheel and pinch, and answered by buttons and keys. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

browserSuite('images that are judged', (it) => {
  before(async () => {
    await addImageRun(it.studio.studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 6, side: 8 })
  })

  test('a pair: a click enlarges both in step, and buttons and keys answer', async () => {
    await using person = await it.visit({ name: 'Cy', viewport: { width: 2560, height: 1440 } })
    const { page } = person
    await person.open('label', 'pair')
    const left = page.getByRole('button', { name: 'Enlarge left' })
    await page.getByRole('button', { name: 'Left is better' }).waitFor()
    const { width } = (await left.boundingBox())!
    assert.ok(width > 600, `${width} px wide in a window of 2560`)
    await left.click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Right is better' }).waitFor()
    assert.equal(await dialog.getByRole('img').count(), 2)
    assert.deepEqual(await seriousViolations(page), [])
    await dialog.locator('.zoom-pane').first().hover()
    await page.mouse.wheel(0, -500)
    const views = () => dialog.locator('.zoom-pane > img').evaluateAll((all: { style: { transform: string } }[]) => all.map(({ style }) => style.transform)) // prettier-ignore
    await until(views, ([one, two]) => one === two && /scale\([2-9]/.test(one))
    await page.keyboard.press(' ')
    await dialog.waitFor({ state: 'detached' })
    assert.equal((await it.studio.client.state()).counts.pairs, 0)
    await page.keyboard.press('f')
    await dialog.waitFor()
    await page.keyboard.press('2')
    await dialog.waitFor({ state: 'detached' })
    await until(() => it.studio.client.state(), ({ counts }) => counts.pairs === 1) // prettier-ignore
    await page.getByRole('button', { name: 'Left is better' }).click()
    await until(() => it.studio.client.state(), ({ counts }) => counts.pairs === 2) // prettier-ignore
  })

  test('good or bad: a key, a button or two fingers enlarge an image, and nothing is answered by it', async () => {
    await using person = await it.visit({ name: 'Di', viewport: { width: 390, height: 844 }, hasTouch: true })
    const { page } = person
    await person.open('label', 'good-bad')
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Image 2 of 3', exact: true }).tap()
    await page.getByRole('button', { name: 'Enlarge image 2' }).tap()
    await dialog.getByText('Image 2').waitFor()
    await dialog.getByRole('button', { name: 'Comments' }).tap()
    await dialog.getByLabel('Comment on this image').fill('good, but cut')
    await dialog.getByRole('button', { name: 'Add' }).tap()
    await dialog.getByRole('button', { name: 'Take back' }).waitFor()
    assert.deepEqual(await seriousViolations(page), [])
    await dialog.getByRole('button', { name: 'Comments' }).tap()
    await page.evaluate('document.querySelector("dialog").focus()')
    await page.keyboard.press('ArrowRight')
    await dialog.getByText('Image 3').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).tap()
    await page.keyboard.press('1')
    await page.keyboard.press('f')
    await dialog.getByText('Image 1').waitFor()
    const pinch = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
      pinch.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: 195 - apart, y: 400, id: 1 }, { x: 195 + apart, y: 400, id: 2 }],
      }) // prettier-ignore
    await touch('touchStart', 30)
    for (const apart of [40, 60, 80]) await touch('touchMove', apart)
    await touch('touchEnd', 0)
    const image = dialog.locator('.zoom-pane > img')
    await until(() => image.evaluate((one: { style: { transform: string } }) => one.style.transform), (transform) => /scale\(2\.[4-9]/.test(transform)) // prettier-ignore
    await page.keyboard.press('Escape')
    assert.equal((await it.studio.client.state()).counts.good, 0)
  })
})
