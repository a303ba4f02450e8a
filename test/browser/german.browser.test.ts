/** In German, from the first page to a vote, on a phone and a desktop: no English is left, and nothing is too wide. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { en } from '../../web/texts/en.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'

/** English sentences and names of buttons; single words may be German as well, as "Name" is. */
function sentencesOf(texts: object): string[] {
  return Object.values(texts).flatMap((text: unknown) =>
    typeof text === 'string' ? (text.includes(' ') ? [text] : []) : typeof text === 'object' ? sentencesOf(text!) : [],
  )
}

browserSuite('a studio in German', (it) => {
  const texts = ['two red circles', 'a blue square']
  before(async () => {
    const { studio } = it.studio
    await addImageRun(studio, 'round-1', texts, { perPrompt: 4 })
    const policies = ['pretrained', 'dpok-1']
    const runs = policies.map((policy) => `compare-1-${policy}`)
    for (const [i, policy] of policies.entries()) {
      await addImageRun(studio, runs[i], texts, { perPrompt: 4, policy, purpose: 'comparison' })
    }
    const at = new Date().toISOString()
    writeComparison(studio.workspace, { id: 'compare-1', at, prompts: texts, perPrompt: 4, seed: 1, policies, runs, jobs: [] }) // prettier-ignore
  })

  for (const viewport of [
    { width: 390, height: 844 },
    { width: 1440, height: 900 },
  ]) {
    test(`labels and votes, ${viewport.width} px wide`, async () => {
      await using person = await it.visit({ viewport, locale: 'de-AT' })
      const { page } = person
      const english = sentencesOf(en)
      const look = async (where: string, isAudited = false) => {
        const body = await page.locator('body').innerText()
        const names = await page.locator('[aria-label], [title], [alt]').evaluateAll(
          (all: { getAttribute(name: string): string | null }[]) => all.map((one) => ['aria-label', 'title', 'alt'].map((name) => one.getAttribute(name)).join('\n')),
        ) // prettier-ignore
        const said = [body, ...names].join('\n')
        assert.deepEqual(
          english.filter((text) => said.includes(text)),
          [],
          `${where}: English`,
        )
        const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'))
        assert.ok(scrolled <= viewport.width, `${where}: ${scrolled} px wide`)
        if (isAudited) assert.deepEqual(await seriousViolations(page), [], where)
      }
      await person.open('label', 'good-bad')
      await page.getByLabel('Ihr Name').fill('Änne')
      await look('name')
      await person.button('Anfangen').click()
      await page.getByText('Zeigt das Bild, was verlangt ist?').waitFor()
      assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
      await page.getByRole('button', { name: 'Bild 1: Schlecht' }).click()
      await page.getByText('Warum ist Bild 1 schlecht? (freiwillig)').waitFor()
      await page.getByRole('button', { name: 'falsche Farbe' }).click()
      await page.getByRole('status').getByText('Gespeichert', { exact: true }).waitFor()
      await look('good or bad', true)
      await page.getByRole('button', { name: 'Richtlinien und Tasten' }).click()
      await page.getByRole('dialog').getByText('Worauf Sie achten').waitFor()
      await look('guidelines')
      await page.keyboard.press('Escape')
      await page.keyboard.press('m')
      await page.getByText(/^Klicken Sie auf falsche Stellen/).waitFor()
      await look('marks')
      await page.keyboard.press('m')

      await page.getByRole('button', { name: 'Paare' }).click()
      await page.getByRole('button', { name: 'Links ist besser' }).waitFor()
      await look('pairs')
      await page.keyboard.press('f')
      await page.getByRole('dialog').getByRole('button', { name: 'Gleich gut' }).waitFor()
      await look('enlarged')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Punkte' }).click()
      await page.getByRole('button', { name: 'Insgesamt: 7 von 7' }).waitFor()
      await look('ratings')

      await person.open('compare', 'compare-1', 'vote')
      await page.getByText('Welche Seite zeigt besser, was verlangt ist?').waitFor()
      await look('vote', true)
      await page.getByRole('button', { name: 'Rechts ist besser' }).click()
      // The second visit goes on where the first one was.
      await page.getByText(/[12] von 8/).waitFor()
      await page.getByRole('status').getByText('Gespeichert', { exact: true }).waitFor()

      // The choice is kept, and English comes back at once.
      const menu = page.getByRole('button', { name: 'Menü' })
      if (await menu.isVisible()) await menu.click()
      await page.getByRole('button', { name: 'English' }).and(page.locator(':visible')).click()
      await page.getByText('Which side shows the prompt better?').waitFor()
      await page.reload()
      await page.getByRole('button', { name: 'Right is better' }).waitFor()
      assert.equal(await page.evaluate('document.documentElement.lang'), 'en')
    })
  }
})
