/** A studio with accounts: who comes in, two raters on the same images, and links that do not work any more. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { trainingJudgments } from '../../src/feedback/training.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'
import type { Visitor } from './visitor.ts'

browserSuite(
  'accounts',
  (it) => {
    const links = new Map<string, string>()
    before(() => addImageRun(it.studio.studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 3 }))
    const comeIn = async (link: string): Promise<Visitor> => {
      const person = await it.visit()
      await person.page.goto(link)
      // Whoever is not signed in yet is told so once.
      person.expected.push(/status of 401/)
      await person.button('Come in').click()
      return person
    }

    test('without a link nobody comes in', async () => {
      await using person = await it.visit()
      person.expected.push(/status of 401/)
      await person.open('label')
      await person.heading('Welcome to the studio').waitFor()
      assert.equal(await person.page.getByRole('navigation').count(), 0)
    })

    test('the admin invites two raters, who label the same images', async () => {
      await using admin = await comeIn(it.studio.invitation!)
      await admin.goTo('Raters')
      for (const name of ['Ben', 'Cara', 'Dora']) {
        await admin.fill({ Name: name })
        await admin.button('Invite').click()
        await admin.page.getByRole('listitem').filter({ hasText: name }).waitFor()
        links.set(name, (await admin.page.getByText(/\/#\/invitation\//).textContent())!)
      }
      assert.equal(new Set(links.values()).size, 3)
      const headers = { 'x-attune': '1' }
      const data = { mode: 'good-bad', overlapShare: 1, goldShare: 0 }
      assert.equal((await admin.context.request.put('/api/asking', { data, headers })).status(), 200)

      for (const [name, keys] of [
        ['Ben', 'ggbbgb'],
        ['Cara', 'ggbbgg'],
      ] as const) {
        await using rater = await comeIn(links.get(name)!)
        await rater.heading(`Welcome, ${name}`).waitFor()
        assert.equal(await rater.page.getByRole('link', { name: 'Train' }).count(), 0)
        await rater.link('Label').click()
        for (const [i, key] of [...keys].entries()) {
          await rater.page.getByText(`${i} of 6`).waitFor()
          await rater.button(/Good$/).first().waitFor()
          await rater.page.keyboard.press(key)
        }
        await rater.heading('All done. Thank you!').waitFor()
        await rater.saved()
        await rater.open('train')
        await rater.heading('There is no such page').waitFor()
      }

      await admin.page.reload()
      await admin.heading('Good or bad').waitFor()
      for (const figure of ['Krippendorff’s α, nominal', 'Fleiss’ κ']) {
        await admin.page.getByText(figure).first().waitFor()
      }
      await admin.heading('Cohen’s κ of two raters').waitFor()
      await admin.page.getByRole('term').filter({ hasText: 'Ben and Cara' }).waitFor()
      await admin.page.getByText('6 items judged by two or more of 2 raters').waitFor()

      const cara = admin.page.getByRole('switch', { name: 'Answers of Cara train rewards' })
      assert.equal(await cara.getAttribute('aria-checked'), 'true')
      await cara.click()
      await cara.and(admin.page.getByRole('switch', { checked: false })).waitFor()
      const { store } = it.studio.studio
      assert.deepEqual((await store.judgments()).length, 12)
      assert.ok((await trainingJudgments(store)).every(({ rater }) => rater === 'Ben'))
    })

    test('a link that was used or has expired says so, and what to do', async () => {
      const { database } = it.studio.studio.store
      const past = '2026-01-01T00:00:00.000Z'
      await database.updateTable('invitations').set({ expires_at: past }).where('name', '=', 'Dora').execute()
      for (const name of ['Ben', 'Dora']) {
        await using person = await comeIn(links.get(name)!)
        person.expected.push(/status of 410/)
        await person.heading('This link does not work any more').waitFor()
        await person.page.getByText(/ask .* for a new one/i).waitFor()
        assert.equal(await person.button('Come in').count(), 0)
      }
      await using admin = await it.visit()
      admin.expected.push(/status of 401/)
      await admin.open('raters')
      await admin.heading('Welcome to the studio').waitFor()
    })
  },
  { host: '0.0.0.0' },
)
