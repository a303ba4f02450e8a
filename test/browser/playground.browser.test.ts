/** The playground: a prompt drawn by two policies, a strength that is moved, what is kept and what is called better. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { addPolicies } from '../../src/shapes/policies.test-helper.ts'
import { seriousViolations } from './accessibility.ts'
import { browserSuite } from './browser-suite.ts'
import { until } from './visitor.ts'

/** Of the images that are shown, in their rows. */
const addresses = (page: Page) =>
  page.locator('.play-cell img').evaluateAll((all: { src: string }[]) => all.map(({ src }) => src.split('/').at(-1)!)) // prettier-ignore

browserSuite('the playground', (it) => {
  before(() => addPolicies(it.studio.studio.workspace))

  test('draws beside each other, follows a slider, keeps and votes', async () => {
    await using person = await it.visit({ name: 'Cy', viewport: { width: 2560, height: 1440 } })
    const { page } = person
    await person.open()
    await person.goTo('Playground')
    await page.getByLabel('Prompt').fill('three blue')
    await page.getByText('Words that the model knows').click()
    await page.getByRole('group', { name: 'object' }).getByRole('button', { name: 'rings' }).click()
    assert.equal(await page.getByLabel('Prompt').inputValue(), 'three blue rings')
    assert.equal(await page.getByLabel('Policy 2', { exact: true }).inputValue(), 'dpok-2')
    await page.getByLabel('Policy 2', { exact: true }).selectOption('dpok-1')
    await person.fill({ Seed: 7, 'Images of each': 2, Steps: 4 })
    await person.button(/^Draw/).click()
    await page.getByText(/^Drawn in .* seed 7, 4 steps/).waitFor()
    const first = await addresses(page)
    assert.equal(first.length, 4)
    assert.notEqual(first[0], first[1])
    const { width } = (await page.locator('.play-cell img').first().boundingBox())!
    assert.ok(width > 500, `${width} px wide in a window of 2560`)
    assert.deepEqual(await seriousViolations(page), [])
    assert.equal((await it.studio.client.gallery({})).total, 0)

    // No strength at all is the pre-trained model.
    await page.getByLabel('Strength of policy 2').fill('0')
    await until(() => addresses(page), ([a, b, c, d]) => a === b && c === d && a === first[0]) // prettier-ignore
    await page.getByLabel('Strength of policy 2').fill('1')
    await until(() => addresses(page), (now) => now.join() === first.join()) // prettier-ignore

    await page.getByRole('button', { name: 'Keep three blue rings, by pre-trained model, image 2' }).click()
    await page.getByText('What is kept is asked about').waitFor()
    const better = page.getByRole('button', { name: 'Better: three blue rings, by dpok-1, image 1' })
    await better.click()
    await page.locator('.play-cell[data-better=true]').waitFor()
    const kept = async () => (await it.studio.client.gallery({})).images.map(({ id }) => id).sort()
    await until(kept, (ids) => ids.join() === [first[0], first[1], first[2]].sort().join()) // prettier-ignore
    const told = async () =>
      (await it.studio.client.galleryImage(first[1])).history.map((one) => one.told ?? one.answer)
    await until(told, (all) => all.join() === 'preferred')
    await better.click()
    await until(() => it.studio.client.state(), ({ counts }) => counts.pairs === 0) // prettier-ignore

    await person.button('New noise').click()
    await until(() => addresses(page), (now) => now.length === 4 && now.every((one) => !first.includes(one))) // prettier-ignore
    await page.getByText(/^Drawn in/).waitFor()
    // Who leaves is not drawn for any longer.
    await person.fill({ Steps: 200, 'Images of each': 16 })
    await person.button(/^Again/).click()
    await until(() => it.studio.client.playground(), ({ process }) => process === 'drawing') // prettier-ignore
    await person.goTo('Gallery')
    await until(() => it.studio.client.playground(), ({ process }) => process !== 'drawing') // prettier-ignore
  })

  test('says what a model cannot read, on a phone', async () => {
    await using person = await it.visit({ viewport: { width: 390, height: 844 } })
    person.expected.push(/status of 400/)
    const { page } = person
    await page.goto('/#/playground?prompt=a+unicorn&policy=brought.safetensors&seed=3')
    await person.button(/^Draw/).click()
    await page
      .getByRole('alert')
      .getByText(/received .unicorn/)
      .waitFor()
    assert.equal(await page.getByLabel('Policy 2', { exact: true }).inputValue(), 'brought.safetensors')
    assert.deepEqual(await seriousViolations(page), [])
  })
})
