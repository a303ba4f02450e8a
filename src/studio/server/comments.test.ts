import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addImageRun, changing, goodBad, hostileTexts, refused, testStudio } from '../studio.test-helper.ts'

const ids = ['6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b111', '6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b222'] as const

test('raters say something of an image, see what they said themselves, and take it back', async () => {
  await using it = await testStudio()
  const [{ id: image }] = await addImageRun(it.studio, 'round-1', ['two red circles'], { perPrompt: 1 })
  const [ada, ben] = [it.as('Ada'), it.as('Ben')]
  const told = async (by = ada, from: 'me' | 'all' = 'me') =>
    (await by.comments({ image, from })).comments.map(({ rater, text, own }) => [rater, text, own])
  assert.deepEqual(await ada.comment({ id: ids[0], image, text: '  the left circle is cut \n off ' }), {
    changed: true,
  })
  assert.deepEqual(await ada.comment({ id: ids[0], image, text: 'again' }), { changed: false })
  // Another's id is none of theirs, and tells nothing.
  assert.deepEqual(await ben.comment({ id: ids[0], image, text: 'nice' }), { changed: true })
  assert.deepEqual(await told(), [['Ada', 'the left circle is cut \n off', true]])
  assert.deepEqual((await told(ben, 'all')).toSorted(), [['Ada', 'the left circle is cut \n off', false], ['Ben', 'nice', true]]) // prettier-ignore
  assert.deepEqual(await ben.changeComment(ids[1], { removed: true }), { changed: false })
  assert.deepEqual(await ada.changeComment(ids[0], { removed: true }), { changed: true })
  assert.deepEqual([await told(), await told(ben)], [[], [['Ben', 'nice', true]]])
  assert.deepEqual(await ada.changeComment(ids[0], { removed: false }), { changed: true })
  assert.equal((await told()).length, 1)

  // They leave the house with the judgments, under the same pseudonyms.
  await ada.judge({ judgments: [goodBad('a', image)] })
  const exported = async (names: boolean) => {
    const address = it.client.exportUrl('jsonl', names).replace('http://localhost', '')
    return Buffer.from(await (await it.app.request(address)).arrayBuffer()).toString('latin1')
  }
  const whole = await exported(false)
  const [, pseudonym] = /"rater":"(rater-[0-9a-f]{12})"/.exec(whole)!
  assert.ok(whole.includes('judgments.comments.jsonl') && whole.split(pseudonym).length === 3 && !whole.includes('Ada'))
  assert.match(await exported(true), /"rater":"Ada","at":"[^"]+","text":"the left circle is cut \\n off"/)
})

test('what is no comment is refused', async () => {
  await using it = await testStudio()
  const [{ id: image }] = await addImageRun(it.studio, 'round-1', ['two red circles'], { perPrompt: 1 })
  const send = (more: object) =>
    it.app.request('/api/comments', changing('POST', { id: ids[0], image, text: 'nice', ...more }))
  const wrong = [{ text: '' }, { text: ' \n ' }, { text: 'x'.repeat(1001) }, { text: 'a\0b' }, { id: 'a' }, { image: 'x' }, { rater: 'Ada' }] // prettier-ignore
  for (const more of wrong) assert.equal((await send(more)).status, 400, JSON.stringify(more).slice(0, 80))
  await assert.rejects(
    it.client.comment({ id: ids[0], image: '0'.repeat(16), text: 'x' }),
    refused(404, 'unknown-record'),
  )
  for (const text of hostileTexts.filter((one) => one.length <= 1000 && one.isWellFormed() && !one.includes('\0'))) {
    if (text.trim() !== '') assert.equal((await send({ id: crypto.randomUUID(), text })).status, 200, text)
  }
})
