/** Labelling with a thumb: one image at a time, buttons in reach, and swipes that answer and take back. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

browserSuite('labelling on a phone', (it) => {
  before(() =>
    addImageRun(it.studio.studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 3, side: 8 }),
  )

  test('shows one image, answers by swipes and takes back', async () => {
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
    await using person = await it.visit({ name: 'Di', ...phone })
    const { page } = person
    await person.open('label', 'good-bad')
    const cards = page.locator('.judged-one:visible')
    await cards.first().locator('img').waitFor()
    assert.equal(await cards.count(), 1)
    const places = await Promise.all(['good', 'bad', 'skip'].map(async (name) => (await page.locator(`.judged-one:visible .judge.${name}`).boundingBox())!)) // prettier-ignore
    for (const { y, height } of places) assert.ok(y > 422 && y + height <= 844 && height >= 56, JSON.stringify(places))
    assert.deepEqual(await seriousViolations(page), [])

    const session = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x = 0, y = 0) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y, id: 1 }] })
    const swipe = async (dx: number, dy: number, from?: number) => {
      const { x, y, width, height } = (await cards.locator('.judged-picture').boundingBox())!
      const [startX, startY] = [from ?? x + width / 2, y + height / 2]
      await touch('touchStart', startX, startY)
      for (const share of [0.25, 0.5, 0.75, 1]) await touch('touchMove', startX + dx * share, startY + dy * share)
      const told = await page.locator('.swipe-told').allInnerTexts()
      await touch('touchEnd')
      await page.locator('.swipe-told').waitFor({ state: 'detached' })
      return told[0]
    }
    const counted = async () => {
      const { good, bad, skip } = (await it.studio.client.state()).counts
      return [good, bad, skip].join()
    }
    const shown = () => cards.getAttribute('aria-label')
    const becomes = (counts: string, label: RegExp) =>
      until(async () => [await counted(), await shown()] as const, ([now, card]) => now === counts && label.test(card ?? '')) // prettier-ignore
    // Too short, and from where the browser's own gestures begin.
    assert.equal(await swipe(40, 4), 'Good')
    assert.equal(await swipe(150, 0, 8), undefined)
    // Nothing was answered yet: there is nothing to take back.
    assert.equal(await swipe(0, 160), undefined)
    await becomes('0,0,0', /^Image 1 of 3/)
    assert.equal(await swipe(150, 20), 'Good')
    await becomes('1,0,0', /^Image 2 of 3/)
    assert.equal(await swipe(-150, 20), 'Bad')
    await becomes('1,1,0', /^Image 3 of 3/)
    assert.equal(await swipe(10, 160), 'Undo')
    await becomes('1,0,0', /^Image 2 of 3/)
    assert.equal(await swipe(0, -160), 'Skip')
    await becomes('1,0,1', /^Image 3 of 3/)
    await page.locator('.judged-one:visible .judge.bad').click()
    await becomes('1,1,1', /^Image 1 of 3/)
    // The way back leads to the prompt before.
    assert.equal(await swipe(0, 160), 'Undo')
    await becomes('1,0,1', /^Image 3 of 3/)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
  })
})
