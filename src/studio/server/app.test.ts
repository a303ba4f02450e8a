/** What every route of the HTTP interface keeps to, and the files that it serves, without a server. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import sharp from 'sharp'
import { addImageRun, changing, failureOf, goodBad, testStudio } from '../studio.test-helper.ts'
import { routes } from './app.ts'
import { contentPolicy } from './security.ts'

describe('guards', () => {
  test('every answer has the headers, refusals and pages too', async () => {
    await using it = await testStudio()
    for (const path of ['/api/state', '/api/none', '/', '/images/0', '/reports/none']) {
      const { headers } = await it.app.request(path)
      assert.equal(headers.get('content-security-policy'), contentPolicy, path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('cache-control'), 'no-store')
    }
  })

  test('a page of another site cannot change anything, nor reach this one by a name of its own', async () => {
    await using it = await testStudio()
    const body = JSON.stringify({ judgments: [goodBad('a', '0'.repeat(16))] })
    const json = { 'content-type': 'application/json' }
    const send = (headers: Record<string, string>) =>
      it.app.request('/api/judgments', { method: 'POST', headers: { ...json, ...headers }, body })
    const foreign: Record<string, string>[] = [
      {},
      { 'x-attune': '1', origin: 'https://evil.example' },
      { 'x-attune': '1', 'sec-fetch-site': 'cross-site' },
      { 'x-attune': '1', origin: 'null' },
    ]
    for (const headers of foreign) {
      assert.equal((await failureOf(await send(headers))).code, 'forbidden', JSON.stringify(headers))
    }
    assert.equal((await send({ 'x-attune': '1', origin: 'http://localhost' })).status, 404, 'only the image is missing')
    const rebound = await it.app.request('http://evil.example/api/state')
    assert.equal((await failureOf(rebound)).where, 'host')
  })

  test('an error tells neither a stack nor a place', async () => {
    await using it = await testStudio()
    // Without parts of its own to get wrong, a call is answered.
    const asked = routes.filter(
      ({ path, body, form }) => path.includes(':') || body !== undefined || form !== undefined,
    )
    assert.ok(asked.length > 30)
    for (const { method, path } of asked) {
      const body = method === 'get' ? undefined : '{'
      const wrong = path.replaceAll(/:\w+/g, '..%2f..%2fetc')
      const { where, ...told } = await failureOf(await it.app.request(wrong, changing(method.toUpperCase(), body)))
      const text = [where, told.expected, told.received, told.remedy].join('\n')
      assert.ok(!text.includes(it.studio.workspace.folder) && !/\bat .*:\d+:\d+|node_modules|\/src\//.test(text), text)
    }
  })

  test('bodies that are too large, no JSON, or of another type', async () => {
    await using it = await testStudio()
    const post = (init: RequestInit) => it.app.request('/api/judgments', init)
    const large = JSON.stringify({ judgments: 'x'.repeat(1_100_000) })
    assert.equal((await post(changing('POST', large))).status, 413)
    const length = { 'content-length': '999999999' }
    assert.equal((await post(changing('POST', '{}', length))).status, 413)
    assert.equal((await failureOf(await post(changing('POST', '{"a":')))).code, 'format')
    assert.equal(
      (await failureOf(await post({ ...changing('POST', '{}'), headers: { 'x-attune': '1' } }))).code,
      'media-type',
    )
    assert.equal((await failureOf(await post(changing('POST', { judgments: [] })))).code, 'config')
    assert.equal((await post(changing('DELETE'))).status, 404)
  })

  test('OpenAPI describes every route', async () => {
    await using it = await testStudio()
    const described = (await (await it.app.request('/api/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: object }>>
    }
    assert.equal(described.openapi, '3.1.0')
    for (const { method, path } of routes) {
      assert.ok(described.paths[path.replaceAll(/:(\w+)/g, '{$1}')][method].responses, `${method} ${path}`)
    }
  })
})

describe('images', () => {
  test('by id, unchanging, and smaller where asked', async () => {
    await using it = await testStudio()
    const [{ id }] = await addImageRun(it.studio, 'round-1', ['a'], { side: 200 })
    const whole = await it.app.request(`/images/${id}`)
    assert.deepEqual([whole.status, whole.headers.get('content-type')], [200, 'image/png'])
    assert.match(whole.headers.get('cache-control') ?? '', /immutable/)
    const sizeOf = async (answer: Response) =>
      (await sharp(new Uint8Array(await answer.arrayBuffer())).metadata()).width
    assert.equal(await sizeOf(whole), 200)
    assert.equal(await sizeOf(await it.app.request(`/images/${id}?size=64`)), 64)
    assert.equal(await sizeOf(await it.app.request(`/images/${id}?size=512`)), 200)
    assert.equal((await it.app.request(`/images/${id}?size=63`)).status, 400)
  })

  test('no path comes from a request, and none of a record leads out', async () => {
    await using it = await testStudio()
    const { studio } = it
    const [record] = await addImageRun(studio, 'round-1', ['a'], { perPrompt: 1 })
    writeFileSync(studio.workspace.at('outside.png'), 'x')
    symlinkSync(studio.workspace.at('outside.png'), studio.workspace.at('runs', 'round-1', 'link.png'))
    const outside = ['../../outside.png', 'link.png', 'none.png'].map((file, i) => ({
      ...record,
      id: `${i}`.repeat(16),
      file,
    }))
    await studio.store.addImages(outside, studio.workspace.at('runs', 'round-1'))
    const ids = outside.map(({ id }) => id)
    const tricks = ['..%2f..%2foutside.png', '....//x', 'A'.repeat(16), '0'.repeat(17), encodeURIComponent('\0')]
    for (const id of [...ids, ...tricks]) {
      const answer = await it.app.request(`/images/${id}`)
      assert.equal(answer.status, 404, id)
    }
  })
})

describe('pages', () => {
  test('says so where they are not built; then serves them and nothing else', async () => {
    await using it = await testStudio()
    const { pages, workspace } = it.studio
    assert.match(await (await it.app.request('/')).text(), /not built/)
    mkdirSync(join(pages, 'assets'), { recursive: true })
    writeFileSync(join(pages, 'index.html'), '<!doctype html>the app')
    writeFileSync(join(pages, 'assets', 'app-1a2b.js'), 'export {}')
    writeFileSync(workspace.at('..', 'secret.txt'), 'secret')
    for (const path of ['/', '/label', '/jobs/job-1', '/index']) {
      assert.match(await (await it.app.request(path)).text(), /the app/, path)
    }
    const script = await it.app.request('/assets/app-1a2b.js')
    assert.deepEqual(
      [script.headers.get('content-type'), script.headers.get('cache-control')],
      ['text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    )
    for (const path of [
      '/assets/none.js',
      '/..%2fsecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/favicon.ico',
      '/api',
      '/api/none',
      '/images',
      '/reports/',
    ]) {
      const answer = await it.app.request(path)
      assert.equal(answer.status, 404, path)
      assert.ok(!(await answer.text()).includes('secret'))
    }
  })
})
