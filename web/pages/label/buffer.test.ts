import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StudioError } from '../../../src/errors.ts'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import { TaskBuffer, type Source } from './buffer.ts'

interface Asked {
  readonly images: readonly ImageRef[]
}
const task = (...ids: string[]): Asked => ({ images: ids.map((id) => ({ id, width: 24, height: 24 })) })
const keysOf = ({ images }: Asked) => images.map(({ id }) => id)

/** A server with so many tasks, which asks nothing twice that is answered or held. */
class Questions {
  readonly answered = new Set<string>()
  readonly underWay = new Set<string>()
  readonly asked: (readonly string[])[] = []
  fails: StudioError | undefined
  all: readonly Asked[]

  constructor(...all: readonly Asked[]) {
    this.all = all
  }

  readonly source: Source<Asked> = {
    ask: (without, count) => {
      this.asked.push(without)
      if (this.fails !== undefined) return Promise.reject(this.fails)
      const open = this.all.flatMap((one) => {
        const images = one.images.filter(({ id }) => !this.answered.has(id) && !without.includes(id))
        return images.length === 0 ? [] : [{ images }]
      })
      const total = this.all.flatMap(keysOf).length
      return Promise.resolve({ tasks: open.slice(0, count), progress: { done: this.answered.size, total } })
    },
    imagesOf: ({ images }) => images,
    keysOf,
    underWay: () => [...this.underWay],
    uncounted: () => this.underWay.size,
    send: () => Promise.resolve(),
    load: () => Promise.resolve(),
    retryMs: 1,
  }
}

const when = (buffer: TaskBuffer<Asked>, isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!isSo()) return
      end()
      resolve()
    }
    const end = buffer.subscribe(look)
    look()
  })
const shown = (buffer: TaskBuffer<Asked>) => buffer.state.current && keysOf(buffer.state.current)

test('it holds some tasks ahead, asks for none twice, and ends when nothing is left', async () => {
  const questions = new Questions(...Array.from({ length: 23 }, (_, i) => task(`a${i}`, `b${i}`)))
  const buffer = new TaskBuffer(questions.source)
  const end = buffer.start()
  const seen: string[] = []
  for (let i = 0; i < 23; i++) {
    await when(buffer, () => buffer.state.current !== undefined)
    const ids = shown(buffer)!
    seen.push(...ids)
    // On its way, the server knows nothing of it yet; later it does.
    for (const id of ids) questions.underWay.add(id)
    buffer.count(ids.length)
    buffer.next()
    if (i % 4 === 3) {
      for (const id of questions.underWay) questions.answered.add(id)
      questions.underWay.clear()
    }
  }
  await when(buffer, () => buffer.state.isDone)
  assert.equal(new Set(seen).size, 46)
  assert.deepEqual(buffer.state.progress, { done: 46, total: 46 })
  end()
})

test('what was taken back comes first, and nothing that is ahead asks about its images anew', async () => {
  const questions = new Questions(task('a', 'b', 'c'), task('d'))
  questions.answered.add('a')
  const buffer = new TaskBuffer(questions.source)
  buffer.start()
  await when(buffer, () => buffer.state.current !== undefined)
  assert.deepEqual(shown(buffer), ['b', 'c'])
  questions.answered.delete('a')
  buffer.count(-1)
  buffer.putBack(task('a', 'b', 'c'))
  assert.deepEqual([shown(buffer), buffer.state.progress], [['a', 'b', 'c'], { done: 0, total: 4 }])
  for (const id of 'abc') questions.answered.add(id)
  buffer.next()
  await when(buffer, () => buffer.state.current !== undefined)
  assert.deepEqual(shown(buffer), ['d'])
  questions.answered.add('d')
  buffer.next()
  await when(buffer, () => buffer.state.isDone)
  buffer.putBack(task('d'))
  assert.equal(buffer.state.isDone, false)
})

test('it begins with what was taken back elsewhere', async () => {
  const questions = new Questions(task('a', 'b'), task('c'))
  const buffer = new TaskBuffer(questions.source, [task('b')])
  assert.deepEqual(shown(buffer), ['b'])
  buffer.start()
  await when(buffer, () => buffer.state.progress !== undefined)
  assert.deepEqual(questions.asked, [['b']])
  buffer.next()
  await when(buffer, () => buffer.state.current !== undefined)
  assert.deepEqual(shown(buffer), ['a'])
})

test('answers that could not be sent are counted, and not asked again', async () => {
  const questions = new Questions(task('a'), task('b'), task('c'))
  questions.underWay.add('a')
  const buffer = new TaskBuffer(questions.source)
  buffer.start()
  await when(buffer, () => buffer.state.current !== undefined)
  assert.deepEqual([shown(buffer), buffer.state.progress?.done], [['b'], 1])
})

test('it goes on by itself when the server is back, and says what else is wrong', async () => {
  const facts = { where: 'studio', expected: 'an answer', received: 'none', remedy: 'wait' }
  const questions = new Questions(task('a'))
  questions.fails = new StudioError(0, 'offline', facts)
  const buffer = new TaskBuffer(questions.source)
  buffer.start()
  await when(buffer, () => buffer.state.error !== undefined)
  questions.fails = undefined
  await when(buffer, () => buffer.state.current !== undefined)
  assert.equal(buffer.state.error, undefined)

  const refusing = new Questions(task('a'))
  refusing.fails = new StudioError(400, 'config', facts)
  const other = new TaskBuffer(refusing.source)
  other.start()
  await when(other, () => other.state.error !== undefined)
  assert.equal(refusing.asked.length, 1)
  refusing.fails = undefined
  other.reload()
  await when(other, () => other.state.current !== undefined)
})

test('a picture that never comes does not keep the question away for long, and one that fails does not at all', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const questions = new Questions(task('stuck'))
  const buffer = new TaskBuffer({ ...questions.source, load: () => new Promise(() => undefined) })
  buffer.start()
  // All that can happen without the picture has happened.
  for (let i = 0; i < 50; i++) await Promise.resolve()
  assert.equal(questions.asked.length, 1)
  assert.equal(shown(buffer), undefined)
  context.mock.timers.tick(60_000)
  await when(buffer, () => buffer.state.current !== undefined)
  assert.deepEqual(shown(buffer), ['stuck'])
})
