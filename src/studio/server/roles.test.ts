/** Who may call which route: every route of the list with every kind of caller, so that a new one cannot be forgotten. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../schemas/basics.ts'
import { changing, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { routes } from './app.ts'
import type { Route } from './route.ts'

const callers = ['nobody', 'rater', 'admin'] as const
type Caller = (typeof callers)[number]

async function cookieOf(it: TestStudio, role: 'rater' | 'admin'): Promise<string> {
  const { token } = await invite(it.studio.store, { name: role, role, days: 1 })
  const answer = await it.app.request('/api/sessions', changing('POST', { token }))
  return answer.headers.get('set-cookie')!.split(';')[0]
}

/** A request that would be refused, or do nothing, if it were let through. */
function requestOf({ method, path }: Route, cookie: string | undefined): [string, RequestInit] {
  const asked = path
    .replace('/images/:id', `/images/${'0'.repeat(16)}`)
    .replace('/api/gallery/:id', `/api/gallery/${'0'.repeat(16)}`)
    .replace('/api/comments/:id', '/api/comments/6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b111')
    .replace('/api/gold/:id', `/api/gold/${'0'.repeat(16)}`)
    .replace('/api/invitations/:id', '/api/invitations/6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b111')
    .replace('/api/keys/:id', '/api/keys/6f3ad1de-2ac6-4f5b-9b1e-1f2ad0f3b111')
    .replace(':step/:index', '1/0')
    .replace(':name', 'none')
    .replace(':id', path.startsWith('/api/jobs') ? 'job-1' : 'none')
  const init = changing(
    method.toUpperCase(),
    method === 'get' ? undefined : '{',
    cookie === undefined ? {} : { cookie },
  )
  return [asked, init]
}

/** The code of the refusal that stands for "not you"; undefined where the caller was let through. */
const expectedCode: Readonly<Record<Route['who'], Readonly<Record<Caller, string | undefined>>>> = {
  open: { nobody: undefined, rater: undefined, admin: undefined },
  rater: { nobody: 'sign-in', rater: undefined, admin: undefined },
  admin: { nobody: 'sign-in', rater: 'forbidden', admin: undefined },
}

test('every route lets in whom it says', async () => {
  await using it = await testStudio({ login: true })
  const cookies = { nobody: undefined, rater: await cookieOf(it, 'rater'), admin: await cookieOf(it, 'admin') }
  for (const caller of callers) {
    // Signing out comes last: there is no session after it.
    for (const route of routes.filter(({ method, path }) => `${method} ${path}` !== 'delete /api/sessions')) {
      const answer = await it.app.request(...requestOf(route, cookies[caller]))
      const isRefusal = answer.status === 401 || answer.status === 403
      const code = isRefusal ? Failure.parse(await answer.json()).error.code : undefined
      assert.equal(code, expectedCode[route.who][caller], `${caller}: ${route.method} ${route.path}`)
      assert.notEqual(answer.status, 500, `${caller}: ${route.method} ${route.path}`)
    }
    const signOut = await it.app.request(
      '/api/sessions',
      changing('DELETE', undefined, { cookie: cookies[caller] ?? '' }),
    )
    assert.equal(signOut.status, caller === 'nobody' ? 401 : 200)
  }
})

/** What is open to raters is a decision: whoever adds to this list looks at what the answer tells of policies. */
test('raters reach what they need to judge, and no more', () => {
  assert.deepEqual(
    routes
      .filter(({ who }) => who !== 'admin')
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
    [
      'delete /api/keys/:id',
      'delete /api/sessions',
      'get /api/asking',
      'get /api/comments',
      'get /api/compare',
      'get /api/compare/:id/tasks',
      'get /api/compare/:id/votes',
      'get /api/guidelines',
      'get /api/judgments',
      'get /api/keys',
      'get /api/password',
      'get /api/state',
      'get /api/tasks',
      'get /images/:id',
      'get /shared/:token',
      'post /api/comments',
      'post /api/judgments',
      'post /api/keys',
      'post /api/sessions',
      'post /api/sessions/password',
      'post /api/votes',
      'put /api/comments/:id',
      'put /api/password',
    ],
  )
})

test('without the header of our pages nothing can be changed, on any route', async () => {
  await using it = await testStudio()
  for (const route of routes.filter(({ method }) => method !== 'get')) {
    const [path, init] = requestOf(route, undefined)
    for (const headers of [{}, { 'x-attune': '1', origin: 'http://localhost:8080' }]) {
      const answer = await it.app.request(path, { ...init, headers })
      assert.equal(answer.status, 403, `${route.method} ${route.path}`)
    }
  }
})
