/** Answers that somebody should look at: flagged, asked again, left out, and nothing of that in silence. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { noPostgres, postgresServer } from '../../feedback/store/postgres.test-helper.ts'
import { setGold } from '../../feedback/queue/gold.ts'
import { trainingJudgments } from '../../feedback/training-judgments.ts'
import { addImageRun, goodBad, refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

const at = '2026-01-01T00:00:00.000Z'
const pair = (id: string, images: string[], answer: 'first' | 'second') => ({ id, kind: 'pair' as const, images, answer, at }) // prettier-ignore

async function labelled(it: TestStudio): Promise<string[]> {
  const records = await addImageRun(it.studio, 'round-1', ['two red circles'], { perPrompt: 6 })
  const [a, b, c, d, e, f] = records.map(({ id }) => id)
  await setGold(it.studio.store.database, f, 'good')
  await it.as('Ada').judge({
    judgments: [
      { ...goodBad('fast', a), durationMs: 200 },
      { ...goodBad('slow', b, 'bad'), durationMs: 1500 },
      { ...goodBad('gold', f, 'bad'), durationMs: 1500 },
      goodBad('before', c),
      goodBad('after', c, 'bad'),
      pair('ab', [a, b], 'second'),
      pair('cd', [c, d], 'first'),
      pair('de', [d, e], 'first'),
      pair('ec', [e, c], 'first'),
    ],
  })
  await it.as('Ben').judge({ judgments: [{ ...goodBad('ben', a), durationMs: 900 }] })
  return [a, b, c, d, e, f]
}

async function settle(it: TestStudio): Promise<void> {
  const { store } = it.studio
  const [a, , c] = await labelled(it)
  const taught = async () => (await trainingJudgments(store)).map(({ id }) => id)
  const everything = await taught()
  const { flags, total, kinds, raters, leftOut } = await it.client.flags()
  assert.deepEqual(flags.map(({ kind, answers }) => [kind, ...answers.map(({ id }) => id).sort()]).sort(), [
    ['against', 'ab', 'fast', 'slow'],
    ['changed', 'after', 'before'],
    ['cycle', 'cd', 'de', 'ec'],
    ['fast', 'fast'],
    ['gold', 'gold'],
  ])
  assert.deepEqual([total, leftOut, raters], [5, 0, [{ name: 'Ada', count: 5 }]])
  assert.deepEqual(
    kinds.map(({ count }) => count),
    [1, 1, 1, 1, 1],
  )
  assert.deepEqual(await taught(), everything, 'a flag excludes nothing')
  const fast = (await it.client.flags({ kind: 'fast' })).flags[0]
  assert.deepEqual([fast.answers[0].seconds, fast.images[0].id, fast.prompt], [0.2, a, 'two red circles'])
  assert.equal((await it.client.flags({ rater: 'Ben' })).total, 0)

  assert.deepEqual(await it.client.askAgain({ judgments: ['fast', 'before'] }), { asked: 2 })
  assert.notEqual((await it.client.flags({ kind: 'fast' })).flags[0].askedAt, null)
  const { tasks } = await it.as('Ada').tasks({ mode: 'good-bad' })
  assert.deepEqual(
    tasks.filter(({ again }) => again === true).map(({ images }) => images.map(({ id }) => id).sort()),
    [[a, c].sort()],
  )
  assert.ok((await it.as('Ben').tasks({ mode: 'good-bad' })).tasks.every(({ again }) => again === undefined))
  await it.as('Ada').judge({ judgments: [{ ...goodBad('looked', a), durationMs: 1400 }, goodBad('sure', c, 'bad')] })
  assert.ok((await it.as('Ada').tasks({ mode: 'good-bad' })).tasks.every(({ again }) => again === undefined))
  const left = await it.client.flags()
  assert.deepEqual(left.flags.map(({ kind }) => kind).sort(), ['against', 'cycle', 'gold'])

  const cycle = left.flags.find(({ kind }) => kind === 'cycle')!
  const judgments = cycle.answers.map(({ id }) => id)
  assert.deepEqual(await it.client.decideFlags({ judgments, decision: 'left-out' }), { decided: 3 })
  assert.equal((await it.client.flags({ kind: 'cycle' })).total, 0)
  assert.deepEqual((await taught()).filter((id) => judgments.includes(id)), []) // prettier-ignore
  assert.equal((await store.judgments()).filter(({ id }) => judgments.includes(id)).length, 3, 'they stay')
  const out = await it.client.flags({ state: 'left-out' })
  assert.deepEqual([out.total, out.leftOut, out.flags[0].answers[0].decision], [3, 3, 'left-out'])
  await it.client.decideFlags({ judgments, decision: null })
  assert.equal((await it.client.flags({ kind: 'cycle' })).total, 1)
  assert.equal((await taught()).filter((id) => judgments.includes(id)).length, 3)
  await it.client.decideFlags({ judgments: ['gold'], decision: 'kept' })
  assert.equal((await it.client.flags({ kind: 'gold' })).total, 0)
  assert.equal((await it.client.flags({ state: 'kept' })).total, 1)

  const history = await it.client.raterHistory('Ada', { count: 3 })
  assert.deepEqual([history.total, history.days.length, history.days[0].answers], [11, 1, 8])
  assert.deepEqual([history.days[0].compared, history.days[0].agreed, history.days[0].gold], [1, 1, { asked: 1, right: 0 }]) // prettier-ignore
  assert.deepEqual(
    history.answers.map(({ answer, isOver, images }) => [answer.id, isOver, images.length]),
    [
      ['sure', false, 1],
      ['looked', false, 1],
      ['ec', false, 2],
    ],
  )
  const { answers } = await it.client.raterHistory('Ada', { offset: 9 })
  assert.deepEqual(answers.map(({ answer, isOver }) => [answer.id, isOver]), [['slow', false], ['fast', true]]) // prettier-ignore
  await assert.rejects(it.client.raterHistory('nobody'), refused(404, 'not-found'))

  await assert.rejects(it.client.decideFlags({ judgments: ['none'], decision: 'kept' }), refused(404, 'not-found'))
  await assert.rejects(it.client.askAgain({ judgments: ['fast', 'none'] }), refused(404, 'not-found'))
}

const server = await postgresServer()
after(() => server?.[Symbol.asyncDispose]())

describe('flags of answers', () => {
  test('with SQLite', async () => {
    await using it = await testStudio()
    await settle(it)
  })
  test('with PostgreSQL', { skip: server === undefined ? noPostgres : false }, async () => {
    await using it = await testStudio({ database: await server!.freshDatabase() })
    await settle(it)
  })
})
