/** What is wrong, and where: a rater marks places and words, by mouse, keyboard and finger, without being slowed down. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Judgment } from '../../src/records.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

browserSuite('marking', (it) => {
  before(async () => {
    // So many that what one rater holds leaves enough for the others.
    const texts = Array.from({ length: 14 }, (_, i) => `${['a red', 'a blue', 'two grey'][i % 3]} thing ${i}`)
    await addImageRun(it.studio.studio, 'round-1', texts, { perPrompt: 3 })
  })
  const judgments = () => it.studio.studio.store.judgments()
  const newest = async (rater: string, count: number): Promise<Judgment> => {
    const all = await until(judgments, (rows) => rows.filter((one) => one.rater === rater).length === count) // prettier-ignore
    return all.filter((one) => one.rater === rater).at(-1)!
  }
  const picture = (page: Page, name: string) => page.getByRole('group', { name: new RegExp(`^${name}: click`) })
  async function clickAt(page: Page, name: string, x: number, y: number): Promise<void> {
    const box = await picture(page, name).locator('.points-area').boundingBox()
    assert.ok(box !== null && Math.abs(box.width - box.height) < 1, 'the area of a square image is square')
    await page.mouse.click(box.x + x * box.width, box.y + y * box.height)
  }
  const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 0.02, `${value} for ${wanted}`)

  for (const look of [
    { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
    { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  ] as const) {
    test(`goes with the answer, and comes back with it: ${look.colorScheme}, ${look.viewport.width} px wide`, async () => {
      const name = `Ada ${look.colorScheme}`
      await using person = await it.visit({ name, ...look, reducedMotion: 'reduce' })
      const { page } = person
      await person.open('label', 'good-bad')
      await page.getByRole('region', { name: 'Image 1 of 3' }).getByRole('button', { name: /Good/ }).waitFor()
      // Without the mode a click chooses an image, as ever.
      assert.equal(await picture(page, 'Image 1').count(), 0)
      await page.keyboard.press('m')
      await clickAt(page, 'Image 1', 0.25, 0.75)
      await page.keyboard.press('n')
      await clickAt(page, 'Image 1', 0.5, 0.25)
      await clickAt(page, 'Image 1', 0.9, 0.9)
      await page.getByRole('button', { name: /^Remove the mark 3 of Image 1: not as asked/ }).click()
      const text = (await page.getByTestId('prompt').textContent()) ?? ''
      const word = /red|blue|grey/.exec(text)![0]
      await page.getByRole('button', { name: `Image 1 misses “${word}”` }).click()
      assert.deepEqual(await seriousViolations(page), [])
      const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'))
      assert.ok(scrolled <= look.viewport.width, `${scrolled} px wide`)
      if (process.env.SHOTS !== undefined)
        await page.screenshot({ path: `${process.env.SHOTS}/marks-${look.colorScheme}.png` })
      await page.keyboard.press('b')
      const given = await newest(name, 1)
      assert.ok(given.kind === 'good-bad-skip' && given.answer === 'bad')
      const { regions = [], misread } = given
      assert.deepEqual(regions.map(({ image, kind }) => [image, kind]), [[0, 'implausible'], [0, 'misaligned']]) // prettier-ignore
      near(regions[0].x, 0.25)
      near(regions[0].y, 0.75)
      near(regions[1].x, 0.5)
      assert.deepEqual(misread, [{ image: 0, word: text.split(' ').findIndex((one) => one.startsWith(word)) }])

      // A reason amends the answer, with its marks; undo takes all of it back, and shows it again, after a reload too.
      await page.keyboard.press('q')
      const amended = await until(judgments, (rows) => rows.some((one) => one.rater === name && one.reasons !== undefined)) // prettier-ignore
      const [reasoned] = amended.filter((one) => one.rater === name)
      assert.ok(reasoned.kind === 'good-bad-skip' && reasoned.regions?.length === 2)
      await person.saved()
      await page.reload()
      await person.open('label', 'good-bad')
      await page.getByRole('button', { name: /^Undo/ }).click()
      await until(judgments, (rows) => rows.every((one) => one.rater !== name)) // prettier-ignore
      await page.getByRole('region', { name: 'Image 1 of 3', exact: true }).waitFor()
      assert.equal(await page.locator('.point').count(), 2)
      await page.keyboard.press('b')
      const again = await newest(name, 1)
      assert.deepEqual(again.kind === 'good-bad-skip' && [again.regions, again.misread], [regions, misread])
      // The next image has none.
      await page.keyboard.press('g')
      assert.ok(!('regions' in (await newest(name, 2))))
    })
  }

  test('pairs: each side has its own marks, and the keys still answer', async () => {
    await using person = await it.visit({ name: 'Ben' })
    const { page } = person
    await person.open('label', 'pair')
    await page.getByRole('button', { name: 'Left is better' }).waitFor()
    await page.keyboard.press('m')
    await clickAt(page, 'Right', 0.5, 0.5)
    await page.getByRole('button', { name: 'Words: right' }).click()
    await page.locator('.prompt-word').first().click()
    assert.deepEqual(await seriousViolations(page), [])
    await page.keyboard.press('ArrowLeft')
    const given = await newest('Ben', 1)
    assert.ok(given.kind === 'pair' && given.answer === 'first')
    assert.deepEqual([given.regions?.map(({ image }) => image), given.misread], [[1], [{ image: 1, word: 0 }]])
  })

  test('ratings: by the keyboard alone', async () => {
    await using person = await it.visit({ name: 'Cleo' })
    const { page } = person
    await person.open('label', 'rating')
    await page.getByRole('button', { name: 'Overall: 7 of 7' }).waitFor()
    await page.keyboard.press('m')
    const area = picture(page, 'Image 1')
    await area.waitFor()
    for (
      let tabs = 0;
      tabs < 60 && !(await area.evaluate((element) => element === element.ownerDocument.activeElement));
      tabs++
    ) {
      await page.keyboard.press('Tab')
    }
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowUp', 'Enter']) await page.keyboard.press(key)
    for (const key of ['7', '6', '5', 'Shift+Tab', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('button', { name: /^Next/ }).click()
    const given = await newest('Cleo', 1)
    assert.ok(given.kind === 'rating')
    assert.deepEqual(given.regions, [{ image: 0, kind: 'implausible', x: 0.4, y: 0.45 }])
  })

  test('a finger that stays marks, and answers nothing', async () => {
    await using person = await it.visit({
      name: 'Dan',
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    })
    const { page } = person
    await person.open('label', 'pair')
    await page.getByRole('button', { name: 'Left is better' }).waitFor()
    const box = await page.locator('.points-area').first().boundingBox()
    assert.ok(box !== null)
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const session = await person.context.newCDPSession(page)
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] })
    await page.getByRole('button', { name: /^Remove the mark 1 of Left/ }).waitFor()
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    assert.equal((await judgments()).filter(({ rater }) => rater === 'Dan').length, 0)
    await page.getByRole('button', { name: /^Left is better/ }).tap()
    const given = await newest('Dan', 1)
    assert.ok(given.kind === 'pair' && given.answer === 'first' && given.regions?.length === 1)
  })
})
