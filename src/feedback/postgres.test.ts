import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { sql } from 'kysely'
import { FileError, FormatError } from '../errors.ts'
import { imageRecord, judgment } from './feedback-fixtures.ts'
import { addressOf } from './postgres-dialect.ts'
import { noPostgres, postgresServer } from './postgres.test-helper.ts'
import { storeSuite } from './store-suite.test-helper.ts'
import { openFeedback } from './store.ts'

const server = await postgresServer()
const skip = server === undefined ? noPostgres : undefined
after(() => server?.[Symbol.asyncDispose]())

storeSuite(
  'feedback store on PostgreSQL',
  async () => ({ address: await server!.freshDatabase(), [Symbol.asyncDispose]: () => Promise.resolve() }),
  skip,
)

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

  it('goes on after the server has cut its connections', async () => {
    const url = await server!.freshDatabase()
    await using store = await openFeedback(url)
    await store.addImages([imageRecord(0)], '.')
    await using other = await openFeedback(url)
    const { rows } = await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(other.database)
    assert.ok(rows.length > 0)
    const attempt = () => store.addJudgments([judgment('1', imageRecord(0))])
    await attempt().catch((error: unknown) => assert.ok(error instanceof FileError))
    assert.ok((await attempt()) <= 1)
    assert.equal((await store.counts()).rows, 1)
  })
})

describe('the address of a server', () => {
  it('is told without the password', () => {
    assert.equal(addressOf('postgres://ada:secret@host:5432/feedback'), 'postgres://host:5432/feedback')
    assert.equal(addressOf('postgresql://host/f?user=a&password=s&x=1'), 'postgresql://host/f?user=a&password=…&x=1')
  })

  it('is of one that answers', async () => {
    await assert.rejects(openFeedback('postgres://127.0.0.1:1/feedback'), {
      name: 'FileError',
      remedy: 'check the address and that the server is running',
    })
  })
})
