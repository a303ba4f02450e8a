/** Every page in both themes, on a phone and a desktop: no serious axe-core violation, and little to load. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createClient } from '../../src/studio/client.ts'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { addImageRun, addRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite, type BrowserStage } from './browser-suite.ts'
import type { VisitorOptions } from './visitor.ts'

const sizes = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
]
const looks: readonly VisitorOptions[] = sizes.flatMap((viewport) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme, reducedMotion: 'reduce' })),
)

/** Opens each page with each look, waits until nothing is on its way, and lets axe look. */
function testPages(it: BrowserStage, addresses: readonly string[], name?: string): void {
  for (const look of looks) {
    const title = `${look.colorScheme}, ${look.viewport!.width} px wide`
    test(title, async () => {
      await using person = await it.visit({ ...look, ...(name !== undefined && { name }) })
      const { page } = person
      const wrong: string[] = []
      for (const address of addresses) {
        await person.open(...address.split('/'))
        await page.getByRole('main').getByRole('heading').first().waitFor({ state: 'attached' })
        await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
        const scrolled = Number(await page.evaluate('document.documentElement.scrollWidth'))
        if (scrolled > look.viewport!.width) wrong.push(`${address}: ${scrolled} px wide`)
        wrong.push(...(await seriousViolations(page)).map((line) => `${address}: ${line}`))
        const [tab, heading] = [await page.title(), await page.locator('main h1').first().textContent()]
        // While somebody votes the heading is the question.
        if (!address.endsWith('/vote') && !tab.includes(heading ?? '')) wrong.push(`${address}: ${tab} over ${heading}`)
      }
      assert.deepEqual(wrong, [])
    })
  }
}

const pages = [
  '',
  'label',
  'gallery',
  'playground',
  'train',
  'train/dpok',
  'runs',
  'compare',
  'rewards',
  'reports',
  'history',
  'models',
  'data',
  'raters',
  'raters/asking',
  'raters/log',
  'account',
  'nowhere',
]

browserSuite('an empty studio can be used by everybody', (it) => {
  testPages(it, pages)

  test('the first page loads at most 250 kB of script, gzipped', async () => {
    await using person = await it.visit()
    const scripts: Promise<number>[] = []
    person.page.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return
      scripts.push(response.body().then((body) => gzipSync(body).length))
    })
    await person.open()
    await person.button('Draw the first images').waitFor()
    const sizes = await Promise.all(scripts)
    const bytes = sizes.reduce((sum, one) => sum + one, 0)
    assert.ok(scripts.length > 0 && bytes <= 250_000, `${bytes} bytes in ${scripts.length} files`)
  })
})

browserSuite('a studio at work can be used by everybody', (it) => {
  before(async () => {
    const { studio, address } = it.studio
    const texts = ['two red circles', 'a blue square', 'ثلاث دوائر', 'a long prompt '.repeat(40).trim()]
    const records = await addImageRun(studio, 'round-1', texts, { perPrompt: 3 })
    for (const rater of ['Ada', 'Ben']) {
      const judgments = records
        .slice(0, 6)
        .map(({ id }, i) => goodBad(`${rater}-${i}`, id, (['good', 'bad', 'skip'] as const)[i % 3]))
      await createClient(address, { rater: () => rater }).judge({ judgments })
    }
    for (const [i, { id }] of records.slice(0, 2).entries()) {
      await it.studio.client.setGold(id, { answer: i === 0 ? 'good' : 'bad' })
    }
    const bins = [0.1, 0.5, 0.9].map((mid) => ({
      low: mid - 0.1,
      high: mid + 0.1,
      n: 4,
      predicted: mid,
      observed: mid,
    }))
    const heldOut = { n: 12, prompts: 2, accuracy: 0.75, auc: 0.8, clipScoreAuc: 0.6, ece: 0.1, reliability: bins }
    const facts = { labels: 12, prompts: 4, raters: 2, simulated: false, head: 'mlp', encoder: { name: 'shapes' } }
    const disagreements = records.slice(0, 2).map(({ id }) => ({ image: id, score: 0.9, people: 0.1, judgments: 2 }))
    addRun(
      studio,
      'reward-1',
      'reward train',
      {},
      { ...facts, heldOut },
      {
        'disagreements.json': JSON.stringify(disagreements),
      },
    )
    addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' }, { updates: 20, imagesDrawn: 160 })
    const policies = ['pretrained', 'dpok-1']
    for (const policy of policies) {
      await addImageRun(studio, `compare-1-${policy}`, texts, { perPrompt: 4, policy, purpose: 'comparison' })
    }
    const runs = policies.map((policy) => `compare-1-${policy}`)
    const at = new Date().toISOString()
    writeComparison(studio.workspace, {
      id: 'compare-1',
      at,
      prompts: texts,
      perPrompt: 4,
      seed: 1,
      policies,
      runs,
      jobs: [],
    })
    const voter = createClient(address, { rater: () => 'Cy' })
    const { tasks } = await voter.voteTasks('compare-1')
    const votes = tasks.map(({ id }, i) => ({ id: `v${i}`, task: id, answer: 'first' as const, at }))
    await voter.vote({ votes })
  })
  testPages(it, [...pages, 'label/pair', 'label/rating', 'compare/compare-1', 'compare/compare-1/vote'], 'Cy')
})
