/** Links that open one page without an account, and nothing else. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Failure } from '../schemas/basics.ts'
import { ShareLink } from '../schemas/sharing.ts'
import { addRun, changing, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { routes } from './app.ts'
import { writeComparison } from './comparison-files.ts'

const at = '2026-01-01T00:00:00.000Z'
const policies = ['dpok-1', 'pretrained'] as const

/** Nine images of which one policy has won each, and a report. */
async function studioWithOutcomes(login: boolean): Promise<TestStudio> {
  const it = await testStudio({ login })
  const { studio } = it
  for (const name of ['report-1', 'report-2']) {
    addRun(studio, name, 'report', {})
    writeFileSync(studio.workspace.at('runs', name, 'report.html'), `<!doctype html><title>${name}</title>`)
  }
  const about = { at, prompts: ['<b>two</b> circles'], perPrompt: 9, seed: 2, jobs: [] }
  writeComparison(studio.workspace, { ...about, id: 'compare-1', policies: [...policies], runs: ['a', 'b'] })
  const ids = Array.from({ length: 18 }, (_, i) => String(i).padStart(16, '0'))
  const record = { prompt: 'p', text: 'x', category: 'other', seed: 1, sampler: 'ddim', steps: 1, eta: 1, guidance: 1 } as const // prettier-ignore
  await studio.store.addImages(
    ids.map((id, index) => ({
      ...record,
      id,
      index,
      sha256: id.repeat(4),
      file: `${id}.png`,
      policy: policies[index % 2],
    })),
    studio.workspace.at('runs'),
  )
  await studio.store.addJudgments(
    Array.from({ length: 9 }, (_, i) => ({
      ...{ id: `v${i}`, kind: 'vote' as const, images: ids.slice(2 * i, 2 * i + 2), answer: 'first' as const, at },
      ...{ policies: [...policies], question: 'alignment' as const, rater: 'Ada', raterKind: 'person' as const },
    })),
  )
  return it
}

async function signIn(it: TestStudio, role: 'admin' | 'rater') {
  const { token } = await invite(it.studio.store, { name: role, role, days: 1 })
  const answer = await it.app.request('/api/sessions', changing('POST', { token }))
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0] }
}

const codeOf = async (answer: Response) => Failure.parse(await answer.json()).error.code

test('a link opens one report or outcome without an account, until it is withdrawn', async () => {
  await using it = await studioWithOutcomes(true)
  const [admin, rater] = [await signIn(it, 'admin'), await signIn(it, 'rater')]
  const make = async (body: unknown, who = admin) => await it.app.request('/api/shares', changing('POST', body, who))
  const links: ShareLink[] = []
  for (const body of [
    { kind: 'report', name: 'report-1' },
    { kind: 'comparison', name: 'compare-1' },
  ]) {
    const answer = await make(body)
    assert.equal(answer.status, 200)
    links.push(ShareLink.parse(await answer.json()))
  }
  const [report, outcome] = links.map(({ link }) => new URL(link))
  const shown = await it.app.request(report.pathname)
  assert.equal(await shown.text(), '<!doctype html><title>report-1</title>')
  const policy = shown.headers.get('content-security-policy')!
  assert.match(policy, /^sandbox allow-same-origin;.*default-src 'none'/)
  assert.deepEqual(
    ['cache-control', 'referrer-policy', 'x-robots-tag'].map((name) => shown.headers.get(name)),
    ['no-store', 'no-referrer', 'noindex'],
  )
  const page = await (await it.app.request(outcome.pathname)).text()
  assert.match(page, /dpok-1 is clearly better than the pre-trained model\./)
  assert.match(page, /9 votes of 1 person on single images/)
  assert.ok(!/<img|<script|href=|Ada/.test(page))

  // Only a hash of the token is kept, and it is no key to anything else.
  const token = report.pathname.split('/').at(-1)!
  const rows = await it.studio.store.database.selectFrom('shared_links').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(token))
  const list = await it.app.request('/api/shares', { headers: admin })
  assert.ok(!(await list.text()).includes(token))
  for (const route of routes.filter(({ method, who }) => method === 'get' && who !== 'open')) {
    const path = route.path.replace(/:\w+/g, 'none')
    const asked = await it.app.request(`${path}?token=${token}`, {
      headers: { cookie: `attune-session=${token}`, authorization: `Bearer ${token}` },
    })
    assert.equal(asked.status, 401, route.path)
  }
  assert.equal((await it.app.request('/api/sessions', changing('POST', { token }))).status, 410)
  assert.equal((await it.app.request('/reports/report-2')).status, 401)
  assert.equal((await it.app.request('/outcomes/compare-1')).status, 401)
  for (const wrong of [token.slice(1), `${token}A`, token.replace(/.$/, (one) => (one === 'A' ? 'B' : 'A')), '%00']) {
    assert.equal(await codeOf(await it.app.request(`/shared/${wrong}`)), 'not-found', wrong)
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    assert.ok((await it.app.request(report.pathname, changing(method, {}))).status >= 400, method)
  }

  // Raters neither make, see nor withdraw links; nor is there one to what is not there.
  assert.equal(await codeOf(await make({ kind: 'report', name: 'report-1' }, rater)), 'forbidden')
  assert.equal(await codeOf(await it.app.request('/api/shares', { headers: rater })), 'forbidden')
  const withdraw = (id: string, who: { cookie: string }) =>
    it.app.request(`/api/shares/${id}`, changing('DELETE', undefined, who))
  assert.equal(await codeOf(await withdraw(links[0].share.id, rater)), 'forbidden')
  for (const body of [
    { kind: 'report', name: 'report-9' },
    { kind: 'report', name: 'compare-1' },
    { kind: 'comparison', name: 'report-1' },
  ]) {
    assert.equal((await make(body)).status, 404, JSON.stringify(body))
  }
  for (const body of [{ kind: 'report', name: '../x' }, { kind: 'run', name: 'report-1' }, { kind: 'report' }]) {
    assert.equal((await make(body)).status, 400, JSON.stringify(body))
  }

  assert.equal((await withdraw(links[0].share.id, admin)).status, 200)
  assert.equal(await codeOf(await it.app.request(report.pathname)), 'not-found')
  assert.equal((await it.app.request(outcome.pathname)).status, 200, 'the other one stays')
  // A browser shows a page of it, also of a part of a link and of what asks for an account.
  for (const [path, status, words] of [
    [report.pathname, 404, /ask whoever sent it to you for another one\./],
    [report.pathname.slice(0, -5), 404, /ask whoever sent it to you for another one\./],
    ['/reports/report-1', 401, /open your invitation link/],
  ] as const) {
    const told = await it.app.request(path, { headers: { accept: 'text/html,*/*;q=0.8' } })
    assert.equal(told.status, status)
    assert.match(told.headers.get('content-security-policy')!, /^sandbox/)
    assert.match(await told.text(), words)
  }
  assert.equal(await codeOf(await withdraw(links[0].share.id, admin)), 'not-found')
})

test('one address may not ask for shared pages without end', async () => {
  await using it = await studioWithOutcomes(true)
  const statuses = new Set<number>()
  // Within two minutes of any clock, more than the limit of one.
  for (let i = 0; i < 130; i++) statuses.add((await it.app.request(`/shared/${'x'.repeat(43)}`)).status)
  assert.deepEqual([...statuses].sort(), [404, 429])
})

test('on one machine alone a link leads to this machine, and an outcome is a file of its own', async () => {
  await using it = await studioWithOutcomes(false)
  const { link, share } = await it.as('Ada').share({ kind: 'comparison', name: 'compare-1' })
  assert.match(link, /^http:\/\/localhost\/shared\/[\w-]{43}$/)
  assert.deepEqual((await it.client.shares()).shares, [share])
  assert.equal(share.createdBy, 'Ada')
  const [shared, own] = await Promise.all([it.app.request(link), it.app.request('/outcomes/compare-1')])
  const plain = (text: string) => text.replace(/As of .*UTC/, '')
  assert.equal(plain(await shared.text()), plain(await own.text()))
  await it.client.withdrawShare(share.id)
  assert.deepEqual((await it.client.shares()).shares, [])
})
