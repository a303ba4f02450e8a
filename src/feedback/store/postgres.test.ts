import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { sql } from 'kysely'
import { FileError, FormatError, UnreachableError } from '../../errors.ts'
import { imageRecord, judgment } from '../feedback-fixtures.test-helper.ts'
import { readGold } from '../queue/gold.ts'
import { addressOf } from './postgres-dialect.ts'
import { noPostgres, postgresServer } from './postgres.test-helper.ts'
import type { FreshPlace } from './fresh-place.test-helper.ts'
import { storeSuite } from './store-suite.test-helper.ts'
import { studioSuite } from './studio-suite.test-helper.ts'
import { readSettings } from './settings.ts'
import { openFeedback, type FeedbackStore } from './store.ts'

const server = await postgresServer()
const skip = server === undefined ? noPostgres : undefined
after(() => server?.[Symbol.asyncDispose]())

async function freshDatabase(): Promise<FreshPlace> {
  return { address: await server!.freshDatabase(), [Symbol.asyncDispose]: () => Promise.resolve() }
}
storeSuite('feedback store on PostgreSQL', freshDatabase, skip)
studioSuite('what the studio keeps on PostgreSQL', freshDatabase, skip)

describe('feedback on a PostgreSQL server', { skip: skip ?? false }, () => {
  it('is opened by many at once when it is new', async () => {
    const url = await server!.freshDatabase()
    const stores = await Promise.all([1, 2, 3, 4].map(() => openFeedback(url)))
    await stores[0].addImages([imageRecord(0)], '.')
    await Promise.all(stores.map((store, place) => store.addJudgments([judgment(String(place), imageRecord(0))])))
    for (const store of stores) assert.equal((await store.counts()).rows, 4)
    await Promise.all(stores.map((store) => store.close()))
  })

  it('is refused where it is of a later version', async () => {
    const url = await server!.freshDatabase()
    {
      await using store = await openFeedback(url)
      await store.database.insertInto('migrations').values({ name: '99-later' }).execute()
    }
    await assert.rejects(openFeedback(url), (error) => error instanceof FormatError && /99-later/.test(error.message))
  })

  it('is a database that is there, of a user who may write', async () => {
    const url = await server!.freshDatabase()
    await assert.rejects(openFeedback(url.replace(/feedback_\d+/, 'elsewhere')), {
      name: 'FileError',
      remedy: 'create the database first: createdb NAME',
    })
    await assert.rejects(openFeedback(url.replace('postgres@', 'nobody:secret@')), (error) => {
      assert.ok(error instanceof FileError)
      assert.ok(!error.message.includes('secret'))
      return error.remedy.startsWith('check user and password')
    })
  })

  it('does not notice that the server has cut connections that lay idle', async () => {
    await using store = await openFeedback(await server!.freshDatabase())
    await store.addImages([imageRecord(0)], '.')
    for (let round = 1; round <= 5; round++) {
      // several lie idle
      await Promise.all([store.images(), readGold(store.database), readSettings(store.database)])
      server!.cutConnections()
      assert.equal(await store.addJudgments([judgment(String(round), imageRecord(0))]), 1)
      server!.cutConnections()
      assert.equal((await store.counts()).rows, round)
    }
  })

  it('loses and doubles nothing when the server cuts connections that are in use', async () => {
    const url = await server!.freshDatabase()
    await using store = await openFeedback(url)
    await using other = await openFeedback(url)
    await store.addImages([imageRecord(0)], '.')
    let added = 0
    let failures = 0

    async function add(): Promise<void> {
      const { id } = judgment(String(added++), imageRecord(0))
      for (;;) {
        try {
          await store.addJudgments([judgment(id, imageRecord(0))])
          return
        } catch (error) {
          assert.ok(error instanceof UnreachableError, String(error))
          failures++
        }
      }
    }
    const cut = ({ database }: FeedbackStore) =>
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(database)
    let cuts = 0
    async function label(): Promise<void> {
      while (cuts < 12) await add()
    }
    async function cutAgainAndAgain(): Promise<void> {
      for (; cuts < 12; cuts++) await Promise.all([cut(other), add()])
    }
    await Promise.all([label(), label(), label(), cutAgainAndAgain()])
    assert.ok(failures > 0)
    const ids = (await store.allRows()).map(({ id }) => Number(id)).sort((a, b) => a - b)
    assert.deepEqual(ids, [...Array(added).keys()])
  })
})

describe('the address of a server', () => {
  it('is told without the password', () => {
    assert.equal(addressOf('postgres://ada:secret@host:5432/feedback'), 'postgres://host:5432/feedback')
    assert.equal(addressOf('postgresql://host/f?user=a&password=s&x=1'), 'postgresql://host/f?user=a&password=…&x=1')
  })

  it('is of one that answers', async () => {
    await assert.rejects(openFeedback('postgres://127.0.0.1:1/feedback'), {
      name: 'UnreachableError',
      remedy: 'check the address and that the server is running',
    })
  })
})
