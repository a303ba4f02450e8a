/** What a comparison and a report came to, as a person reads and hands it on. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { syntheticReport } from '../../src/report/page/synthetic-report.test-helper.ts'
import { writeReport } from '../../src/report/write-report.ts'
import { createClient } from '../../src/studio/client.ts'
import { writeComparison } from '../../src/studio/server/comparison-files.ts'
import { addImageRun, addRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

browserSuite('the verdict', (it) => {
  const policies = ['pretrained', 'dpok-1']
  let tuned: ReadonlySet<string>
  const as = (rater: string) => createClient(it.studio.address, { rater: () => rater })
  /** Votes for the tuned policy on the first questions of a rater. */
  const voteFor = async (rater: string, count: number) => {
    const { tasks } = await as(rater).voteTasks('compare-1', { count })
    const at = new Date().toISOString()
    const answerOf = ({ first }: (typeof tasks)[number]) => (tuned.has(first[0].id) ? ('first' as const) : ('second' as const)) // prettier-ignore
    await as(rater).vote({ votes: tasks.map((task, i) => ({ id: `${rater}-${i}`, task: task.id, answer: answerOf(task), at })) }) // prettier-ignore
  }

  before(async () => {
    const { studio } = it.studio
    const texts = ['two red circles', 'a blue square', 'three crosses']
    addRun(studio, 'dpok-1', 'policy dpok', { reward: 'runs/reward-1' })
    for (const policy of policies) {
      await addImageRun(studio, `compare-1-${policy}`, texts, { perPrompt: 4, policy, purpose: 'comparison' })
    }
    const runs = policies.map((policy) => `compare-1-${policy}`)
    const about = { prompts: texts, perPrompt: 4, policies, at: new Date().toISOString() }
    writeComparison(studio.workspace, { ...about, id: 'compare-1', seed: 1, runs, jobs: [] })
    tuned = new Set((await as('Opener').openComparison('compare-1')).rows.map(({ images }) => images[1]!.id))
    addRun(studio, 'report-1', 'report', {})
    writeReport(studio.workspace.at('runs', 'report-1'), await syntheticReport())
  })

  test('is given blind, decided, read first, handed on by a link, and only then shown beside the images', async () => {
    await voteFor('Cy', 4)
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    // The gallery knows nothing of images that are to be voted on.
    await person.open('gallery')
    await page.getByText(/no images|nothing/i).first().waitFor() // prettier-ignore
    assert.equal(await page.getByRole('main').getByRole('img').count(), 0)

    await person.open('compare', 'compare-1', 'vote')
    await page.getByText(/^About \d+ more votes would decide it|^At least \d+ more votes are needed/).waitFor()
    const left = person.button(/^Left is better/)
    await left.focus()
    await page.keyboard.press('Enter')
    await page.getByText('1 of 12').waitFor()
    await left.waitFor()
    // Nothing of the next question looks chosen.
    assert.equal(await page.locator('.duel-frame :focus').count(), 0)
    await left.click()
    await page.getByText('2 of 12').waitFor()
    const looks = (side: number) =>
      page.evaluate<string>(
        `(({ background, outline }) => JSON.stringify([background, outline]))(getComputedStyle(document.querySelectorAll('.duel-caption')[${side}]))`,
      )
    assert.equal(await looks(0), await looks(1))
    await person.button(/^Undo/).click()
    await page.getByText('1 of 12').waitFor()
    await person.button(/^Undo/).click()
    await page.getByText('0 of 12').waitFor()
    await person.saved()

    await voteFor('Ben', 12)
    await page.reload()
    await page.getByText('It is decided: the votes of all raters show which one is better. You may go on.').waitFor()
    await person.button(/^Left is better/).waitFor()

    await person.open('compare', 'compare-1')
    const verdict = person.heading('dpok-1 is clearly better than the pre-trained model.')
    await verdict.waitFor()
    assert.ok((await verdict.boundingBox())!.y < 450, 'the verdict comes first')
    await page.getByText('12 wins, 0 ties, 0 losses').waitFor()
    assert.equal(await page.getByRole('main').getByRole('img').count(), 0)
    assert.deepEqual(await seriousViolations(page), [])

    await person.button('Share').click()
    const sheet = page.getByRole('dialog')
    await sheet.getByRole('button', { name: 'Make a link' }).click()
    const link = await sheet.getByLabel('The link: it is told only now').inputValue()
    assert.match(await (await fetch(link)).text(), /dpok-1 is clearly better than the pre-trained model/)
    await sheet.getByRole('button', { name: 'Withdraw' }).click()
    await sheet.getByText('There is no link to it.').waitFor()
    assert.equal((await fetch(link)).status, 404)
    await page.keyboard.press('Escape')

    await person.button('Show side by side').click()
    await person.button('Show them').click()
    await page
      .getByRole('img', { name: /, by dpok-1$/ })
      .first()
      .waitFor()
    await person.open('compare', 'compare-1', 'vote')
    await person.heading('You have seen which policy drew what').waitFor()
  })

  test('of a report stands in the page, in its colours and as high as it is', async () => {
    await using person = await it.visit({ name: 'Ada', colorScheme: 'dark' })
    const { page } = person
    await person.open('reports', 'report-1')
    const report = page.frameLocator('iframe')
    await report.getByRole('heading', { name: 'What to do next' }).waitFor()
    const figures = () =>
      page.evaluate<{ height: number; content: number; colours: string[] }>(`(() => {
        const { contentDocument: inner, clientHeight: height } = document.querySelector('iframe')
        const colours = [document.body, inner.body].map((body) => getComputedStyle(body).backgroundColor)
        return { height, content: inner.documentElement.getBoundingClientRect().height, colours }
      })()`)
    const fits = ({ height, content }: Awaited<ReturnType<typeof figures>>) => Math.abs(height - content) <= 1
    const before = await until(figures, fits)
    assert.equal(before.colours[0], before.colours[1])
    await report.getByText('The policies side by side').click()
    await until(figures, (now) => fits(now) && now.height > before.height + 200)
    assert.deepEqual(await seriousViolations(page), [])
    const file = page.getByRole('link', { name: 'Download' })
    assert.equal(await file.getAttribute('download'), 'report-1.html')
    assert.match(await (await fetch(`${it.studio.address}/reports/report-1`)).text(), /<h2>What it cost/)
    await page.getByRole('button', { name: 'Light' }).click()
    await until(figures, ({ colours: [own, inner] }) => own === inner && own !== before.colours[0])
  })
})
