/** The table of runs: found, laid over each other, started once more, renamed, archived and deleted. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { addRun } from '../../src/studio/studio.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'

browserSuite('the table of runs', (it) => {
  const runs = async () => (await it.studio.client.runs()).runs
  before(() => {
    const { studio } = it.studio
    const heldOut = { n: 12, prompts: 2, accuracy: 0.75, auc: 0.8 }
    addRun(studio, 'reward-1', 'reward train', {}, { labels: 12, heldOut })
    for (const [i, klWeight] of [0.01, 0.1].entries()) {
      const name = `dpok-${i + 1}`
      const rows = [1, 2, 3].map((step) => ({
        step,
        images_drawn: 8 * step,
        reward_mean: 0.1 * step + 0.01 * i,
        kl: step,
      }))
      const metrics = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      addRun(
        studio,
        name,
        'policy dpok',
        { reward: 'runs/reward-1' },
        { rewardMean: 0.5 },
        { 'metrics.jsonl': metrics },
      )
      const config = { stage: 'policy dpok', reward: 'runs/reward-1', klWeight, seed: 7 }
      writeFileSync(studio.workspace.at('runs', name, 'config.json'), JSON.stringify(config))
    }
  })

  test('shows what differs, and curves over each other by steps and by images', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open()
    await person.goTo('Runs')
    await page.getByText('3 runs,').waitFor()
    await page.getByText(/ free on the disk\.$/).waitFor()
    await page.getByLabel('Stage').selectOption('DPOK fine-tuning')
    await page.getByText('2 runs,').waitFor()
    for (const name of ['dpok-1', 'dpok-2']) await page.getByLabel(`Choose ${name}`).check()
    await page.getByRole('columnheader', { name: 'KL weight' }).waitFor()
    assert.equal(await page.getByRole('columnheader', { name: 'Seed' }).count(), 0)
    await page.getByRole('img', { name: 'Reward mean by steps: dpok-2 0.310, dpok-1 0.300' }).waitFor()
    // The value of each run where the pointer is.
    await page.getByRole('img', { name: /^Reward mean/ }).hover({ position: { x: 70, y: 60 } })
    await page.getByText('at 1 step').waitFor()
    await page.locator('figure').first().getByText('0.110').waitFor()
    await person.button('By images').click()
    await page.getByRole('img', { name: /^Reward mean by images/ }).waitFor()
    assert.deepEqual(await seriousViolations(page), [])
    // The address holds all of it.
    await page.reload()
    await page.getByRole('img', { name: /^Reward mean by images/ }).waitFor()
    await person.button('Choose none').click()
    await page.getByLabel('Choose dpok-2').check()
    await person.link('Change settings, then run').click()
    await page.getByText('With the settings, the seed and the prompts of dpok-2').waitFor()
    assert.deepEqual(
      await Promise.all(['KL weight', 'Seed'].map((label) => page.getByLabel(label, { exact: true }).inputValue())),
      ['0.1', '7'],
    )
    await page.getByLabel('Write a report of it').check()
  })

  test('renames, archives and takes back, and deletes with a second yes', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    const dialog = page.getByRole('dialog')
    await person.open('runs')
    await page.getByLabel('Choose reward-1').check()
    await person.button('Rename').click()
    await dialog.getByLabel('Title').fill('Our <first> reward')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('row').getByText('Our <first> reward').waitFor()
    await person.button('Archive').click()
    await page.getByLabel('Choose reward-1').waitFor({ state: 'detached' })
    await page.getByLabel('Archived').selectOption('With archived ones')
    await person.button('Take back').click()
    await person.button('Archive').waitFor()
    assert.ok((await runs()).every(({ archived }) => !archived))

    await person.button('Delete …').click()
    await dialog.getByText(/^This frees .* bytes/).waitFor()
    await dialog.getByText('dpok-1 (policy dpok), from reward-1').waitFor()
    assert.equal(await dialog.getByRole('button', { name: 'Delete', exact: true }).isDisabled(), true)
    assert.deepEqual(await seriousViolations(page), [])
    await dialog.getByLabel('Delete all the same').check()
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('2 runs,').waitFor()
    assert.ok(!existsSync(it.studio.studio.workspace.at('runs', 'reward-1')))
    for (const name of ['dpok-1', 'dpok-2']) await page.getByLabel(`Choose ${name}`).check()
    await person.button('Delete …').click()
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await person.heading('Nothing has been made yet').waitFor()
  })
})
