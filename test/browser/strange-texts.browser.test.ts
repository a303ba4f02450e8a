/** Prompts and names are data: whatever they hold is shown as text on every page, and nothing of it runs. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { ImageRecord } from '../../src/records.ts'
import { createClient } from '../../src/studio/client.ts'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { addImageRun, addRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'

const script = '<script>alert("prompt")</script><img src=x onerror="alert(1)">'
const texts = [
  script,
  `"quotes" 'and' \`ticks\` & &amp; \${7*7} {{7*7}} \\u0041 </p>`,
  'ثلاث دوائر حمراء ‮reversed‬ שלום',
  '👩🏽‍🚀🏳️‍🌈 e\u0301 \u{1F1EA}\u{1F1FA}',
  `${'a long prompt '.repeat(700)}end`,
]
const names = ['<b onclick=alert(1)>Ada</b>', 'يوسف "J" 👾']

browserSuite('strange texts', (it) => {
  let records: ImageRecord[] = []
  before(async () => {
    const { studio } = it.studio
    records = await addImageRun(studio, 'round-1', texts, { perPrompt: 2 })
    const labels = { labels: 10, prompts: 5, raters: 2, simulated: false, head: 'mlp', encoder: { name: script } }
    addRun(studio, 'reward-1', 'reward train', {}, labels, {
      'disagreements.json': JSON.stringify(
        records.slice(0, 4).map(({ id }) => ({ image: id, score: 0.9, people: 0.1, judgments: 2 })),
      ),
    })
    addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' })
    for (const policy of ['pretrained', 'dpok-1']) {
      await addImageRun(studio, `compare-1-${policy}`, texts, { perPrompt: 1, policy, purpose: 'comparison' })
    }
    writeComparison(studio.workspace, {
      id: 'compare-1',
      at: new Date().toISOString(),
      prompts: texts,
      perPrompt: 1,
      seed: 1,
      policies: ['pretrained', 'dpok-1'],
      runs: ['compare-1-pretrained', 'compare-1-dpok-1'],
      jobs: [],
    })
    await it.studio.client.setGuidelines({
      text: `# ${script}\n\n- ${texts[1]}\n- ${texts[2]}`,
      reasons: [{ code: 'script', label: script }],
      consent: script,
    })
  })

  test('are shown as text on every page, and nothing of them runs', async () => {
    await using person = await it.visit({ name: script })
    const { page } = person
    const shows = async (...expected: readonly string[]) => {
      for (const text of expected) await page.getByText(text.slice(0, 60)).first().waitFor()
      assert.equal(await page.locator('script:not([src]), img[src=x], [onclick], [onerror]').count(), 0, page.url())
    }
    await person.open('label', 'good-bad')
    await shows(script)
    await person.button('I agree').click()
    const seen = new Set<string>()
    for (const _text of texts) {
      const prompt = await page.getByTestId('prompt').textContent()
      seen.add(prompt!)
      await shows(prompt!.trim(), script)
      await page.keyboard.press('Shift+G')
      await page.getByText(`${2 * seen.size} of 10`).waitFor()
    }
    assert.deepEqual([...seen].sort(), [...texts].sort())
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await shows(texts[1], texts[2])
    await page.keyboard.press('Escape')
    await person.saved()
    for (const [r, name] of names.entries()) {
      const judgments = records.map(({ id }, i) => goodBad(`${r}-${i}`, id, i % 2 === 0 ? 'good' : 'bad'))
      await createClient(it.studio.address, { rater: () => name }).judge({ judgments })
    }
    for (const mode of ['pair', 'rating']) {
      await person.open('label', mode)
      await page.getByTestId('prompt').waitFor()
      await shows(script)
    }
    for (const [address, ...expected] of [
      [''],
      ['raters', ...names, script],
      ['rewards', script],
      ['history'],
      ['data'],
      ['train/round'],
      ['train/dpok'],
    ]) {
      await person.open(...address.split('/'))
      await page.getByRole('heading').first().waitFor()
      await shows(...expected)
    }
    await person.open('compare', 'compare-1', 'vote')
    await page.getByTestId('prompt').waitFor()
    await shows()
    await page.keyboard.press('1')
    await page.getByText('1 of 5').waitFor()
    await person.saved()
    await person.open('compare', 'compare-1')
    await person.button('Show side by side').click()
    await person.button('Show them').click()
    await shows(...texts)
  })
})
