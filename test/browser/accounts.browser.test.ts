/** A studio with accounts: who comes in, two raters on the same images, and links that do not work any more. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { readGold } from '../../src/feedback/queue/gold.ts'
import { readAdmins } from '../../src/feedback/raters/raters.ts'
import { readGuidelines } from '../../src/feedback/guidelines.ts'
import { readSettings } from '../../src/feedback/store/settings.ts'
import { trainingJudgments } from '../../src/feedback/training-judgments.ts'
import { invite } from '../../src/studio/server/accounts.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
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

      await admin.link('How raters are asked').click()
      await admin.fill({ 'Overlap, %': 120 })
      await admin.page.getByText('Accepted: 0 to 100 %.').waitFor()
      assert.equal(await admin.button('Save how they are asked').isDisabled(), true)
      await admin.fill({ 'Overlap, %': 100, 'Gold, %': 0 })
      await admin.page.getByLabel('First way of asking').selectOption('Pairs')
      await admin.button('Save how they are asked').click()
      await admin.page.getByText('Saved: the next questions are asked so.').waitFor()
      const { mode, overlapShare, goldShare } = await readSettings(it.studio.studio.store.database)
      assert.deepEqual([mode, overlapShare, goldShare], ['pair', 1, 0])

      await admin.fill({ Text: '# Colours\n\n- Count every colour.', 'Reason 2': 'colour off' })
      await admin.heading('Colours').waitFor()
      // What is not saved outlives the page.
      await admin.goTo('Home')
      await admin.goTo('Raters')
      await admin.link('How raters are asked').click()
      await admin.page.getByText('Not saved yet. What you write stays in this browser.').waitFor()
      await admin.button('Add a reason').click()
      await admin.button('Save the guidelines').click()
      await admin.page.getByRole('alert').getByText('Not saved').waitFor()
      await admin.fill({ 'Reason 7': 'Too dark!' })
      assert.equal(await admin.page.getByLabel('Code of reason 7').inputValue(), 'too-dark')
      await admin.button('Move reason 7 up').click()
      await admin.button('Remove reason 1').click()
      const cards = admin.page.getByRole('list', { name: 'Example images' }).getByRole('listitem')
      assert.equal(await cards.count(), 4)
      await cards.first().getByRole('button', { name: 'Remove' }).click()
      await admin.page.getByLabel('Why, for “a green triangle”').fill('Green, as asked.')
      await admin.button('Save the guidelines').click()
      await admin.page.getByText(/^Saved as a new version/).waitFor()
      const versions = await readGuidelines(it.studio.studio.store.database)
      assert.deepEqual(
        versions.map(({ reasons }) => reasons.map(({ code }) => code)),
        [['wrong-color', 'wrong-count', 'wrong-background', 'distorted', 'too-dark', 'unpleasant']],
      )
      assert.equal(versions[0].reasons[0].label, 'colour off')

      for (const [name, keys] of [
        ['Ben', 'ggbbgb'],
        ['Cara', 'ggbbgg'],
      ] as const) {
        await using rater = await comeIn(links.get(name)!)
        await rater.heading(`Welcome, ${name}`).waitFor()
        assert.equal(await rater.page.getByRole('link', { name: 'Train' }).count(), 0)
        await rater.link('Label').click()
        await rater.page.getByRole('button', { name: 'Pairs', pressed: true }).waitFor()
        await rater.button('Good or bad').click()
        await rater.page.getByText('0 of 6').waitFor()
        await rater.page.keyboard.press('?')
        await rater.page.getByRole('dialog').getByText('Count every colour.').waitFor()
        assert.equal(await rater.page.getByRole('link', { name: 'Edit the guidelines' }).count(), 0)
        await rater.page.getByText('Green, as asked.').waitFor()
        await rater.button('Enlarge Good: a green triangle').press('Enter')
        const enlarged = rater.page.getByRole('dialog', { name: 'Good: a green triangle' })
        await enlarged.waitFor()
        assert.equal(await enlarged.getByRole('button', { name: 'Comments' }).count(), 0)
        await rater.page.keyboard.press('Escape')
        await enlarged.waitFor({ state: 'hidden' })
        await rater.page.keyboard.press('Escape')
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

      const { store } = it.studio.studio
      const byBen = (await store.judgments()).find(({ rater, answer }) => rater === 'Ben' && answer === 'good')!
      const prompt = (await store.images()).find(({ record }) => record.id === byBen.images[0])!.record.text
      await admin.heading('There are no gold images yet').waitFor()
      await admin.button('Add gold images').click()
      await admin.fill({ 'Search prompts': prompt.toUpperCase() })
      await admin.page.getByText('1 to 3 of 3').waitFor()
      const offered = admin.page.getByRole('list', { name: 'Images', exact: true }).getByRole('listitem')
      const card = offered.filter({ has: admin.page.locator(`img[src*="${byBen.images[0]}"]`) })
      await card.getByRole('button', { name: 'Bad' }).click()
      await card.getByRole('button', { name: 'Bad', pressed: true }).waitFor()
      await card.getByRole('button', { name: 'Good' }).click()
      await card.getByRole('button', { name: 'Good', pressed: true }).waitFor()
      await admin.page.getByText('1 gold image: 1 good, 0 bad.').waitFor()
      assert.deepEqual([...(await readGold(store.database))], [[byBen.images[0], 'good']])
      await admin.button('Done adding').click()

      await admin.button('Add examples').click()
      await offered.first().getByRole('button', { name: 'Bad' }).click()
      assert.equal(await cards.count(), 4)
      await cards.last().getByRole('textbox').fill('Only one.')
      assert.deepEqual(await seriousViolations(admin.page), [])
      await admin.button('Save the guidelines').click()
      await admin.page.getByText(/^Saved as a new version/).waitFor()
      const { examples } = (await readGuidelines(store.database)).at(-1)!
      assert.deepEqual(examples.map(({ note }) => note).slice(-2), [
        'One thing wrong is bad: here the background.',
        'Only one.',
      ])
      assert.ok(!(await it.studio.studio.rounds.asked()).some(({ id }) => id === examples[3].image))

      await admin.link('beside their names').click()
      await admin.page.getByRole('row', { name: /^Ben/ }).getByText('1 of 1').waitFor()
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
      assert.deepEqual((await store.judgments()).length, 12)
      assert.ok((await trainingJudgments(store)).every(({ rater }) => rater === 'Ben'))
    })

    test('roles change on the page, leaving is asked for, and the last admin stays', async () => {
      const { database } = it.studio.studio.store
      const { token } = await invite(it.studio.studio.store, { name: 'Zoe', role: 'admin', days: 1 })
      const first = (await readAdmins(database))[0]
      await using zoe = await comeIn(`${it.studio.address}/#/invitation/${token}`)
      const { page } = zoe
      await zoe.goTo('Raters')
      const roleOf = (name: string) => page.getByRole('combobox', { name: `What ${name} may do` })
      const dialog = page.getByRole('dialog')
      await roleOf('Ben').selectOption('do everything')
      await page.getByRole('listitem').filter({ hasText: 'Ben' }).getByText('admin · invited').waitFor()
      assert.deepEqual(await readAdmins(database), [first, 'Ben', 'Zoe'].sort())
      await roleOf('Ben').selectOption('label')
      await page.getByRole('listitem').filter({ hasText: 'Ben' }).getByText('rater · invited').waitFor()
      // Others and oneself go only after a question.
      await zoe.button('Withdraw Dora').click()
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'hidden' })
      await zoe.button(`Withdraw ${first}`).click()
      await dialog.getByText('is signed out everywhere').waitFor()
      assert.deepEqual(await seriousViolations(page), [])
      await dialog.getByRole('button', { name: 'Withdraw', exact: true }).click()
      await page.getByText('the only admin: make another one before this one goes').waitFor()
      assert.deepEqual(await readAdmins(database), ['Zoe'])
      assert.equal(await zoe.button('Withdraw Zoe').isDisabled(), true)
      assert.equal(await roleOf('Zoe').isDisabled(), true)
      await roleOf('Ben').selectOption('do everything')
      await roleOf('Zoe').and(page.locator(':enabled')).waitFor()
      await roleOf('Zoe').selectOption('label')
      await dialog.getByText('You may only label from now on').waitFor()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
      assert.deepEqual(await readAdmins(database), ['Ben', 'Zoe'])
      await zoe.button('Withdraw Zoe').click()
      await dialog.getByText('You are signed out everywhere at once').waitFor()
      zoe.expected.push(/status of 401/)
      await dialog.getByRole('button', { name: 'Withdraw my account' }).click()
      await zoe.heading('Welcome to the studio').waitFor()
      assert.deepEqual(await readAdmins(database), ['Ben'])
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
