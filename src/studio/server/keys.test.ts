/** Keys for scripts, and the log of what admins did, in person or by a key. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { readAdminActs } from '../../feedback/raters/admin-log.ts'
import { noPostgres, postgresServer } from '../../feedback/store/postgres.test-helper.ts'
import { AdminActs, ApiKeys, MadeApiKey } from '../schemas/accounts.ts'
import { addImageRun, changing, failureOf, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { routes } from './app.ts'
import { isLogged } from './logged.ts'
import { openApiOf } from './openapi.ts'

type Ask = (path: string, method?: string, body?: unknown) => Promise<Response>

async function person(it: TestStudio, name: string, role: 'admin' | 'rater'): Promise<Ask> {
  const { token } = await invite(it.studio.store, { name, role, days: 1 })
  const answer = await it.app.request('/api/sessions', changing('POST', { token }))
  const cookie = answer.headers.getSetCookie()[0].split(';')[0]
  return async (path, method = 'GET', body) =>
    await it.app.request(path, method === 'GET' ? { headers: { cookie } } : changing(method, body, { cookie }))
}

/** As a script calls: nothing but the key. */
const script =
  (it: TestStudio, token: string): Ask =>
  async (path, method = 'GET', body) =>
    await it.app.request(path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })

const madeBy = async (ask: Ask, body: object) => MadeApiKey.parse(await (await ask('/api/keys', 'POST', body)).json())

async function useKeys(it: TestStudio): Promise<void> {
  const { store } = it.studio
  const [image] = await addImageRun(it.studio, 'round-1', ['a'])
  const [admin, ada] = [await person(it, 'admin', 'admin'), await person(it, 'Ada', 'rater')]
  const { key, token } = await madeBy(admin, { name: 'nightly', role: 'admin', days: 7 })
  assert.match(token, /^attune_[\w-]{43}$/)
  assert.equal(Date.parse(key.expiresAt) - Date.parse(key.createdAt), 7 * 86_400_000)
  const stored = JSON.stringify(await store.database.selectFrom('api_keys').selectAll().execute())
  assert.ok(!stored.includes(token) && !stored.includes(token.slice(7)))

  const nightly = script(it, token)
  assert.equal((await nightly('/api/jobs')).status, 200)
  const settings = { mode: 'pair', overlapShare: 0.5, goldShare: 0.1, byUncertainty: false }
  assert.equal((await nightly('/api/asking', 'PUT', settings)).status, 200, 'without the header of our pages')
  const [act] = await readAdminActs(store.database, { count: 1 })
  assert.deepEqual([act.who, act.key, act.address, act.outcome], ['admin', 'nightly', 'put /api/asking', 'done'])
  assert.deepEqual(
    [act.before, act.after].map((state) => (state as typeof settings).mode),
    ['good-bad', 'pair'],
  )
  const listed = ApiKeys.parse(await (await admin('/api/keys')).json())
  assert.notEqual(listed.keys[0].lastUsedAt, null)
  for (const [path, method, body] of [
    ['/api/keys', 'POST', { name: 'more' }],
    ['/api/password', 'PUT', { password: 'correct horse battery' }],
    ['/api/accounts/Ada', 'PUT', { role: 'admin' }],
    [`/api/keys/${key.id}`, 'DELETE', undefined],
  ] as const) {
    assert.equal((await failureOf(await nightly(path, method, body))).code, 'forbidden', `${method} ${path}`)
  }

  for (const path of ['/api/keys', '/api/invitations']) {
    const unseen = await admin(path, 'POST', { name: '\u200b\u202e' })
    assert.equal((await failureOf(unseen)).code, 'config', `${path} of a name that nobody sees`)
  }

  const tooMuch = await ada('/api/keys', 'POST', { name: 'mine', role: 'admin' })
  assert.equal((await failureOf(tooMuch)).code, 'forbidden')
  const own = await madeBy(ada, { name: 'mine' })
  const mine = script(it, own.token)
  assert.equal((await mine('/api/judgments', 'POST', { judgments: [goodBad('1', image.id)] })).status, 200)
  assert.equal((await store.judgments())[0].rater, 'Ada')
  assert.equal((await mine('/api/jobs')).status, 403)
  assert.deepEqual(
    ApiKeys.parse(await (await ada('/api/keys')).json()).keys.map(({ name }) => name),
    ['mine'],
  )
  assert.equal((await ada(`/api/keys/${key.id}`, 'DELETE')).status, 404, 'that of somebody else')

  const bob = await person(it, 'Bob', 'admin')
  const high = script(it, (await madeBy(bob, { name: 'high', role: 'admin' })).token)
  assert.equal((await high('/api/jobs')).status, 200)
  assert.equal((await admin('/api/accounts/Bob', 'PUT', { role: 'rater' })).status, 200)
  assert.equal((await high('/api/jobs')).status, 403, 'no more than its owner')

  assert.equal((await admin(`/api/keys/${own.key.id}`, 'DELETE')).status, 200)
  assert.equal((await mine('/api/state')).status, 401)
  await store.database.updateTable('api_keys').set({ expires_at: '2026-01-01T00:00:00.000Z' }).execute()
  for (const ask of [nightly, script(it, 'attune_x'), script(it, token.slice(7))]) {
    assert.equal((await ask('/api/state')).status, 401)
  }
  const both = await it.app.request('/api/state', {
    headers: { authorization: 'Bearer none', cookie: 'attune-session=x' },
  })
  assert.equal(both.status, 401)
}

const server = await postgresServer()
after(() => server?.[Symbol.asyncDispose]())

describe('keys for scripts', () => {
  test('with SQLite', async () => {
    await using it = await testStudio({ login: true })
    await useKeys(it)
  })
  test('with PostgreSQL', { skip: server === undefined ? noPostgres : false }, async () => {
    await using it = await testStudio({ login: true, database: await server!.freshDatabase() })
    await useKeys(it)
    await assert.rejects(it.studio.store.database.deleteFrom('admin_log').execute(), /append-only/)
  })
  test('the description says how they are used', () => {
    const { components, paths } = openApiOf(routes) as {
      components: { securitySchemes: Record<string, { type: string; scheme?: string }> }
      paths: Record<string, Record<string, { security: object[] }>>
    }
    assert.equal(components.securitySchemes.key.scheme, 'bearer')
    assert.deepEqual(paths['/api/jobs'].get.security, [{ session: [] }, { key: [] }])
    assert.deepEqual(paths['/api/keys'].post.security, [{ session: [] }])
    assert.deepEqual(paths['/api/sessions'].post.security, [])
  })
})

describe('the log of what admins did', () => {
  test('has every changing address of admins, done or refused', async () => {
    await using it = await testStudio({ login: true })
    const { database } = it.studio.store
    const admin = await person(it, 'admin', 'admin')
    const changes = routes.filter(({ method, who }) => method !== 'get' && who === 'admin')
    assert.ok(changes.length > 15 && changes.every(isLogged))
    for (const { method, path } of changes) {
      const address = path.replaceAll(/:(\w+)/g, 'none')
      const [before] = await readAdminActs(database, { count: 1 })
      await (await admin(address, method.toUpperCase(), '{')).arrayBuffer()
      const acts = await readAdminActs(database, { count: 2 })
      assert.equal(acts[0].address, `${method} ${address}`)
      assert.equal(acts[0].who, 'admin')
      assert.notEqual(acts[0].outcome, '')
      assert.equal(acts.at(1)?.sequence, before?.sequence, `${method} ${path} once`)
    }
  })

  test('tells before and after, no secrets, page by page; it is taken away whole, and never changed', async () => {
    await using it = await testStudio({ login: true })
    const { store } = it.studio
    const [image] = await addImageRun(it.studio, 'round-1', ['a'])
    const [admin, ada] = [await person(it, 'admin', 'admin'), await person(it, 'Ada', 'rater')]
    await ada('/api/judgments', 'POST', { judgments: [goodBad('1', image.id)] })
    await admin('/api/raters/Ada', 'PUT', { excluded: true })
    await admin(`/api/gold/${image.id}`, 'PUT', { answer: 'bad' })
    await admin('/api/accounts/Ada', 'PUT', { role: 'admin' })
    await admin('/api/accounts/admin', 'PUT', { role: 'rater' })
    const made = (await (await ada('/api/invitations', 'POST', { name: 'Zoe' })).json()) as { link: string }
    await ada('/api/password', 'PUT', { password: 'correct horse battery' })
    const told = (await readAdminActs(store.database, { count: 50 })).toReversed()
    assert.deepEqual(
      told.map(({ who, address, before, after, outcome }) => [who, address, before, after, outcome]).slice(0, 4),
      [
        ['admin', 'put /api/raters/Ada', { excluded: false }, { excluded: true }, 'done'],
        ['admin', `put /api/gold/${image.id}`, { answer: null }, { answer: 'bad' }, 'done'],
        ['admin', 'put /api/accounts/Ada', { role: 'rater' }, { role: 'admin' }, 'done'],
        ['admin', 'put /api/accounts/admin', { role: 'admin' }, { role: 'rater' }, 'done'],
      ],
    )
    assert.partialDeepStrictEqual(told.at(-2), { who: 'Ada', after: { invitation: { name: 'Zoe', role: 'rater' } } })
    const all = JSON.stringify(told)
    assert.ok(!all.includes(made.link.split('/').at(-1)!) && !all.includes('correct horse'))

    const second = await person(it, 'Eve', 'admin')
    const page = AdminActs.parse(await (await second('/api/log?count=2')).json())
    assert.equal(page.acts.length, 2)
    const rest = AdminActs.parse(await (await second(`/api/log?below=${page.next}`)).json())
    assert.equal(rest.next, null)
    const lines = (await (await second('/api/log/export')).text()).trim().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [...page.acts, ...rest.acts],
    )
    assert.equal((await failureOf(await admin('/api/log'))).code, 'forbidden', 'a rater now')
    for (const change of [
      store.database.deleteFrom('admin_log'),
      store.database.updateTable('admin_log').set({ who: 'x' } as never),
    ]) {
      await assert.rejects(change.execute(), /append-only/)
    }
  })
})
