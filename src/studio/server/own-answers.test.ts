/** What a rater can take back after a reload. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addImageRun, changing, goodBad, testStudio } from '../studio.test-helper.ts'

test('a rater is told the own answers that stand, the last one first, and can take them back', async () => {
  await using it = await testStudio()
  const [a, b, c] = await addImageRun(it.studio, 'round-1', ['two red circles', 'a cross'])
  const [ada, bob] = [it.as('Ada'), it.as('Bob')]
  const shown = [b.id, a.id]
  await ada.judge({ judgments: [{ ...goodBad('1', a.id), shown }, goodBad('2', c.id, 'bad')] })
  await bob.judge({ judgments: [goodBad('3', b.id)] })
  const pair = { kind: 'pair' as const, images: [a.id, b.id], answer: 'tie' as const, at: '2026-01-01T00:00:00.000Z' }
  await ada.judge({ judgments: [{ ...pair, id: '4' }] })

  const { answers } = await ada.ownAnswers()
  assert.deepEqual(
    answers.map(({ judgment, task }) => [judgment.id, task.prompt, task.images.map(({ id }) => id)]),
    [
      ['2', 'a cross', [c.id]],
      ['1', 'two red circles', shown],
    ],
  )
  assert.deepEqual(
    (await ada.ownAnswers({ mode: 'pair' })).answers.map(({ judgment }) => judgment.id),
    ['4'],
  )
  const [{ judgment }] = answers
  await ada.judge({ judgments: [{ ...judgment, id: '5', undoes: judgment.id }] })
  assert.deepEqual(
    (await ada.ownAnswers()).answers.map((one) => one.judgment.id),
    ['1'],
  )
  assert.equal((await ada.ownAnswers({ count: 1 })).answers.length, 1)
  assert.deepEqual(await it.as('Eve').ownAnswers(), { answers: [] })
})

test('nothing of an answer tells whether another rater has used an id, or what for', async () => {
  await using it = await testStudio()
  const [image, other] = await addImageRun(it.studio, 'round-1', ['two red circles'])
  await it.as('Ada').judge({ judgments: [goodBad('used', image.id)] })
  const post = async (rater: string, judgment: object) => {
    const headers = { 'x-attune-rater': rater }
    const answer = await it.app.request('/api/judgments', changing('POST', { judgments: [judgment] }, headers))
    return [answer.status, await answer.text()] as const
  }
  const likeFresh = async (of: (id: string) => object) => {
    const [used, fresh] = [await post('Eve', of('used')), await post('Eve', of('fresh'))]
    assert.deepEqual([used[0], used[1].replaceAll('used', 'fresh')], [...fresh])
    assert.ok(!/ada/i.test(used[1]), used[1])
    return used[0]
  }
  assert.equal(await likeFresh((id) => ({ ...goodBad('undo', image.id), undoes: id })), 404)
  assert.equal(await likeFresh((id) => goodBad(id, image.id, 'bad')), 200)
  assert.equal(await likeFresh((id) => goodBad(id, image.id, 'bad')), 200, 'a repetition')
  assert.equal(await likeFresh((id) => goodBad(id, image.id, 'skip')), 400, 'one that contradicts it')
  assert.equal(await likeFresh((id) => goodBad(id, '0'.repeat(16))), 404)
  assert.equal((await it.studio.store.allRows()).length, 3)
  assert.equal(await likeFresh((id) => ({ ...goodBad(`undo-${id}`, image.id, 'bad'), undoes: id })), 200)
  const standing = await it.studio.store.judgments()
  assert.deepEqual(
    standing.map(({ id, rater }) => [id, rater]),
    [['used', 'Ada']],
  )
  assert.equal(await likeFresh((id) => ({ ...goodBad(`more-${id}`, other.id), undoes: 'none' })), 404)
})

test('reasons say why an image is bad, in codes of the guidelines, and an id has one answer', async () => {
  await using it = await testStudio()
  const [image] = await addImageRun(it.studio, 'round-1', ['two red circles'])
  const guidelines = await it.client.guidelines()
  const [{ code }] = guidelines.reasons
  const send = async (judgments: object[]) =>
    (await it.app.request('/api/judgments', changing('POST', { judgments }))).status
  const bad = { ...goodBad('a', image.id, 'bad'), reasons: [code] }
  for (const one of [
    { ...bad, answer: 'good' },
    { ...bad, answer: 'skip' },
    { ...bad, reasons: ['unheard-of'] },
    { ...bad, reasons: [code, code] },
  ]) {
    assert.equal(await send([one]), 400, JSON.stringify(one))
  }
  assert.equal(await send([bad, { ...bad, reasons: [] }]), 400, 'two answers of one id at once')
  assert.equal(await send([bad, bad]), 200)
  for (const one of [{ ...bad, answer: 'good', reasons: [] }, { ...bad, reasons: [] }, goodBad('a', image.id, 'bad')]) {
    assert.equal(await send([one]), 400, JSON.stringify(one))
  }
  await it.client.setGuidelines({ ...guidelines, reasons: [{ code: 'blurred', label: 'blurred' }] })
  assert.equal(
    await send([
      { ...bad, id: 'b', reasons: ['blurred'] },
      { ...bad, id: 'c' },
    ]),
    200,
    'of an earlier version too',
  )
  assert.equal((await it.studio.store.allRows()).length, 3)
})

test('what could not have been asked is refused, and nothing of its batch is kept', async () => {
  await using it = await testStudio()
  const [a, b] = await addImageRun(it.studio, 'round-1', ['two red circles'])
  const [other] = await addImageRun(it.studio, 'round-2', ['a cross'])
  const at = '2026-01-01T00:00:00.000Z'
  const pair = (images: string[], more: object = {}) => ({
    id: 'p',
    kind: 'pair',
    images,
    answer: 'first',
    at,
    ...more,
  })
  const ranking = (images: string[]) => ({ id: 'r', kind: 'ranking', images, answer: 'ranked', ranks: [1, 2], at })
  const send = async (...judgments: object[]) =>
    (await it.app.request('/api/judgments', changing('POST', { judgments }))).status
  const good = goodBad('g', a.id)
  for (const [wrong, status] of [
    [pair([a.id, other.id]), 400],
    [pair([a.id, a.id]), 400],
    [pair([a.id, b.id], { answer: 'tie', reasons: ['wrong-object'] }), 400],
    [pair([a.id, b.id], { answer: 'skip', reasons: ['wrong-object'] }), 400],
    [ranking([a.id, other.id]), 400],
    [{ ...good, shown: ['none', a.id] }, 400],
    [{ ...good, shown: [b.id] }, 400],
    [{ ...good, shown: [] }, 400],
    [{ ...good, shown: [a.id, a.id] }, 400],
    [{ ...good, shown: [a.id, other.id] }, 400],
    [goodBad('g', 'none'), 404],
    [pair([a.id, 'none']), 404],
  ] as const) {
    assert.equal(await send(goodBad('fine', b.id), wrong), status, JSON.stringify(wrong))
  }
  assert.equal((await it.studio.store.allRows()).length, 0)
  assert.equal(await send({ ...good, shown: [b.id, a.id] }, pair([a.id, b.id], { reasons: ['wrong-object'] })), 200)
})
