/** Raters differ, an admin asks a third one with one click, and that rater settles it. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { addImageRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { createClient } from '../../src/studio/client.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

browserSuite('a third rater', (it) => {
  before(async () => {
    const { studio, address } = it.studio
    const records = await addImageRun(studio, 'round-1', ['two red circles', 'a long prompt '.repeat(40).trim()], {
      perPrompt: 3,
    })
    const [a, b, c, d] = records.map(({ id }) => id)
    const as = (rater: string) => createClient(address, { rater: () => rater })
    await as('Ada').judge({ judgments: [goodBad('1', a), goodBad('2', b), goodBad('3', d)] })
    const marks = {
      misread: [{ image: 0, word: 1 }],
      regions: [
        { image: 0, kind: 'misaligned' as const, x: 0.3, y: 0.6 },
        { image: 0, kind: 'implausible' as const, x: 0.8, y: 0.2 },
      ],
      reasons: ['wrong-color'],
    }
    await as('Ben').judge({
      judgments: [{ ...goodBad('4', a, 'bad'), ...marks }, goodBad('5', b, 'bad'), goodBad('6', d, 'bad')],
    })
    const pair = { kind: 'pair' as const, images: [a, c], at: '2026-01-01T00:00:00.000Z' }
    await as('Ada').judge({ judgments: [{ ...pair, id: '7', answer: 'first' }] })
    await as('Ben').judge({ judgments: [{ ...pair, id: '8', answer: 'second' }] })
  })

  for (const look of [
    { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
    { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  ] as const) {
    test(`shows what each said and marked: ${look.colorScheme}, ${look.viewport.width} px wide`, async () => {
      await using person = await it.visit({ ...look, reducedMotion: 'reduce' })
      const { page } = person
      await person.open('raters')
      const section = page.getByRole('region', { name: 'Disagreements to settle' })
      await section.getByText('4 labels on which raters differ').waitFor()
      await section.getByText('misses “red”').waitFor()
      assert.equal(await section.locator('.point').count(), 2)
      assert.deepEqual(await seriousViolations(page), [])
      const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'))
      assert.ok(scrolled <= look.viewport.width, `${scrolled} px wide`)
    })
  }

  test('one click for one label, one for all that are shown; and the third rater is asked first', async () => {
    await using admin = await it.visit({ name: 'Admin' })
    await admin.open('raters')
    const section = admin.page.getByRole('region', { name: 'Disagreements to settle' })
    await section.getByRole('button', { name: 'Ask a third rater', exact: true }).first().click()
    await section.getByText('1 with another rater, 0 settled').waitFor()
    await section.getByRole('button', { name: 'Ask a third rater about all 3 shown' }).click()
    await section.getByText('4 with another rater, 0 settled').waitFor()
    assert.equal(await section.getByRole('button', { name: /^Ask/ }).count(), 0)

    await using third = await it.visit({ name: 'Cleo' })
    const { page } = third
    await third.open('label', 'pair')
    await page.getByText('one more opinion is wanted here').waitFor()
    await page.getByRole('button', { name: 'Left is better' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await until(() => it.studio.client.disagreements(), ({ settled }) => settled === 1) // prettier-ignore
    await admin.page.reload()
    await section.getByText('3 with another rater, 1 settled').waitFor()
  })
})
