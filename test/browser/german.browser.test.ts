/** In German, from the first page to a vote, on a phone and a desktop: no English is left, and nothing is too wide. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { usualGuidelines } from '../../src/studio/server/usual-guidelines.ts'
import { addImageRun, addRun } from '../../src/studio/studio.test-helper.ts'
import { en } from '../../web/texts/en.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import type { Visitor } from './visitor.ts'

/** English sentences and names of buttons; single words may be German as well, as "Name" is. */
function sentencesOf(texts: object): string[] {
  return Object.values(texts).flatMap((text: unknown) =>
    typeof text === 'string' ? (text.includes(' ') ? [text] : []) : typeof text === 'object' ? sentencesOf(text!) : [],
  )
}

/** An admin edits the usual guidelines as they are kept. */
const english = sentencesOf(en).filter((text) => !usualGuidelines.text.includes(text))
const adminPages = [
  '',
  'train/reward',
  'train/policy',
  'train/round',
  'train/report',
  'runs',
  'models',
  'gallery',
  'playground',
  'compare',
  'reports',
  'history',
  'raters',
  'raters/asking',
  'raters/log',
]

/** What is shown is German, and not wider than the window. */
async function look({ page }: Visitor, where: string, isAudited = false): Promise<void> {
  const body = await page.locator('body').innerText()
  const names = await page.locator('[aria-label], [title], [alt], [placeholder]').evaluateAll(
    (all: { getAttribute(name: string): string | null }[]) => all.map((one) => ['aria-label', 'title', 'alt', 'placeholder'].map((name) => one.getAttribute(name)).join('\n')),
  ) // prettier-ignore
  const said = [body, ...names].join('\n')
  assert.deepEqual(
    english.filter((text) => said.includes(text)),
    [],
    `${where}: English`,
  )
  const [scrolled, width] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
  assert.ok(scrolled <= width, `${where}: ${scrolled} px wide`)
  if (isAudited) assert.deepEqual(await seriousViolations(page), [], where)
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
      await person.open('label', 'good-bad')
      await page.getByLabel('Ihr Name').fill('Änne')
      await look(person, 'name')
      await person.button('Anfangen').click()
      await page.getByText('Zeigt das Bild, was verlangt ist?').waitFor()
      assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
      await page.getByRole('button', { name: 'Bild 1: Schlecht' }).click()
      await page.getByText('Warum ist Bild 1 schlecht? (freiwillig)').waitFor()
      await page.getByRole('button', { name: 'falsche Farbe' }).click()
      await page.getByRole('status').getByText('Gespeichert', { exact: true }).waitFor()
      await look(person, 'good or bad', true)
      await page.getByRole('button', { name: 'Richtlinien und Tasten' }).click()
      await page.getByRole('dialog').getByText('Worauf Sie achten').waitFor()
      await look(person, 'guidelines')
      await page.keyboard.press('Escape')
      await page.keyboard.press('m')
      await page.getByText(/^Klicken Sie auf falsche Stellen/).waitFor()
      await look(person, 'marks')
      await page.keyboard.press('m')

      await page.getByRole('button', { name: 'Paare' }).click()
      await page.getByRole('button', { name: 'Links ist besser' }).waitFor()
      await look(person, 'pairs')
      await page.keyboard.press('f')
      await page.getByRole('dialog').getByRole('button', { name: 'Gleich gut' }).waitFor()
      await look(person, 'enlarged')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Punkte' }).click()
      await page.getByRole('button', { name: 'Insgesamt: 7 von 7' }).waitFor()
      await look(person, 'ratings')

      await person.open('compare', 'compare-1', 'vote')
      await page.getByText('Welche Seite zeigt besser, was verlangt ist?').waitFor()
      await look(person, 'vote', true)
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

  test('tells admins all on a phone', async () => {
    const { studio } = it.studio
    const heldOut = { n: 12, prompts: 2, accuracy: 0.75, auc: 0.55, aucInterval: [0.4, 0.7], clipScoreAuc: 0.6 }
    addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, { labels: 12, good: 6, bad: 6, heldOut })
    addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' }, { imagesDrawn: 160 })
    await using person = await it.visit({ viewport: { width: 390, height: 844 }, locale: 'de-DE', name: 'Änne' })
    const { page } = person
    await person.open('rewards')
    await page
      .getByText(/^reward-1 ist noch nicht nachweislich besser als der Zufall \(AUC 0,55; 0,40 … 0,70/)
      .waitFor()
    await look(person, 'rewards')
    for (const place of adminPages) {
      await person.open(...place.split('/'))
      await page.locator('main h1').waitFor()
      await page.locator('main:not(:has([aria-busy=true]))').waitFor()
      await look(person, place)
    }
  })
})
