/** The other ways of asking, by keyboard and by touch: pairs, ratings with a ranking. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'

browserSuite('asking by keyboard', (it) => {
  before(() => addImageRun(it.studio.studio, 'round-1', ['two red circles'], { perPrompt: 4 }))
  const given = async (kind: string) => (await it.studio.studio.store.judgments()).filter((one) => one.kind === kind)

  test('pairs: the winner stays and meets the next image; a tie and "both bad" are answers', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('label', 'pair')
    const left = page.getByRole('button', { name: 'Left is better' })
    const picture = (side: 'left' | 'right') =>
      page
        .getByRole('button', { name: `Enlarge ${side}` })
        .locator('img')
        .getAttribute('src')
    await left.waitFor()
    const [winner, loser] = [await picture('left'), await picture('right')]
    await page.keyboard.press('ArrowLeft')
    await page.getByText(/^1 of \d/).waitFor()
    assert.equal(await picture('left'), winner)
    assert.notEqual(await picture('right'), loser)
    await page.keyboard.press('b')
    await page.getByText(/^2 of \d/).waitFor()
    await page.keyboard.press('u')
    await page.getByText(/^1 of \d/).waitFor()
    assert.equal(await picture('left'), winner)
    await page.keyboard.press('t')
    await page.getByText(/^2 of \d/).waitFor()
    await person.saved()
    const pairs = await given('pair')
    assert.deepEqual(
      pairs.map(({ answer }) => answer),
      ['first', 'tie'],
    )
    assert.deepEqual(
      pairs.map(({ images }) => `/images/${images[0]}`),
      [winner, winner],
    )
  })

  test('ratings, then a ranking that may not contradict them', async () => {
    await using person = await it.visit({ name: 'Ben' })
    const { page } = person
    await person.open('label', 'rating')
    for (const [i, overall] of [5, 2, 6, 4].entries()) {
      await page.getByRole('img', { name: `Image ${i + 1} of 4` }).waitFor()
      for (const key of ['4', '3', String(overall), 'Enter']) await page.keyboard.press(key)
    }
    await page.getByRole('button', { name: 'Image 3, rated 6, slot 1' }).waitFor()
    // The best one to the end: the page says why it cannot stand there.
    for (const key of ['ArrowRight', 'ArrowRight', '4']) await page.keyboard.press(key)
    await page.getByText(/Image 3 was rated 6 and image \d was rated \d: image 3 cannot stand below it/).waitFor()
    assert.equal(await person.button('Done').isDisabled(), true)
    await page.keyboard.press('Enter')
    await page.keyboard.press('1')
    await page.getByText(/cannot stand below it/).waitFor({ state: 'hidden' })
    await page.keyboard.press('Enter')
    await person.heading('All done. Thank you!').waitFor()
    await person.saved()
    const ratings = await given('rating')
    const [ranking, ...others] = await given('ranking')
    assert.deepEqual(
      ratings.map((one) => one.kind === 'rating' && one.answer === 'rated' && one.ratings),
      [5, 2, 6, 4].map((overall) => ({ alignment: 4, fidelity: 3, overall })),
    )
    assert.ok(ranking.kind === 'ranking' && ranking.answer === 'ranked')
    assert.deepEqual([ranking.ranks, others], [[2, 4, 1, 3], []])
  })
})

browserSuite('asking by touch on a phone', (it) => {
  before(() => addImageRun(it.studio.studio, 'round-1', ['two red circles', 'a blue square'], { perPrompt: 3 }))
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 3 }

  test('good, bad and skip by taps, and one taken back', async () => {
    await using person = await it.visit(phone)
    const { page } = person
    await person.open('label')
    await page.getByLabel('Your name').fill('Cy')
    await person.button('Start labelling').tap()
    for (const [i, answer] of ['Good', 'Bad', 'Skip', 'Good', 'Good', 'Bad'].entries()) {
      await page.getByText(`${i} of 6`).waitFor()
      await person.button(new RegExp(`^Image ${(i % 3) + 1}: ${answer}`)).tap()
    }
    await person.heading('All done. Thank you!').waitFor()
    await person.button(/^Undo/).tap()
    await page.getByText('5 of 6').waitFor()
    await person.button(/^Image 3: Good/).tap()
    await person.saved()
    const { good, bad, skip } = (await it.studio.client.state()).counts
    assert.deepEqual([good, bad, skip], [4, 1, 1])
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, 'nothing sticks out')
  })

  test('pairs and ratings by taps', async () => {
    await using person = await it.visit({ ...phone, name: 'Cy' })
    const { page } = person
    await person.open('label', 'pair')
    await page.getByRole('button', { name: 'Right is better' }).tap()
    await page.getByText(/^1 of \d/).waitFor()
    await person.button('Pairs').waitFor()
    await person.button('Ratings').tap()
    for (const scale of ['Shows the prompt', 'Well made', 'Overall']) {
      await page.getByRole('button', { name: `${scale}: 6 of 7` }).tap()
    }
    await person.button('Next').tap()
    await page.getByRole('img', { name: 'Image 2 of 3' }).waitFor()
    await person.saved()
    const { pairs, ratings } = (await it.studio.client.state()).counts
    assert.deepEqual([pairs, ratings], [1, 1])
  })
})
