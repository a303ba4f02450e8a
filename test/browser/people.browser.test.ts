/** A studio with accounts, over weeks: people come back by a password, and their answers are looked after. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { invite } from '../../src/studio/server/accounts.ts'
import type { Judgment } from '../../src/records.ts'
import { addImageRun, goodBad } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import type { Visitor, VisitorOptions } from './visitor.ts'

const phone: VisitorOptions = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  reducedMotion: 'reduce',
}

browserSuite(
  'people',
  (it) => {
    before(() => addImageRun(it.studio.studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 3 }))

    const fits = async ({ page }: Visitor) => {
      const beyond = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
      assert.ok(beyond <= 0, `${beyond} px too wide`)
      assert.deepEqual(await seriousViolations(page), [])
    }

    test('a password is set, lets in another browser, and a new link helps who has forgotten it', async () => {
      await using admin = await it.visit()
      admin.expected.push(/status of 401/)
      await admin.page.goto(it.studio.invitation!)
      await admin.button('Come in').click()
      const account = admin.page.getByRole('link', { name: 'admin', exact: true })
      await account.click()
      await admin.page.getByText('You have none yet.').waitFor()
      await admin.fill({ 'New password': 'correct horse battery' })
      await admin.button('Set the password').click()
      await admin.page.getByText('Saved. All other browsers are signed out.').waitFor()
      await admin.page.getByLabel('Password until now').waitFor()
      await fits(admin)

      await using lost = await it.visit(phone)
      lost.expected.push(/status of 40[13]/)
      await lost.open('raters')
      await lost.heading('Welcome to the studio').waitFor()
      await lost.fill({ Name: 'admin', Password: 'a wrong pass phrase' })
      await lost.button('Sign in').click()
      await lost.page.getByText('The name or the password is wrong.').waitFor()
      await fits(lost)
      await lost.fill({ Password: 'correct horse battery' })
      await lost.button('Sign in').click()
      await lost.heading('Raters').waitFor()

      const { store } = it.studio.studio
      await using ben = await it.visit(phone)
      ben.expected.push(/status of 401/)
      const { token } = await invite(store, { name: 'Ben', role: 'rater', days: 1 })
      await ben.page.goto(`${it.studio.address}/#/invitation/${token}`)
      await ben.button('Come in').click()
      await ben.heading('Welcome, Ben').waitFor()
      await admin.goTo('Raters')
      await admin.button('New link for Ben').click()
      const dialog = admin.page.getByRole('dialog')
      await dialog.getByLabel('A browser was lost').check()
      await fits(admin)
      await dialog.getByRole('button', { name: 'Make a link' }).click()
      const link = await admin.page.getByText(/\/#\/invitation\//).textContent()
      await ben.page.reload()
      await ben.heading('Welcome to the studio').waitFor()
      await ben.page.goto(link!)
      await ben.button('Come in').click()
      await ben.heading('Welcome, Ben').waitFor()
    })

    test('what nobody can have looked at and what contradicts itself is shown, asked again and left out, and a key works until it is revoked', async () => {
      const { studio } = it.studio
      const [a, b, c] = (await studio.store.images()).map(({ record }) => record).filter(({ text }) => text === 'two red circles') // prettier-ignore
      const said = (id: string, image: string, answer: 'good' | 'bad', durationMs: number): Judgment => ({
        ...goodBad(id, image, answer),
        rater: 'Ben',
        raterKind: 'person',
        durationMs,
      })
      const better = (id: string, images: string[]): Judgment => {
        const { answer: _answer, kind: _kind, ...common } = said(id, images[0], 'good', 1500)
        return { ...common, kind: 'pair', images, answer: 'first' }
      }
      await studio.store.addJudgments([
        said('fast', a.id, 'good', 200),
        better('1', [a.id, b.id]),
        better('2', [b.id, c.id]),
        better('3', [c.id, a.id]),
      ])
      await using admin = await it.visit()
      admin.expected.push(/status of 401/)
      await admin.open('raters')
      await admin.fill({ Name: 'admin', Password: 'correct horse battery' })
      await admin.button('Sign in').click()
      const section = admin.page.getByRole('region', { name: 'Answers to look at' })
      await section.getByText('Open (2)').waitFor()
      await section.getByText('A is better than B').waitFor()
      await fits(admin)
      const card = (kind: string) => section.getByRole('listitem').filter({ has: admin.page.getByText(kind) })
      const fast = card('Too fast to have looked')
      await fast.getByText('after 0.2 s').waitFor()
      await fast.getByRole('button', { name: 'Ask again' }).click()
      await fast.getByText('asked again').waitFor()
      await card('Goes round in a circle').getByRole('button', { name: 'Leave out' }).click()
      await section.getByText('Left out (3)').click()
      await section.getByRole('button', { name: 'Take in again' }).first().click()
      await section.getByText('Left out (2)').waitFor()

      await admin.link('Ben').click()
      await admin.heading('All answers').waitFor()
      await admin.page.getByText('left is better than right').first().waitFor()
      await fits(admin)
      await admin.link('All raters').click()

      await admin.link('What admins did').click()
      await admin.page.getByRole('listitem').filter({ hasText: 'Leave answers out of training' }).first().getByText('left-out → null').waitFor() // prettier-ignore
      await fits(admin)

      await admin.open('account')
      await admin.fill({ 'What it is for': 'nightly' })
      await admin.page.getByLabel('It may').selectOption('do everything')
      await admin.button('Make a key').click()
      const token = (await admin.page.getByText(/^attune_/).textContent())!
      const call = () => fetch(`${it.studio.address}/api/jobs`, { headers: { authorization: `Bearer ${token}` } })
      assert.equal((await call()).status, 200)
      await fits(admin)
      await admin.button('Revoke nightly').click()
      await admin.page.getByText('There are none.').waitFor()
      assert.equal((await call()).status, 401)
      const { tasks } = await studio.asking.next({ mode: 'good-bad', rater: 'Ben', count: 1 })
      assert.deepEqual(tasks.map(({ images, again }) => [images, again]), [[[a.id], true]]) // prettier-ignore
    })
  },
  { host: '0.0.0.0' },
)
