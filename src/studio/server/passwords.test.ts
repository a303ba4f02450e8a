/** A way back in by name and password. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PasswordState } from '../schemas/accounts.ts'
import { changing, failureOf, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { windowMs } from './attempts.ts'

/** A browser, which keeps its cookies. */
function browser(it: TestStudio, address = '192.0.2.1') {
  const cookies = new Map<string, string>()
  const ask = async (path: string, method = 'GET', body?: unknown) => {
    const headers = {
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      'x-forwarded-for': address,
    }
    const answer = await it.app.request(path, method === 'GET' ? { headers } : changing(method, body, headers))
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
      cookies.set(name, value)
    }
    return answer
  }
  return {
    cookies,
    ask,
    accept: (token: string) => ask('/api/sessions', 'POST', { token }),
    signIn: (name: string, password: string) => ask('/api/sessions/password', 'POST', { name, password }),
    setPassword: (password: string, current?: string) =>
      ask('/api/password', 'PUT', { password, ...(current !== undefined && { current }) }),
    state: async () => PasswordState.parse(await (await ask('/api/password')).json()),
  }
}

async function invited(it: TestStudio, name: string, role: 'rater' | 'admin' = 'rater', address?: string) {
  const one = browser(it, address)
  const { token } = await invite(it.studio.store, { name, role, days: 1 })
  assert.equal((await one.accept(token)).status, 200)
  return one
}
const publicUrl = 'https://studio.example'

test('set when signed in, a password lets in another browser, and its change signs out all others', async () => {
  await using it = await testStudio({ login: true, publicUrl })
  const first = await invited(it, 'Ada', 'admin')
  assert.deepEqual(await first.state(), { changedAt: null, needsCurrent: false })
  for (const poor of ['short', 'aaaaaaaaaaaaaa', 'x'.repeat(201), 'half \ud800 of a pair']) {
    assert.equal((await first.setPassword(poor)).status, 400, poor)
  }
  const set = await first.setPassword('correct horse battery')
  assert.equal(set.status, 200, await set.clone().text())
  assert.match(set.headers.get('set-cookie')!, /HttpOnly; Secure; SameSite=Strict/)
  assert.equal((await first.ask('/api/jobs')).status, 200)

  const second = browser(it)
  assert.equal((await second.signIn(' Ada ', 'correct horse battery')).status, 200)
  assert.equal((await second.ask('/api/jobs')).status, 200, 'still an admin')
  assert.deepEqual((await second.state()).needsCurrent, true)
  assert.equal((await failureOf(await second.setPassword('another one, quite long'))).code, 'wrong-password')
  assert.equal((await second.setPassword('another one, quite long', 'correct horse battery')).status, 200)
  assert.equal((await first.ask('/api/state')).status, 401, 'elsewhere signed out')
  assert.equal((await second.ask('/api/state')).status, 200)
  assert.equal((await first.signIn('Ada', 'correct horse battery')).status, 403)
  assert.equal((await first.signIn('Ada', 'another one, quite long')).status, 200)
})

test('only a slow hash with a salt of its own is kept, and nothing of it is told', async () => {
  await using it = await testStudio({ login: true, publicUrl })
  const people = [await invited(it, 'Ada', 'admin'), await invited(it, 'Ben')]
  for (const one of people) await one.setPassword('the same pass phrase')
  const kept = await it.studio.store.database.selectFrom('passwords').selectAll().execute()
  assert.equal(new Set(kept.map(({ hash }) => hash)).size, 2)
  for (const { hash } of kept) assert.match(hash, /^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
  for (const path of ['/api/password', '/api/state', '/api/invitations', '/api/raters']) {
    const told = await (await people[0].ask(path)).text()
    for (const { hash } of kept) assert.ok(!told.includes(hash.split('$')[5]) && !told.includes('scrypt'), path)
  }
})

test('a name that is not there, one without a password and a wrong password are told alike', async () => {
  await using it = await testStudio({ login: true, publicUrl })
  const ada = await invited(it, 'Ada')
  await invited(it, 'Ben')
  await ada.setPassword('correct horse battery')
  const stranger = browser(it)
  const answers = []
  for (const name of ['Ada', 'Ben', 'nobody']) {
    const answer = await stranger.signIn(name, 'a wrong pass phrase')
    answers.push([answer.status, await answer.text(), [...answer.headers.keys()].join()])
  }
  assert.deepEqual(answers[1], answers[0])
  assert.deepEqual(answers[2], answers[0])
  assert.equal(answers[0][0], 403)
})

test('who guesses has to wait, and keeps nobody else waiting', async () => {
  let now = Date.now()
  await using it = await testStudio({ login: true, publicUrl, now: () => now })
  const [ada, ben] = [await invited(it, 'Ada'), await invited(it, 'Ben')]
  for (const one of [ada, ben]) await one.setPassword('correct horse battery')
  const guesser = browser(it, '192.0.2.66')
  const statuses = []
  for (let i = 0; i < 12; i++) statuses.push((await guesser.signIn('Ada', `wrong phrase ${i}`)).status)
  assert.deepEqual([statuses[9], ...statuses.slice(10)], [403, 429, 429])
  now += 60_500
  const refusal = await guesser.signIn('Ada', 'correct horse battery')
  assert.equal(refusal.headers.get('retry-after'), String(windowMs / 1000 - 60), 'as long as it takes')
  const refused = await failureOf(refusal)
  assert.deepEqual([refused.code, refused.remedy], ['too-many-requests', 'wait 14 minutes, or ask an admin for a link'])
  assert.equal((await browser(it, '192.0.2.66').signIn('Ben', 'correct horse battery')).status, 200, 'another account')
  assert.equal((await browser(it, '192.0.2.7').signIn('Ada', 'correct horse battery')).status, 200, 'another address')
  assert.equal((await browser(it, '2001:db8::1').signIn('Ada', 'wrong phrase, once more')).status, 403)

  const own = browser(it, '192.0.2.66')
  own.cookies.set('attune-device', ada.cookies.get('attune-device')!)
  assert.equal((await own.signIn('Ada', 'correct horse battery')).status, 200, 'a browser that was here before')
  const stolen = browser(it, '192.0.2.66')
  stolen.cookies.set('attune-device', ben.cookies.get('attune-device')!)
  assert.equal((await stolen.signIn('Ada', 'correct horse battery')).status, 429, 'that of another account')
  now += windowMs
  assert.equal((await guesser.signIn('Ada', 'correct horse battery')).status, 200)
})

test('a new link lets in who has forgotten it, to set another; withdrawn, nobody comes in by it', async () => {
  await using it = await testStudio({ login: true, publicUrl })
  const admin = await invited(it, 'admin', 'admin')
  const lost = await invited(it, 'Ada')
  await lost.setPassword('correct horse battery')
  const made = await admin.ask('/api/invitations', 'POST', { name: 'Ada', signOut: true })
  const { link, invitation } = (await made.json()) as { link: string; invitation: { id: string } }
  assert.equal((await lost.ask('/api/state')).status, 401, 'the lost browser is signed out')
  const fresh = browser(it)
  assert.equal((await fresh.accept(link.split('/').at(-1)!)).status, 200)
  assert.equal((await fresh.state()).needsCurrent, false)
  assert.equal((await fresh.setPassword('a new one that I know')).status, 200)
  assert.equal((await lost.signIn('Ada', 'a new one that I know')).status, 200)
  assert.equal((await admin.ask(`/api/invitations/${invitation.id}`, 'DELETE')).status, 200)
  assert.equal((await lost.signIn('Ada', 'a new one that I know')).status, 403)
})

test('a studio for this machine only has no passwords', async () => {
  await using it = await testStudio()
  await assert.rejects(
    it.client.signIn({ name: 'Ada', password: 'correct horse battery' }),
    /one for this machine only/,
  )
  await assert.rejects(it.client.setPassword({ password: 'correct horse battery' }), /one for this machine only/)
})
