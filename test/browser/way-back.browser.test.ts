/** Answers belong to what was seen: reasons to the answer just given, none to what did not load, and each can be taken back. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Judgment } from '../../src/records.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'
import type { Visitor } from './visitor.ts'

const texts = ['two red circles', 'a blue square', 'three crosses']

browserSuite('reasons belong to the answer just given', (it) => {
  before(() => addImageRun(it.studio.studio, 'round-1', texts, { perPrompt: 3 }))
  const standing = async (rater: string) =>
    (await it.studio.studio.store.judgments()).filter((one) => one.rater === rater)
  const imageOf = async ({ page }: Visitor, place: number) =>
    /images\/([0-9a-f]{16})/.exec((await page.getByRole('img', { name: `Image ${place}` }).getAttribute('src'))!)![1]

  test('by keyboard and by mouse, across tasks, and by image for those that were judged at once', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('label', 'good-bad')
    await page.getByText('0 of 9').waitFor()
    const [first, second, third] = [await imageOf(person, 1), await imageOf(person, 2), await imageOf(person, 3)]
    await page.keyboard.press('q')
    await page.getByText('Reasons come after an answer, and belong to it.').waitFor()
    await page.keyboard.press('b')
    const why = page.getByRole('group', { name: 'Why is image 1 bad? (optional)' })
    await why.waitFor()
    assert.match((await why.getByRole('img').getAttribute('src'))!, new RegExp(first))
    await page.keyboard.press('w')
    await why.getByRole('button', { name: /wrong colour/, pressed: true }).waitFor()
    await page.keyboard.press('g')
    // Nothing is wrong with a good one.
    await page.getByText('Reasons come after an answer, and belong to it.').waitFor()
    await page.keyboard.press('e')
    await page.keyboard.press('b')
    await page.getByText('3 of 9').waitFor()
    // Its task is over, and it stands beside its reasons still.
    const last = page.getByRole('group', { name: 'Why was this image bad? (optional)' })
    assert.match((await last.getByRole('img').getAttribute('src'))!, new RegExp(third))
    await last.getByRole('button', { name: /distorted/ }).click()
    await last.getByRole('button', { name: /unpleasant/ }).click()
    await last.getByRole('button', { name: /distorted/, pressed: true }).click()
    await last.getByRole('button', { name: /distorted/, pressed: false }).waitFor()
    await page.keyboard.press('g')
    await page.getByText('4 of 9').waitFor()
    await person.saved()
    const about = async (image: string) => {
      const found = (await standing('Ada')).filter(({ images }) => images[0] === image)
      return found.map(({ answer, reasons = [] }) => [answer, ...reasons])
    }
    assert.deepEqual(await about(first), [['bad', 'wrong-color']])
    assert.deepEqual(await about(second), [['good']])
    assert.deepEqual(await about(third), [['bad', 'unpleasant']])
    assert.equal((await standing('Ada')).length, 4)

    await page.keyboard.press('Shift+B')
    await page.getByRole('group', { name: 'Why were these 2 bad? (optional)' }).getByRole('img').nth(1).waitFor()
    await page.keyboard.press('e')
    await page.keyboard.press('Shift+B')
    await person.heading('All done. Thank you!').waitFor()
    // Also the last ones can be explained.
    await page.getByRole('button', { name: /wrong background/ }).click()
    await page.getByRole('button', { name: /wrong background/, pressed: true }).waitFor()
    await person.saved()
    const reasons = (await standing('Ada')).slice(-5).map((one) => one.reasons?.join())
    assert.deepEqual(reasons.sort(), [...Array(2).fill('wrong-count'), ...Array(3).fill('wrong-background')].sort())
    // One step back takes the answer and its reasons.
    await page.keyboard.press('u')
    await page.getByText('8 of 9').waitFor()
    await person.saved()
    assert.equal((await standing('Ada')).length, 8)
  })

  test('of a pair, and of a rating before it is given', async () => {
    await using person = await it.visit({ name: 'Ben' })
    const { page } = person
    await person.open('label', 'pair')
    const right = page.getByRole('button', { name: 'Right is better' })
    await right.waitFor()
    const winner = /images\/(\w+)/.exec(
      (await page.getByRole('button', { name: 'Enlarge right' }).locator('img').getAttribute('src'))!,
    )![1]
    await right.click()
    const why = page.getByRole('group', { name: 'Why was the right one of these better? (optional)' })
    assert.match(
      (await why.getByRole('img', { name: 'Just judged, the better one' }).getAttribute('src'))!,
      new RegExp(winner),
    )
    await page.keyboard.press('r')
    await why.getByRole('button', { name: /wrong background/, pressed: true }).waitFor()
    await page.keyboard.press('t')
    await page.getByText(/^2 of \d/).waitFor()
    await page.keyboard.press('e')
    await person.saved()
    const pairs = (await standing('Ben')).map(({ answer, reasons }) => [answer, reasons])
    assert.deepEqual(pairs, [
      ['second', ['wrong-background']],
      ['tie', undefined],
    ])

    await person.button('Ratings').click()
    await page.getByRole('img', { name: 'Image 1 of 3' }).waitFor()
    for (const key of ['4', '3', '5', 'w', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('img', { name: 'Image 2 of 3' }).waitFor()
    await page.getByRole('group', { name: 'Issues of image 2 (optional)' }).waitFor()
    for (const key of ['2', '2', '2', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('img', { name: 'Image 3 of 3' }).waitFor()
    await person.saved()
    const ratings = (await standing('Ben')).filter(({ kind }) => kind === 'rating')
    assert.deepEqual(
      ratings.map((one) => one.reasons),
      [['wrong-color'], undefined],
    )
  })
})

browserSuite('what did not load is not judged', (it) => {
  before(() => addImageRun(it.studio.studio, 'round-1', texts, { perPrompt: 3 }))
  const answers = async (rater: string) =>
    (await it.studio.studio.store.judgments()).filter((one) => one.rater === rater).map(({ answer }) => answer)

  /** Somebody to whom some images do not come: refused, cut off, half, or not an image. */
  const visitor = async (name: string, isBroken: (id: string) => boolean): Promise<Visitor> => {
    const person = await it.visit({ name })
    person.expected.push(/Failed to load resource/)
    let way = 0
    await person.page.route(/\/images\/[0-9a-f]{16}/, async (route) => {
      if (!isBroken(/images\/([0-9a-f]{16})/.exec(route.request().url())![1])) return route.continue()
      const whole = await (await route.fetch()).body()
      const bodies = [whole.subarray(0, 40), Buffer.from('no picture'), Buffer.alloc(0)]
      const turn = way++ % 5
      if (turn === 3) return route.abort('connectionreset')
      if (turn === 4) return route.fulfill({ status: 404, body: 'gone' })
      return route.fulfill({ status: 200, contentType: 'image/png', body: bodies[turn] })
    })
    return person
  }

  test('good or bad: it is loaded again, or left out as broken; the others go on', async () => {
    let isAway = true
    await using person = await visitor('Ada', () => isAway)
    const { page } = person
    await person.open('label', 'good-bad')
    await page.getByText('Image 3 did not load, so it cannot be judged.').waitFor()
    assert.equal(await person.button(/Good$/).count(), 0)
    for (const key of ['g', 'b', 'Shift+G', 'Shift+B']) await page.keyboard.press(key)
    await page.getByText('0 of 9').waitFor()
    isAway = false
    await page.getByRole('region', { name: 'Image 2 of 3' }).getByRole('button', { name: 'Load again' }).click()
    await person.button(/^Image 2: Good/).waitFor()
    await page.keyboard.press('Shift+G')
    await page.getByText('1 of 9').waitFor()
    await page.getByRole('region', { name: 'Image 1 of 3' }).getByRole('button', { name: 'Skip as broken' }).click()
    await page.keyboard.press('s')
    await page.getByText('3 of 9').waitFor()
    await person.saved()
    assert.deepEqual((await answers('Ada')).sort(), ['good', 'skip', 'skip'])
  })

  test('pairs and ratings wait for every image that they ask about', async () => {
    const broken = new Set<string>()
    const images = await it.studio.studio.store.images()
    for (const { record } of images) if (record.index % 3 > 0) broken.add(record.id)
    await using person = await visitor('Ben', (id) => broken.has(id))
    const { page } = person
    await person.open('label', 'pair')
    await page
      .getByText(/(The (left|right) side did not load, so it|Neither side did load, so they) cannot be judged\./)
      .waitFor()
    assert.equal(await page.getByRole('button', { name: 'Left is better' }).isDisabled(), true)
    for (const key of ['ArrowLeft', '2', 't', 'b']) await page.keyboard.press(key)
    await person.button('Skip as broken').click()
    await page.getByText(/^1 of \d/).waitFor()

    await person.button('Ratings').click()
    await page.getByText(/^0 of/).waitFor()
    const missing = page.getByText(/Image \d+ did not load, so it cannot be judged\./)
    const scores = page.getByRole('button', { name: 'Overall: 7 of 7' })
    // The first image may be a whole one; which it is stands once it has loaded or failed.
    await missing
      .or(scores.and(page.locator(':enabled')))
      .first()
      .waitFor()
    const isSeen = await scores.isEnabled()
    for (const key of ['4', '4', '4', 'Enter']) await page.keyboard.press(key)
    if (isSeen) await page.getByText(/^1 of/).waitFor()
    await missing.waitFor()
    assert.equal(await scores.isDisabled(), true)
    await person.button('Skip as broken').click()
    await page.getByText(isSeen ? /^2 of/ : /^1 of/).waitFor()
    await person.saved()
    assert.deepEqual(
      (await answers('Ben')).filter((answer) => answer !== 'rated'),
      ['skip', 'skip'],
    )
  })
})

browserSuite('the way back', (it) => {
  before(() => addImageRun(it.studio.studio, 'round-1', texts, { perPrompt: 3 }))
  const answers = async (rater: string): Promise<Judgment['answer'][]> =>
    (await it.studio.studio.store.judgments()).filter((one) => one.rater === rater).map(({ answer }) => answer)

  test('after a reload, after Home, and after another way of asking', async () => {
    await using person = await it.visit({ name: 'Ada' })
    const { page } = person
    await person.open('label', 'good-bad')
    for (const [i, key] of [...'gbgb'].entries()) {
      await page.getByText(`${i} of 9`).waitFor()
      await page.keyboard.press(key)
    }
    await person.saved()
    await page.reload()
    await page.getByText('4 of 9').waitFor()
    await page.keyboard.press('u')
    await page.getByText('3 of 9').waitFor()
    await page.getByRole('region', { name: 'Image 1 of 3' }).waitFor()
    await page.keyboard.press('u')
    await page.getByText('2 of 9').waitFor()
    // The two others of its prompt were judged before.
    await page.getByRole('region', { name: 'Image 1 of 3, good' }).waitFor()
    await page.getByRole('region', { name: 'Image 2 of 3, bad' }).waitFor()
    await person.saved()
    assert.deepEqual(await answers('Ada'), ['good', 'bad'])

    await person.goTo('Home')
    await person.goTo('Label')
    await page.getByText('2 of 9').waitFor()
    await person.button(/^Undo/).click()
    await page.getByText('1 of 9').waitFor()
    await page.keyboard.press('s')
    await page.getByText('2 of 9').waitFor()

    await person.button('Pairs').click()
    await page.getByRole('button', { name: 'Left is better' }).waitFor()
    await page.keyboard.press('u')
    await person.button('Good or bad').and(page.locator('[aria-pressed=true]')).waitFor()
    await page.getByText('1 of 9').waitFor()
    await page.getByRole('region', { name: 'Image 1 of 3, good' }).waitFor()
    await person.saved()
    assert.deepEqual(await answers('Ada'), ['good'])
  })

  test('of pairs, ratings and a ranking, and from another browser', async () => {
    {
      await using person = await it.visit({ name: 'Ben' })
      const { page } = person
      await person.open('label', 'rating')
      for (const [i, overall] of [5, 2, 6].entries()) {
        await page.getByRole('img', { name: `Image ${i + 1} of 3` }).waitFor()
        for (const key of ['4', '3', String(overall), 'Enter']) await page.keyboard.press(key)
      }
      await page.getByRole('button', { name: 'Image 3, rated 6, slot 1' }).waitFor()
      await page.keyboard.press('Enter')
      await person.saved()
      await page.reload()
      await page.getByText(/^3 of/).waitFor()
      await page.keyboard.press('u')
      await page.getByRole('button', { name: 'Image 3, rated 6, slot 1' }).waitFor()
      await page.keyboard.press('u')
      await page.getByRole('img', { name: 'Image 3 of 3' }).waitFor()
      await page.getByRole('button', { name: 'Overall: 6 of 7', pressed: true }).waitFor()
      await person.saved()
      assert.deepEqual(await answers('Ben'), ['rated', 'rated'])
      await page.reload()
      // What was rated is not asked again.
      await page.getByRole('img', { name: 'Image 3 of 3' }).waitFor()
    }
    await using elsewhere = await it.visit({ name: 'Ben' })
    await elsewhere.open('label', 'rating')
    await elsewhere.page.getByText(/^2 of/).waitFor()
    await elsewhere.button(/^Undo/).click()
    await elsewhere.page.getByText(/^1 of/).waitFor()
    await elsewhere.saved()
    assert.deepEqual(await answers('Ben'), ['rated'])
  })

  test('of answers that the server has not heard of', async () => {
    // The others are still on their way to who came before.
    await addImageRun(it.studio.studio, 'round-2', ['four blue squares'], { perPrompt: 3 })
    await using person = await it.visit({ name: 'Cy' })
    const { page } = person
    person.expected.push(/Failed to load resource/)
    let isAway = true
    await page.route('**/api/judgments', (route) =>
      isAway && route.request().method() === 'POST' ? route.fulfill({ status: 503, body: '{}' }) : route.continue(),
    )
    await person.open('label', 'good-bad')
    for (const [i, key] of [...'gb'].entries()) {
      await page.getByText(new RegExp(`^${i} of \\d`)).waitFor()
      await page.keyboard.press(key)
    }
    await page.getByText('Offline: 2 waiting').waitFor()
    await page.reload()
    await page.getByText('Offline: 2 waiting').waitFor()
    await person.button(/^Undo/).click()
    await page.getByRole('region', { name: 'Image 1 of 3, good' }).waitFor()
    await page.keyboard.press('s')
    await page.getByText(/^2 of \d/).waitFor()
    isAway = false
    await person.saved()
    assert.deepEqual(await answers('Cy'), ['good', 'skip'])
  })
})
