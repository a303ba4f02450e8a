/** Labels about which raters differ: listed, sent to one more rater, asked first and only once, and settled. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { changeSettings } from '../../feedback/store/settings.ts'
import { noPostgres, postgresServer } from '../../feedback/store/postgres.test-helper.ts'
import type { StudioOptions } from '../open-studio.ts'
import { addImageRun, goodBad, refused, testStudio } from '../studio.test-helper.ts'

const server = await postgresServer()
after(() => server?.[Symbol.asyncDispose]())

async function settles(options: StudioOptions): Promise<void> {
  await using it = await testStudio(options)
  const records = await addImageRun(it.studio, 'round-1', ['two red circles', 'a cat'], { perPrompt: 4, side: 4 })
  await changeSettings(it.studio.store.database, { overlapShare: 0, goldShare: 0 })
  const ids = records.map(({ id }) => id)
  const [ada, bob, cleo, dan] = ['Ada', 'Bob', 'Cleo', 'Dan'].map((name) => it.as(name))
  const misread = [{ image: 0, word: 1 }]
  const regions = [{ image: 0, kind: 'misaligned' as const, x: 0.5, y: 0.25 }]
  await ada.judge({ judgments: ids.slice(0, 5).map((id) => goodBad(`a${id}`, id)) })
  await bob.judge({
    judgments: [
      { ...goodBad('b0', ids[0], 'bad'), misread, regions },
      goodBad('b1', ids[1], 'bad'),
      goodBad('b2', ids[2]),
      goodBad('b4', ids[4], 'bad'),
    ],
  })
  const at = '2026-01-01T00:00:00.000Z'
  await ada.judge({ judgments: [{ id: 'ap', kind: 'pair', images: [ids[0], ids[1]], answer: 'first', at }] })
  await bob.judge({ judgments: [{ id: 'bp', kind: 'pair', images: [ids[1], ids[0]], answer: 'first', at }] })

  const found = await it.client.disagreements()
  assert.deepEqual([found.total, found.asked, found.settled], [4, 0, 0])
  const first = found.labels.find(({ kind, images }) => kind === 'good-bad-skip' && images[0].id === ids[0])!
  assert.deepEqual(
    first.answers.map(({ rater, answer, misread: words }) => [rater, answer, words]),
    [
      ['Ada', 'good', []],
      ['Bob', 'bad', ['red']],
    ],
  )
  assert.deepEqual(first.answers[1].regions, regions)
  const pair = found.labels.find(({ kind }) => kind === 'pair')!
  assert.deepEqual(
    pair.answers.map(({ answer }) => answer),
    ['first', 'second'],
    'of the images in one order',
  )
  assert.equal((await it.client.disagreements({ offset: 1, count: 2 })).labels.length, 2)

  // Nobody is asked before somebody wants it, and then who has judged it is not.
  const questions = found.labels.map(({ question }) => question)
  const tasksOf = async (rater: typeof ada, mode: 'good-bad' | 'pair' = 'good-bad', without: string[] = []) =>
    await rater.tasks({ mode, count: 20, without: without.join() })
  assert.ok((await tasksOf(cleo)).tasks.every(({ settles: isThird }) => isThird !== true))
  assert.deepEqual(await it.client.askThird({ questions: [...questions, 'good-bad-skip nothing'] }), { asked: 4 })
  assert.deepEqual(await it.client.askThird({ questions }), { asked: 0 })
  assert.equal((await it.client.disagreements()).asked, 4)
  assert.ok((await tasksOf(ada)).tasks.every(({ settles: isThird }) => isThird !== true))
  assert.ok((await tasksOf(bob, 'pair')).tasks.every(({ settles: isThird }) => isThird !== true))

  const { tasks, progress } = await tasksOf(cleo)
  // both of one prompt together, and then what nobody has judged
  assert.deepEqual(
    tasks.map((task) => `${task.settles === true ? 'settles' : 'fresh'} ${task.images.length}`).toSorted(),
    ['fresh 3', 'settles 1', 'settles 2'],
  )
  assert.equal(tasks.at(-1)?.settles, undefined)
  const asked = tasks.filter((task) => task.settles === true).flatMap((task) => task.images.map(({ id }) => id))
  assert.deepEqual(asked.toSorted(), [ids[0], ids[1], ids[4]].toSorted())
  assert.deepEqual([progress.done, progress.total], [0, 6])
  const [pairTask] = (await tasksOf(cleo, 'pair')).tasks
  assert.deepEqual([pairTask.settles, pairTask.images.length], [true, 2])
  // What one holds is not asked of another, nor again of the same.
  assert.ok((await tasksOf(dan)).tasks.every(({ settles: isThird }) => isThird !== true))
  assert.ok((await tasksOf(cleo, 'good-bad', asked)).tasks.every(({ settles: isThird }) => isThird !== true))

  await cleo.judge({ judgments: [goodBad('c0', ids[0], 'bad'), goodBad('c1', ids[1], 'skip'), goodBad('c4', ids[4])] })
  assert.ok(
    (await tasksOf(cleo)).tasks.every(({ settles: isThird }) => isThird !== true),
    'a skip is an answer of this rater',
  )
  const then = await it.client.disagreements()
  assert.deepEqual([then.total, then.asked, then.settled], [2, 2, 2])
  const [left] = (await tasksOf(dan)).tasks
  assert.deepEqual([left.settles, left.images.map(({ id }) => id)], [true, [ids[1]]], 'somebody else is asked')
  // An answer that is taken back settles nothing, and a rater whose answers do not count cannot settle.
  await cleo.judge({ judgments: [{ ...goodBad('c0', ids[0], 'bad'), id: 'u0', undoes: 'c0' }] })
  assert.equal((await it.client.disagreements()).settled, 1)
  await it.client.changeRater('Cleo', { excluded: true })
  assert.deepEqual([(await it.client.disagreements()).settled, (await it.client.disagreements()).total], [0, 4])
  await it.client.changeRater('Bob', { excluded: true })
  assert.equal((await it.client.disagreements()).total, 0)
}

test('on SQLite', () => settles({}))

test('on PostgreSQL', { skip: server === undefined && noPostgres }, async () => {
  await settles({ database: await server!.freshDatabase() })
})

test('asks for questions, and few at once', async () => {
  await using it = await testStudio()
  await assert.rejects(it.client.askThird({ questions: [] }), refused(400, 'config'))
  await assert.rejects(it.client.askThird({ questions: Array<string>(101).fill('a') }), refused(400, 'config'))
  await assert.rejects(it.client.disagreements({ count: 0 }), refused(400, 'config'))
})
