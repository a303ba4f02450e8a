/** Raters who work at the same time, by real requests. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { changeSettings } from '../feedback/store/settings.ts'
import { noPostgres, postgresServer } from '../feedback/store/postgres.test-helper.ts'
import type { NewJudgment } from './schemas/labelling.ts'
import type { StudioOptions } from './open-studio.ts'
import { addImageRun, goodBad, testStudio } from './studio.test-helper.ts'

const server = await postgresServer()
after(() => server?.[Symbol.asyncDispose]())

const texts = [
  'two red circles',
  'a cross',
  'three crosses',
  'a blue ring',
  'four rings',
  'a triangle',
  'a ring',
  'two rings',
]

async function inLockstep(options: StudioOptions, mode: 'good-bad' | 'rating'): Promise<void> {
  await using it = await testStudio(options)
  await addImageRun(it.studio, 'round-1', texts, { perPrompt: 3, side: 4 })
  await changeSettings(it.studio.store.database, { overlapShare: 0, goldShare: 0 })
  const raters = ['Ada', 'Bob', 'Eve'].map((name) => it.as(name))
  const asked: string[] = []
  for (let turn = 0; turn < 12; turn++) {
    // All have their questions before one of them has answered.
    const all = await Promise.all(raters.map((rater) => rater.tasks({ mode, count: 1 })))
    for (const [i, { tasks }] of all.entries()) {
      const ids = tasks.flatMap(({ images }) => images.map(({ id }) => id))
      asked.push(...ids)
      const at = '2026-01-01T00:00:00.000Z'
      const ratings = { overall: 4, alignment: 4, fidelity: 4 }
      const judgments: NewJudgment[] =
        mode === 'good-bad'
          ? ids.map((id) => goodBad(`${i} ${id}`, id))
          : ids.map((id) => ({ id: `${i} ${id}`, kind: 'rating', images: [id], answer: 'rated', ratings, at }))
      if (mode === 'rating' && ids.length > 1) {
        const ranks = ids.map(() => 1)
        judgments.push({ id: `${i} ${turn}`, kind: 'ranking', images: ids, answer: 'ranked', ranks, at })
      }
      if (judgments.length > 0) await raters[i].judge({ judgments })
    }
  }
  assert.deepEqual([asked.length, new Set(asked).size], [24, 24])
}

test('three raters in lockstep are asked about different images, where nothing is to be asked twice', async () => {
  await inLockstep({}, 'good-bad')
  await inLockstep({}, 'rating')
})

test('the same with PostgreSQL', { skip: server === undefined ? noPostgres : false }, async () => {
  await inLockstep({ database: await server!.freshDatabase() }, 'good-bad')
})

test('what was handed to a rater who leaves, or skips it, is for the others', async () => {
  let now = 0
  await using it = await testStudio({ now: () => now })
  await addImageRun(it.studio, 'round-1', texts.slice(0, 2), { perPrompt: 3, side: 4 })
  await changeSettings(it.studio.store.database, { overlapShare: 0, goldShare: 0 })
  const [ada, bob] = [it.as('Ada'), it.as('Bob')]
  const idsOf = ({ tasks }: Awaited<ReturnType<typeof ada.tasks>>) =>
    tasks.flatMap(({ images }) => images.map(({ id }) => id)).sort()
  const held = idsOf(await ada.tasks({ count: 1 }))
  const others = idsOf(await bob.tasks({ count: 9 }))
  assert.deepEqual([held.length, others.length, new Set([...held, ...others]).size], [3, 3, 6])
  assert.deepEqual(idsOf(await ada.tasks({ count: 1 })), held, 'after a reload they come again')
  now += 4 * 60_000
  await ada.tasks({ count: 1, without: held.join(',') })
  now += 4 * 60_000
  await bob.tasks({ count: 1, without: others.join(',') })
  assert.deepEqual(idsOf(await bob.tasks({ count: 9 })), others, 'who asks again keeps what is held')
  await ada.judge({ judgments: [goodBad('skip', held[0], 'skip')] })
  assert.deepEqual(idsOf(await bob.tasks({ count: 9 })), [...others, held[0]].sort(), 'a skip')
  now += 6 * 60_000
  assert.equal(idsOf(await bob.tasks({ count: 9 })).length, 6, 'she has left')
})
