/** What a rater can take back after a reload. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addImageRun, goodBad, testStudio } from '../studio.test-helper.ts'

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
