/** A studio that asks for accounts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../schemas/basics.ts'
import { State } from '../schemas/state.ts'
import { addImageRun, changing, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'

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

test('a forged session is none; pages are there for everybody', async () => {
  await using it = await testStudio({ login: true })
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

test('who is not wanted any more is signed out by withdrawing the invitation', async () => {
  await using it = await testStudio({ login: true })
  const { store } = it.studio
  const admin = await signIn(it, (await invite(store, { name: 'admin', role: 'admin', days: 1 })).token)
  const { invitation, token } = await invite(store, { name: 'Eve', role: 'rater', days: 1 })
  const eve = await signIn(it, token)
  const other = await signIn(it, (await invite(store, { name: 'Bob', role: 'rater', days: 1 })).token)
  assert.equal((await eve.ask('/api/state')).status, 200)
  assert.equal((await admin.ask(`/api/invitations/${invitation.id}`, changing('DELETE'))).status, 200)
  assert.equal((await eve.ask('/api/state')).status, 401)
  assert.equal((await other.ask('/api/state')).status, 200)
})

test('behind a proxy: links and cookies of the public address, limits of each caller', async () => {
  await using it = await testStudio({ login: true, publicUrl: 'https://studio.example' })
  // As a proxy sends it that keeps the name of the server behind it.
  const through = (from: string, body: unknown, headers: Record<string, string> = {}) =>
    changing('POST', body, { origin: 'https://studio.example', 'x-forwarded-for': `203.0.113.9, ${from}`, ...headers })
  const { token } = await invite(it.studio.store, { name: 'admin', role: 'admin', days: 1 })
  const answer = await it.app.request('http://127.0.0.1:4870/api/sessions', through('192.0.2.1', { token }))
  const cookie = answer.headers.get('set-cookie') ?? ''
  assert.match(cookie, /Secure/)
  const body = { name: 'Ada' }
  const invited = await it.app.request('/api/invitations', through('192.0.2.1', body, { cookie: cookie.split(';')[0] }))
  assert.match(((await invited.json()) as { link: string }).link, /^https:\/\/studio\.example\/#\/invitation\//)
  const foreign = { cookie: cookie.split(';')[0], origin: 'http://127.0.0.1:4870' }
  assert.equal((await it.app.request('/api/invitations', through('192.0.2.1', body, foreign))).status, 403)

  const guess = async (from: string) =>
    await it.app.request('/api/sessions', through(from, { token: 'guess-number-one' }))
  for (let count = 0; count < 10; count++) await guess('192.0.2.2')
  const limited = await guess('192.0.2.2')
  assert.equal(limited.status, 429)
  const seconds = Number(limited.headers.get('retry-after'))
  assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`)
  assert.equal((await guess('192.0.2.3')).status, 410, 'another caller is not held up')
})

test('a proxy in front of a studio without login lets nobody in', async () => {
  await using it = await testStudio()
  for (const headers of [{ 'x-forwarded-for': '192.0.2.1' }, { forwarded: 'for=192.0.2.1' }]) {
    const answer = await it.app.request('/api/state', { headers })
    assert.equal(await codeOf(answer), 'forbidden')
  }
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

test('who was withdrawn is nobody any more: neither an admin nor signed in, and links that were not used yet are gone', async () => {
  await using it = await testStudio({ login: true })
  const { store } = it.studio
  const admin = await signIn(it, (await invite(store, { name: 'admin', role: 'admin', days: 1 })).token)
  const { invitation, token } = await invite(store, { name: 'Eve', role: 'admin', days: 1 })
  const eve = await signIn(it, token)
  const unused = await invite(store, { name: 'Eve', role: 'admin', days: 1 })
  assert.equal((await eve.ask('/api/jobs')).status, 200)
  assert.equal((await admin.ask(`/api/invitations/${invitation.id}`, changing('DELETE'))).status, 200)
  assert.equal((await eve.ask('/api/jobs')).status, 401)
  const late = await it.app.request('/api/sessions', changing('POST', { token: unused.token }))
  assert.equal(await codeOf(late), 'expired-link')

  const again = await admin.ask('/api/invitations', changing('POST', { name: 'Eve', role: 'rater' }))
  const { link, invitation: told } = (await again.json()) as { link: string; invitation: { role: string } }
  assert.equal(told.role, 'rater')
  const rater = await signIn(it, tokenOf(link))
  assert.equal(State.parse(await (await rater.ask('/api/state')).json()).user.role, 'rater')
  assert.equal(await codeOf(await rater.ask('/api/jobs')), 'forbidden')
})

test('roles change in all sessions at once, and one admin is always left', async () => {
  await using it = await testStudio({ login: true })
  const { store } = it.studio
  const first = await invite(store, { name: 'admin', role: 'admin', days: 1 })
  const admin = await signIn(it, first.token)
  const eve = await signIn(it, (await invite(store, { name: 'Eve', role: 'rater', days: 1 })).token)
  const change = (who: typeof admin, name: string, role: string) =>
    who.ask(`/api/accounts/${name}`, changing('PUT', { role }))
  assert.equal(await codeOf(await change(eve, 'Eve', 'admin')), 'forbidden')
  assert.equal(await codeOf(await change(admin, 'admin', 'rater')), 'last-admin')
  const withdraw = (who: typeof admin) => who.ask(`/api/invitations/${first.invitation.id}`, changing('DELETE'))
  assert.equal(await codeOf(await withdraw(admin)), 'last-admin')
  assert.equal((await admin.ask('/api/jobs')).status, 200, 'nothing has changed')
  assert.equal((await change(admin, 'nobody', 'admin')).status, 404)
  assert.equal((await change(admin, 'Eve', 'judge')).status, 400)

  assert.equal((await change(admin, 'Eve', 'admin')).status, 200)
  assert.equal((await eve.ask('/api/jobs')).status, 200)
  const pending = await invite(store, { name: 'admin', role: 'admin', days: 1 })
  const { invitations } = (await (await change(eve, 'admin', 'rater')).json()) as {
    invitations: { name: string; role: string }[]
  }
  assert.deepEqual([...new Set(invitations.map(({ name, role }) => `${name} ${role}`))].sort(), [
    'Eve admin',
    'admin rater',
  ])
  assert.equal(await codeOf(await admin.ask('/api/jobs')), 'forbidden')
  const other = await signIn(it, pending.token)
  assert.equal(await codeOf(await other.ask('/api/jobs')), 'forbidden', 'a link from before')
  assert.equal(await codeOf(await change(eve, 'Eve', 'rater')), 'last-admin')
  assert.equal((await withdraw(eve)).status, 200)
})
