/** A studio that asks for accounts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../schemas/basics.ts'
import { State } from '../schemas/state.ts'
import { addImageRun, changing, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { routes } from './app.ts'

/** Requests with the cookie of a session. */
async function signIn(it: TestStudio, token: string) {
  const answer = await it.app.request('/api/sessions', changing('POST', { token }))
  assert.equal(answer.status, 200, await answer.clone().text())
  const cookie = answer.headers.get('set-cookie') ?? ''
  const [value] = cookie.split(';')
  const ask = (path: string, init: RequestInit = {}) =>
    it.app.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), cookie: value } })
  return { cookie, ask }
}
const codeOf = async (answer: Response) => Failure.parse(await answer.json()).error.code
const tokenOf = (link: string) => link.split('/').at(-1)!

test('without an account nothing is told but the pages', async () => {
  await using it = await testStudio({ login: true })
  const open = routes.filter(({ who }) => who === 'open').map(({ path }) => path)
  assert.deepEqual(open, ['/api/sessions'])
  for (const { method, path, who } of routes) {
    if (who === 'open') continue
    const asked = path
      .replace(':name', 'reward-1')
      .replace(':step/:index', '1/0')
      .replace(':id', path.startsWith('/images') ? '0'.repeat(16) : 'job-1')
    const answer = await it.app.request(asked, changing(method.toUpperCase(), method === 'get' ? undefined : {}))
    assert.equal(answer.status, 401, `${method} ${path}`)
  }
  const forged = await it.app.request('/api/state', {
    headers: { cookie: 'attune-session=x', 'x-attune-rater': 'admin' },
  })
  assert.equal(await codeOf(forged), 'sign-in')
  assert.equal((await it.app.request('http://192.0.2.1:4870/')).status, 200, 'any name of the machine will do')
})

test('an admin invites, a rater judges, links work once', async () => {
  await using it = await testStudio({ login: true })
  const [image] = await addImageRun(it.studio, 'round-1', ['a'])
  const first = await invite(it.studio.store, { name: 'admin', role: 'admin', days: 1 })
  const admin = await signIn(it, first.token)
  assert.match(admin.cookie, /HttpOnly/)
  assert.match(admin.cookie, /SameSite=Strict/)
  assert.equal(
    await codeOf(await it.app.request('/api/sessions', changing('POST', { token: first.token }))),
    'expired-link',
  )

  const name = '<script>Ada</script> 🐕'
  const invited = (await (await admin.ask('/api/invitations', changing('POST', { name }))).json()) as { link: string }
  assert.match(invited.link, /^http:\/\/localhost\/#\/invitation\//)
  const rater = await signIn(it, tokenOf(invited.link))
  const state = State.parse(await (await rater.ask('/api/state')).json())
  assert.deepEqual([state.user, state.login, state.rounds, state.policies], [{ name, role: 'rater' }, true, [], []])
  const posing = changing('POST', { judgments: [goodBad('a', image.id)] }, { 'x-attune-rater': 'admin' })
  assert.equal((await rater.ask('/api/judgments', posing)).status, 200)
  assert.equal((await it.studio.store.allRows())[0].rater, name)
  for (const path of ['/api/jobs', '/api/raters', '/api/invitations', '/api/export?format=csv', '/api/rounds']) {
    assert.equal(await codeOf(await rater.ask(path)), 'forbidden', path)
  }
  assert.equal(await codeOf(await rater.ask('/api/judgments', { ...posing, headers: {} })), 'forbidden', 'no header')

  const { invitations } = (await (await admin.ask('/api/invitations')).json()) as {
    invitations: { id: string; acceptedAt: string | null }[]
  }
  assert.equal(invitations.filter(({ acceptedAt }) => acceptedAt !== null).length, 2)
  const stored = JSON.stringify(await it.studio.store.database.selectFrom('invitations').selectAll().execute())
  assert.ok(!stored.includes(first.token))

  assert.equal((await rater.ask('/api/sessions', changing('DELETE'))).status, 200)
  assert.equal((await rater.ask('/api/state')).status, 401)
})

test('a link expires, can be withdrawn, and never changes a role', async () => {
  await using it = await testStudio({ login: true })
  const { store } = it.studio
  const admin = await signIn(it, (await invite(store, { name: 'admin', role: 'admin', days: 1 })).token)
  const late = await invite(store, { name: 'late', role: 'rater', days: -1 })
  assert.equal(
    await codeOf(await it.app.request('/api/sessions', changing('POST', { token: late.token }))),
    'expired-link',
  )
  const open = await invite(store, { name: 'open', role: 'rater', days: 1 })
  assert.equal((await admin.ask(`/api/invitations/${open.invitation.id}`, changing('DELETE'))).status, 200)
  assert.equal((await admin.ask(`/api/invitations/${open.invitation.id}`, changing('DELETE'))).status, 404)
  assert.equal(
    await codeOf(await it.app.request('/api/sessions', changing('POST', { token: open.token }))),
    'expired-link',
  )

  const body = { name: 'admin', role: 'rater' }
  const again = (await (await admin.ask('/api/invitations', changing('POST', body))).json()) as { link: string }
  const state = State.parse(await (await (await signIn(it, tokenOf(again.link))).ask('/api/state')).json())
  assert.equal(state.user.role, 'admin')
})

test('guessing links is slow', async () => {
  await using it = await testStudio({ login: true })
  const statuses: number[] = []
  for (let guess = 0; guess < 12; guess++) {
    const answer = await it.app.request('/api/sessions', changing('POST', { token: `guess-number-${guess}` }))
    statuses.push(answer.status)
  }
  assert.deepEqual([statuses[0], statuses[9], statuses.at(-1)], [410, 410, 429])
})

test('on this machine alone there are no accounts', async () => {
  await using it = await testStudio()
  await assert.rejects(it.client.invite({ name: 'x' }), /one for this machine only/)
  await assert.rejects(it.client.accept({ token: 'x'.repeat(20) }), /one for this machine only/)
})
