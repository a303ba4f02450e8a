import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StudioError } from '../src/errors.ts'
import type { NewJudgment } from '../src/studio/schemas/labelling.ts'
import { MemoryStore } from './memory-store.test-helper.ts'
import { letterPrefix, Outbox, pastPrefix } from './outbox.ts'
import { Past } from './past.ts'

const judgment = (id: string, more: Partial<NewJudgment> = {}): NewJudgment => ({
  id,
  kind: 'good-bad-skip',
  images: [`image-${id}`],
  answer: 'good',
  at: '2026-01-01T00:00:00.000Z',
  ...(more as object),
})

const failure = (status: number, code: string) =>
  new StudioError(status, code, { where: 'studio', expected: 'one', received: 'another', remedy: 'wait' })

/** A server that takes what it is sent, in order, once; or fails as it is told. */
class Server {
  readonly taken: { id: string; rater: string | null }[] = []
  readonly sizes: number[] = []
  fails: ((ids: readonly string[]) => StudioError | undefined) | undefined
  /** The answer gets lost on its way back. */
  isDeaf = false

  readonly clientOf = (rater: string | null) => {
    const take = (all: readonly { id: string }[]) => {
      const error = this.fails?.(all.map(({ id }) => id))
      if (error !== undefined) return Promise.reject(error)
      const fresh = all.filter(({ id }) => !this.taken.some((one) => one.id === id))
      this.taken.push(...fresh.map(({ id }) => ({ id, rater })))
      this.sizes.push(all.length)
      if (this.isDeaf) return Promise.reject(failure(0, 'offline'))
      return Promise.resolve({ added: fresh.length, known: all.length - fresh.length })
    }
    return {
      judge: ({ judgments }: { judgments: readonly { id: string }[] }) => take(judgments),
      vote: ({ votes }: { votes: readonly { id: string }[] }) => take(votes),
    }
  }
  get ids(): string[] {
    return this.taken.map(({ id }) => id)
  }
}

function boxOf(server: Server, store = new MemoryStore()): Outbox {
  return new Outbox({ store, clientOf: server.clientOf, firstRetryMs: 1 })
}

/** Fulfilled when it is so. */
const when = (box: Outbox, isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!isSo()) return
      end()
      resolve()
    }
    const end = box.subscribe(look)
    look()
  })

test('an answer is kept until the server has said that it has it', async () => {
  const server = new Server()
  const store = new MemoryStore()
  const box = boxOf(server, store)
  box.open(undefined)
  server.fails = () => failure(0, 'offline')
  box.judge(judgment('a'), 'Ada')
  box.judge(judgment('b'), 'Ada')
  assert.deepEqual([...store.texts.keys()], [`${letterPrefix}a`, `${letterPrefix}b`])
  await when(box, () => box.state.status === 'offline')
  assert.deepEqual([box.state.waiting, box.imagesUnderWay()], [2, ['image-a', 'image-b']])
  server.fails = undefined
  await when(box, () => box.state.status === 'saved')
  assert.deepEqual([server.ids, store.length, box.state.waiting], [['a', 'b'], 0, 0])
})

test('another page takes up what was left, in the order in which it was answered, more than fits one request', async () => {
  const server = new Server()
  const store = new MemoryStore()
  server.fails = () => failure(503, 'busy')
  const left = boxOf(server, store)
  left.open(undefined)
  const ids = Array.from({ length: 230 }, (_, i) => `n${i}`)
  for (const id of ids) left.judge(judgment(id), 'Ada')
  await when(left, () => left.state.status === 'offline')
  left.close()
  const other = new Server()
  store.setItem(`${letterPrefix}torn`, '{"order":')
  const box = boxOf(other, store)
  box.open(undefined)
  await when(box, () => box.state.waiting === 0)
  assert.deepEqual(other.ids, ids)
  assert.deepEqual(other.sizes, [100, 100, 30])
  assert.equal(store.length, 0)
})

test('an answer that arrived without the page hearing of it is sent again under the same id', async () => {
  const server = new Server()
  const box = boxOf(server)
  box.open(undefined)
  server.isDeaf = true
  box.judge(judgment('a'), 'Ada')
  await when(box, () => box.state.status === 'offline')
  server.isDeaf = false
  await when(box, () => box.state.status === 'saved')
  assert.deepEqual([server.ids, server.sizes], [['a'], [1, 1]])
})

test('one that is refused for good is told and does not hold back the others', async () => {
  const server = new Server()
  const box = boxOf(server)
  server.fails = (ids) => (ids.includes('bad') ? failure(400, 'format') : undefined)
  for (const id of ['a', 'bad', 'c']) box.judge(judgment(id), 'Ada')
  box.open(undefined)
  await when(box, () => box.state.status === 'saved')
  assert.deepEqual(server.ids, ['a', 'c'])
  assert.equal((box.state.refused as StudioError).code, 'format')
  box.forgetRefused()
  assert.equal(box.state.refused, undefined)
})

test('votes and judgments, and those of several people, go in batches of their own, in order', async () => {
  const server = new Server()
  const box = boxOf(server)
  server.fails = () => failure(0, 'offline')
  box.open(undefined)
  const vote = { id: 'v', task: 'compare-1.x', answer: 'first' as const, at: '2026-01-01T00:00:00.000Z' }
  box.judge(judgment('a'), 'Ada')
  box.vote(vote, 'Ada')
  box.judge(judgment('b'), 'Ben')
  assert.deepEqual(box.votesUnderWay(), ['compare-1.x'])
  await when(box, () => box.state.status === 'offline')
  server.fails = undefined
  await when(box, () => box.state.waiting === 0)
  assert.deepEqual(server.taken, [
    { id: 'a', rater: 'Ada' },
    { id: 'v', rater: 'Ada' },
    { id: 'b', rater: 'Ben' },
  ])
})

test('answers of one account wait while another is signed in', async () => {
  const server = new Server()
  const store = new MemoryStore()
  const box = boxOf(server, store)
  box.open('Ada')
  server.fails = () => failure(401, 'sign-in')
  box.judge(judgment('a'), 'Ada')
  await when(box, () => box.state.status === 'signed-out')
  box.close()
  server.fails = undefined
  const ben = boxOf(server, store)
  ben.open('Ben')
  ben.judge(judgment('b'), 'Ben')
  await when(ben, () => ben.state.status === 'saved')
  assert.deepEqual([server.ids, ben.state.ofOthers, [...store.texts.keys()]], [['b'], 1, [`${letterPrefix}a`]])
  const ada = boxOf(server, store)
  ada.open('Ada')
  await when(ada, () => ada.state.waiting === 0)
  assert.deepEqual(server.ids, ['b', 'a'])
})

test('where the store is full the way back gives room to an answer, and without a store answers go out all the same', async () => {
  const server = new Server()
  server.fails = () => failure(0, 'offline')
  const store = new MemoryStore(1000)
  const past = new Past('labels.Ada', store)
  const answer = { id: 'x', at: '2026-01-01T00:00:00.000Z' }
  past.add({ place: 'pair', task: 'x'.repeat(700), state: null, answer, counts: 1, group: 'x' })
  assert.deepEqual([...store.texts.keys()], [`${pastPrefix}labels.Ada`])
  const box = boxOf(server, store)
  box.judge(judgment('a'), 'Ada')
  assert.deepEqual([...store.texts.keys()], [`${letterPrefix}a`])
  assert.equal(past.last()?.answer.id, 'x')
  box.close()

  const other = new Server()
  const bare = new Outbox({ store: null, clientOf: other.clientOf })
  bare.open(undefined)
  bare.judge(judgment('a'), 'Ada')
  await when(bare, () => bare.state.status === 'saved')
  assert.deepEqual(other.ids, ['a'])
})

test('what is under way counts as done, less what it takes back', () => {
  const box = boxOf(new Server())
  box.judge(judgment('a'), 'Ada')
  box.judge(judgment('b'), 'Ada')
  box.judge(judgment('c', { undoes: 'a' }), 'Ada')
  assert.deepEqual([box.thingsUnderWay(['good-bad-skip']), box.thingsUnderWay(['pair'])], [1, 0])
  assert.deepEqual([...box.undoneUnderWay()], ['a'])
  box.close()
})
