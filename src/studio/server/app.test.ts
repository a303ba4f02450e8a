/** The HTTP interface without a server: what each route answers, and what it refuses. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { StudioError } from '../../errors.ts'
import { awkwardTexts } from '../../feedback/feedback-fixtures.ts'
import { Failure } from '../schemas/basics.ts'
import type { NewJudgment } from '../schemas/labelling.ts'
import { syntheticReport } from '../../report/page/synthetic-report.test-helper.ts'
import { addImageRun, addRun, changing, goodBad, testStudio } from '../studio.test-helper.ts'
import { routes } from './app.ts'
import { contentPolicy } from './security.ts'

const refused = (status: number, code: string) => (error: unknown) => {
  assert.ok(error instanceof StudioError, String(error))
  assert.deepEqual([error.status, error.code], [status, code], error.message)
  return true
}

async function failureOf(answer: Response): Promise<Failure['error']> {
  assert.ok(answer.status >= 400, `status ${answer.status}`)
  return Failure.parse(await answer.json()).error
}

/** What the directory of a ZIP archive names. */
function entriesOf(zip: Buffer): { name: string; bytes: Uint8Array<ArrayBuffer> }[] {
  const end = zip.length - 22
  let place = zip.readUInt32LE(end + 16)
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const [size, nameLength, offset] = [
      zip.readUInt32LE(place + 24),
      zip.readUInt16LE(place + 28),
      zip.readUInt32LE(place + 42),
    ]
    const name = zip.toString('utf8', place + 46, place + 46 + nameLength)
    place += 46 + nameLength
    const from = offset + 30 + zip.readUInt16LE(offset + 26)
    const bytes = new Uint8Array(zip.subarray(from, from + size))
    assert.equal(crc32(bytes), zip.readUInt32LE(offset + 14))
    return { name, bytes }
  })
}

const hostile = [
  ...awkwardTexts,
  'x'.repeat(10_000),
  '../../etc/passwd',
  '%00',
  '\u202Eright to left',
  'a\r\nset-cookie: x=1',
]

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
    const answers = await Promise.all(
      routes.map(({ method, path }) =>
        it.app.request(
          path.replaceAll(/:\w+/g, '..%2f..%2fetc'),
          changing(method.toUpperCase(), method === 'get' ? undefined : '{'),
        ),
      ),
    )
    for (const answer of answers.filter(({ status }) => status >= 400)) {
      const text = await answer.text()
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

describe('judging', () => {
  test('tasks, answers, repetitions and undo', async () => {
    await using it = await testStudio()
    await addImageRun(it.studio, 'round-1', ['two red circles', 'three crosses'], { perPrompt: 3 })
    const ada = it.as('Ada')
    const { tasks, progress } = await ada.tasks({ mode: 'good-bad', count: 5 })
    assert.deepEqual([tasks.flatMap(({ images }) => images).length, progress.done, progress.total], [6, 0, 6])
    assert.deepEqual([tasks[0].images[0].width, tasks[0].images[0].height], [24, 24])
    const [{ images }] = tasks
    const judgments: NewJudgment[] = images.map(({ id }, i) => ({
      ...goodBad(`a${i}`, id, i === 0 ? 'bad' : 'good'),
      durationMs: 900,
      ...(i === 0 && { reasons: ['wrong-color'] }),
    }))
    assert.deepEqual(await ada.judge({ judgments }), { added: 3, known: 0 })
    assert.deepEqual(await ada.judge({ judgments }), { added: 0, known: 3 })
    assert.deepEqual((await ada.tasks({ mode: 'good-bad' })).progress, { done: 3, total: 6 })
    const undo = { ...judgments[0], id: 'u1', undoes: 'a0' }
    await assert.rejects(it.as('Bob').judge({ judgments: [undo] }), refused(404, 'unknown-record'))
    assert.deepEqual(await ada.judge({ judgments: [undo] }), { added: 1, known: 0 })
    assert.deepEqual((await ada.tasks({ mode: 'good-bad' })).progress.done, 2)
    const stored = (await it.studio.store.allRows())[0]
    assert.deepEqual(
      [stored.rater, stored.raterKind, stored.durationMs, stored.reasons],
      ['Ada', 'person', 900, ['wrong-color']],
    )
    const held = (await ada.tasks({ mode: 'good-bad', without: images.map(({ id }) => id).join(',') })).tasks
    assert.ok(held.every((task) => task.images.every(({ id }) => !images.some((other) => other.id === id))))
  })

  test('pairs, ratings and rankings are taken as they are sent', async () => {
    await using it = await testStudio()
    const [a, b] = (await addImageRun(it.studio, 'round-1', ['two red circles'])).map(({ id }) => id)
    const at = '2026-01-01T00:00:00.000Z'
    const ratings = { overall: 6, alignment: 7, fidelity: 5 }
    const judgments: NewJudgment[] = [
      { id: 'p', kind: 'pair', images: [a, b], answer: 'both-bad', at },
      { id: 'r', kind: 'rating', images: [a], answer: 'rated', ratings, at },
      { id: 's', kind: 'rating', images: [b], answer: 'skip', at },
      { id: 'k', kind: 'ranking', images: [a, b], answer: 'ranked', ranks: [1, 2], at },
    ]
    assert.deepEqual(await it.client.judge({ judgments }), { added: 4, known: 0 })
    assert.equal((await it.studio.store.allRows())[0].rater, 'me')
    for (const mode of ['pair', 'rating'] as const) {
      const { tasks } = await it.as('Eve').tasks({ mode })
      assert.equal(tasks[0].mode, mode)
    }
    const vote = {
      id: 'v',
      kind: 'vote',
      images: [a, b],
      answer: 'first',
      policies: ['x', 'y'],
      question: 'alignment',
      at,
    }
    assert.equal((await it.app.request('/api/judgments', changing('POST', { judgments: [vote] }))).status, 400)
    const whoever = { ...goodBad('w', a), rater: 'somebody else' }
    assert.equal((await it.app.request('/api/judgments', changing('POST', { judgments: [whoever] }))).status, 400)
    await assert.rejects(
      it.client.judge({ judgments: [{ id: 'z', kind: 'rating', images: [a], answer: 'rated', at }] }),
      refused(400, 'format'),
    )
    await assert.rejects(it.client.judge({ judgments: [goodBad('q', 'f'.repeat(16))] }), refused(404, 'unknown-record'))
    await assert.rejects(
      it.client.judge({ judgments: [{ ...goodBad('q', a), undoes: 'none' }] }),
      refused(404, 'unknown-record'),
    )
    await assert.rejects(it.client.judge({ judgments: [goodBad('p', a)] }), refused(400, 'format'))
  })

  test('names and texts of any kind are data', async () => {
    await using it = await testStudio()
    await addImageRun(it.studio, 'round-1', hostile.slice(0, 7), { perPrompt: 1 })
    const [judged] = await addImageRun(it.studio, 'round-2', ['plain'], { perPrompt: 1 })
    for (const [i, text] of hostile.entries()) {
      const name = text.trim().slice(0, 200)
      const rater = it.as(name)
      assert.equal((await rater.state()).user.name, name.trim())
      assert.equal((await rater.judge({ judgments: [goodBad(`n${i}`, judged.id)] })).added, 1)
    }
    const { raters } = await it.client.raters()
    assert.equal(raters.length, hostile.length)
    const { tasks } = await it.as('new').tasks({ mode: 'good-bad', count: 50 })
    assert.deepEqual(tasks.map(({ prompt }) => prompt).sort(), hostile.slice(0, 7).sort())
    const answer = await it.app.request('/api/tasks')
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    const name = raters[0].name
    const changed = await it.client.changeRater(name, { excluded: true })
    assert.equal(changed.raters.find((rater) => rater.name === name)?.excluded, true)
    const state = (header: string) => it.app.request('/api/state', { headers: { 'x-attune-rater': header } })
    for (const header of ['%', '%E0%A4%A', encodeURIComponent('x'.repeat(201)), '%00', '%20']) {
      assert.equal((await failureOf(await state(header))).code, 'config', header)
    }
    await assert.rejects(it.client.changeRater('nobody', { excluded: true }), refused(404, 'not-found'))
    for (const id of ['\0', '\ud800']) {
      await assert.rejects(it.client.judge({ judgments: [goodBad(id, judged.id)] }), refused(400, 'config'))
    }
  })

  test('a ranking cannot contradict the ratings', async () => {
    await using it = await testStudio()
    const [a, b] = (await addImageRun(it.studio, 'round-1', ['two red circles'])).map(({ id }) => id)
    const at = '2026-01-01T00:00:00.000Z'
    const rated = (id: string, image: string, overall: number): NewJudgment => {
      const ratings = { overall, alignment: 4, fidelity: 4 }
      return { id, kind: 'rating', images: [image], answer: 'rated', ratings, at }
    }
    const ranked = (id: string, ranks: number[]): NewJudgment => {
      return { id, kind: 'ranking', images: [a, b], answer: 'ranked', ranks, at }
    }
    await it.client.judge({ judgments: [rated('a', a, 6)] })
    const rest = rated('b', b, 2)
    await assert.rejects(it.client.judge({ judgments: [rest, ranked('r', [2, 1])] }), refused(400, 'ranking-conflict'))
    assert.equal((await it.studio.store.allRows()).length, 1, 'all of a request, or nothing')
    assert.equal((await it.client.judge({ judgments: [rest, ranked('r', [1, 2])] })).added, 2)
    assert.equal((await it.as('Bob').judge({ judgments: [ranked('s', [2, 1])] })).added, 1, 'who has not rated is free')
  })

  test('gold items and the way of asking', async () => {
    await using it = await testStudio()
    const [{ id }] = await addImageRun(it.studio, 'round-1', ['<i>two</i> red circles'])
    const { items } = await it.client.setGold(id, { answer: 'bad' })
    assert.deepEqual(
      items.map(({ image, prompt, answer }) => [image.id, prompt, answer]),
      [[id, '<i>two</i> red circles', 'bad']],
    )
    await it.client.judge({ judgments: [goodBad('a', id, 'good')] })
    assert.deepEqual((await it.client.raters()).raters[0].gold, { asked: 1, right: 0 })
    assert.deepEqual(await it.client.setGold(id, { answer: null }), { items: [] })
    assert.deepEqual(await it.client.gold(), { items: [] })
    await assert.rejects(it.client.setGold('f'.repeat(16), { answer: 'good' }), refused(404, 'not-found'))
    const asking = { ...(await it.client.asking()), mode: 'pair' as const, overlapShare: 0.5 }
    await it.client.setAsking(asking)
    assert.deepEqual(await it.client.asking(), asking)
    await assert.rejects(it.client.setAsking({ ...asking, goldShare: 2 }), refused(400, 'config'))
  })

  test('images to choose from: by round, by a part of the prompt, page by page', async () => {
    await using it = await testStudio()
    const first = await addImageRun(it.studio, 'round-1', ['Two red circles', 'a blue square'], { perPrompt: 3 })
    const second = await addImageRun(it.studio, 'round-2', ['ثلاث دوائر'])
    await addImageRun(it.studio, 'compare-1-a', ['a comparison'], { purpose: 'comparison' })
    const all = await it.client.images()
    assert.deepEqual([all.total, all.images.length], [6 + second.length, 6 + second.length])
    const pages = [0, 4].map((offset) => it.client.images({ round: 'round-1', offset, count: 4 }))
    const [some, rest] = await Promise.all(pages)
    assert.deepEqual([some.total, some.images.length, rest.total, rest.images.length], [6, 4, 6, 2])
    const shown = [...some.images, ...rest.images]
    assert.deepEqual(new Set(shown.map(({ image }) => image.id)), new Set(first.map(({ id }) => id)))
    const prompts = ['Two red circles', 'a blue square'].flatMap((text) => [text, text, text])
    assert.deepEqual(
      shown.map(({ prompt }) => prompt),
      prompts,
    )
    const red = await it.client.images({ prompt: ' RED' })
    assert.deepEqual([red.total, red.images[0].prompt], [3, 'Two red circles'])
    assert.equal((await it.client.images({ round: 'round-1', prompt: 'ثلاث' })).total, 0)
    assert.deepEqual(await it.client.images({ round: 'no-such' }), { images: [], total: 0 })
    await assert.rejects(it.client.images({ count: 0 }), refused(400, 'config'))
  })

  test('guidelines can be changed, and keep their text', async () => {
    await using it = await testStudio()
    const usual = await it.client.guidelines()
    assert.ok(usual.text.length > 50 && usual.reasons.length > 0)
    for (const text of hostile) {
      const changed = { text, reasons: [{ code: 'odd', label: text.slice(0, 200) }], consent: text }
      await it.client.setGuidelines(changed)
      assert.deepEqual(await it.client.guidelines(), changed)
    }
    const wrong = { text: 'x'.repeat(10_001), reasons: [], consent: '' }
    await assert.rejects(it.client.setGuidelines(wrong), refused(400, 'config'))
    const twice = ['first', 'second'].map((label) => ({ code: 'odd', label }))
    await assert.rejects(it.client.setGuidelines({ ...wrong, text: '', reasons: twice }), refused(400, 'config'))
  })

  test('agreement of two raters', async () => {
    await using it = await testStudio()
    const records = await addImageRun(it.studio, 'round-1', ['a', 'b', 'c', 'd'], { perPrompt: 2 })
    for (const rater of ['Ada', 'Bob']) {
      const judgments = records.map(({ id }, i) => goodBad(`${rater}${i}`, id, i % 2 === 0 ? 'good' : 'bad'))
      await it.as(rater).judge({ judgments })
    }
    const { kinds } = await it.client.agreement()
    assert.deepEqual(
      kinds.map(({ kind, items, raters, pairs }) => [kind, items, raters, pairs.length]),
      [['good-bad-skip', 8, 2, 1]],
    )
    assert.equal(kinds[0].alphaNominal?.value, 1)
    const { raters } = await it.client.raters()
    assert.deepEqual(
      raters.map(({ name, judgments, excluded }) => [name, judgments, excluded]),
      [
        ['Ada', 8, false],
        ['Bob', 8, false],
      ],
    )
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

describe('rewards, reports, lineage', () => {
  const heldOut = {
    n: 20,
    prompts: 5,
    accuracy: 0.9,
    auc: 0.95,
    clipScoreAuc: 0.8,
    ece: 0.1,
    reliability: [{ low: 0, high: 0.1, n: 3, predicted: 0.05, observed: 0 }],
  }

  test('a reward with its quality, and where people and it differ', async () => {
    await using it = await testStudio()
    const { studio } = it
    const [a, b] = await addImageRun(studio, 'round-1', ['<b>two</b> circles'])
    const results = {
      labels: 40,
      prompts: 10,
      raters: 1,
      simulated: false,
      head: 'agreement',
      encoder: { name: '/home/x/clip' },
      heldOut,
    }
    const rows = [
      { image: a.id, score: 0.9, people: 0, judgments: 2 },
      { image: '0'.repeat(16), score: 0, people: 1, judgments: 1 },
    ]
    addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, results, {
      'disagreements.json': JSON.stringify(rows),
    })
    addRun(
      studio,
      'dpok-1',
      'policy dpok',
      { reward: 'runs/reward-1', prompts: 'prompts/dpok-1.jsonl' },
      { imagesDrawn: 96, kl: 1.5 },
    )
    const { rewards } = await it.client.rewards()
    assert.deepEqual([rewards.length, rewards[0].encoder, rewards[0].heldOut?.calibrationError], [1, 'clip', 0.1])
    const detail = await it.client.reward('reward-1')
    assert.deepEqual(
      detail.disagreements.map(({ image, prompt, score }) => [image.id, prompt, score]),
      [[a.id, '<b>two</b> circles', 0.9]],
    )
    assert.deepEqual([detail.policies, detail.reliability.length], [['dpok-1'], 1])
    for (const name of ['reward-2', 'dpok-1', '..', '../reward-1'])
      await assert.rejects(it.client.reward(name), refused(404, 'not-found'))
    // What the newest reward is least sure of comes first.
    const unsure = JSON.stringify({ [b.id]: 0.9, [a.id]: 0.1 })
    addRun(studio, 'reward-0', 'reward train', { feedback: 'studio.sqlite' }, results, { 'uncertainties.json': unsure })
    assert.deepEqual(
      studio.runs.uncertainties(),
      new Map([
        [b.id, 0.9],
        [a.id, 0.1],
      ]),
    )
    const { policies, next } = await it.client.state()
    assert.deepEqual([policies[0].algorithm, policies[0].reward, policies[0].results.kl], ['dpok', 'reward-1', 1.5])
    assert.equal(next.step, 'compare')
  })

  test('who came from whom', async () => {
    await using it = await testStudio()
    const { studio } = it
    const [first] = await addImageRun(studio, 'round-1', ['a'])
    const [later] = await addImageRun(studio, 'round-0', ['c'])
    await it.client.judge({ judgments: [goodBad('a', first.id)] })
    addRun(studio, 'reward-1', 'reward train', { feedback: 'studio.sqlite' }, { labels: 1, heldOut: { auc: 0.9 } })
    addRun(
      studio,
      'dpok-1',
      'policy dpok',
      { reward: 'runs/reward-1', prompts: 'p.jsonl' },
      { imagesDrawn: 96, updates: 3 },
    )
    await addImageRun(studio, 'round-2', ['a'], { policy: 'dpok-1' })
    // Drawn before the reward, judged after it.
    const at = new Date(Date.now() + 60_000).toISOString()
    await it.client.judge({ judgments: [{ ...goodBad('b', later.id), at }] })
    await addImageRun(studio, 'compare-1-1', ['b'], { policy: 'dpok-1', purpose: 'comparison' })
    addRun(studio, 'rw-1', 'policy reward-weighted', {
      images: 'runs/round-2',
      reward: 'runs/reward-1',
      policy: 'runs/dpok-1',
    })
    addRun(studio, 'broken', 'policy dpok', { reward: 'runs/reward-1' })
    writeFileSync(studio.workspace.at('runs', 'broken', 'manifest.json'), '{')
    const { nodes, edges } = await it.client.lineage()
    assert.deepEqual(
      nodes.map(({ id, depth }) => [id, depth]),
      [
        ['pretrained', 0],
        ['round-1', 1],
        ['round-0', 1],
        ['round-2', 4],
        ['reward-1', 2],
        ['dpok-1', 3],
        ['rw-1', 5],
      ],
    )
    assert.deepEqual(edges.map(({ from, to, role }) => `${from} ${role} ${to}`).sort(), [
      'dpok-1 policy round-2',
      'dpok-1 policy rw-1',
      'pretrained policy dpok-1',
      'pretrained policy round-0',
      'pretrained policy round-1',
      'reward-1 reward dpok-1',
      'reward-1 reward rw-1',
      'round-1 judgments reward-1',
      'round-2 images rw-1',
    ])
    assert.deepEqual(
      nodes.filter(({ kind }) => kind === 'reward').map(({ fact }) => fact),
      ['1 labels, AUC 0.90'],
    )
    const { rounds } = await it.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, policy, images, judged }) => [name, policy, images, judged]),
      [
        ['round-1', 'pretrained', 2, 1],
        ['round-0', 'pretrained', 2, 1],
        ['round-2', 'dpok-1', 2, 0],
      ],
    )
  })
})

describe('reports', () => {
  test('figures, and a page that can do nothing', async () => {
    await using it = await testStudio()
    const { report } = await syntheticReport()
    const files = { 'report.json': JSON.stringify(report), 'report.html': '<script>alert(1)</script>' }
    addRun(it.studio, 'report-1', 'report', { reward: 'runs/reward-1' }, {}, files)
    const [{ url, policies }] = (await it.client.reports()).reports
    assert.deepEqual(
      policies.map(({ name, frechet }) => [name, frechet.mean]),
      [
        ['base', 248],
        ['best-of-n', 240],
        ['reward-weighted', 380],
        ['dpok', 180],
      ],
    )
    const page = await it.app.request(url)
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.ok(policy.startsWith('sandbox;') && policy.includes("default-src 'none'") && !policy.includes('script'))
    assert.equal((await it.app.request('/reports/none')).status, 404)
    assert.equal((await it.app.request('/reports/..%2freport-1')).status, 404)
  })
})

describe('in and out', () => {
  test('judgments go out and come in again', async () => {
    await using it = await testStudio()
    const records = await addImageRun(it.studio, 'round-1', ['a', 'b'])
    await it.as('Ada "<x>"').judge({ judgments: records.map(({ id }, i) => goodBad(`j${i}`, id)) })
    for (const format of ['csv', 'jsonl'] as const) {
      const answer = await it.app.request(it.client.exportUrl(format))
      assert.match(
        answer.headers.get('content-disposition') ?? '',
        new RegExp(`attachment; filename="judgments.${format}"`),
      )
      const file = new Blob([await answer.arrayBuffer()])
      const { added, known } = await it.client.import(file, { format })
      assert.deepEqual([added, known], [0, 4])
    }
    const table = `image,answer\n${records[0].id},bad\n`
    const { added } = await it.client.import(new Blob([table]), { format: 'csv', rater: 'Eve', name: '../../x.csv' })
    assert.equal(added, 1)
    assert.equal((await it.studio.store.allRows()).at(-1)?.rater, 'Eve')
    await assert.rejects(
      it.client.import(new Blob(['image,answer\nnone,good\n']), { format: 'csv' }),
      (error: StudioError) => {
        assert.ok(!error.message.includes(it.studio.workspace.folder), error.message)
        return refused(404, 'unknown-record')(error)
      },
    )
    await assert.rejects(it.client.import(new Blob(['x']), { format: 'zip' as 'csv' }), refused(400, 'config'))
    assert.equal((await it.app.request('/api/import', changing('POST', {}))).status, 415)
    assert.equal((await it.app.request('/api/export?format=exe')).status, 400)
  })

  test('a file of Label Studio comes in with the images that are there', async () => {
    await using it = await testStudio()
    const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    const task = (id: number, image: string) => ({
      id,
      data: { prompt: 'a cat', image: `/data/upload/1/0a1b2c3d-${image}` },
      annotations: [{ result: [{ type: 'choices', value: { choices: ['good'] } }], completed_by: 3 }],
    })
    const file = new Blob([JSON.stringify([task(7, 'a.png'), task(8, 'b.png')])])
    const fields = { format: 'label-studio', name: 'export.json' } as const
    const counts = await it.client.import(file, fields, [new File([png], 'a.png')])
    assert.deepEqual([counts.added, counts.images, counts.leftOut.length], [1, 1, 2])
    assert.match(counts.leftOut[1], /^export\.json task 8: its image .*b\.png cannot be read$/)
    const twice = [new File([png], 'x/a.png'), new File([png, 'more'], 'y/a.png')]
    await assert.rejects(
      it.client.import(file, fields, twice),
      /form images a\.png: expected images of different names/,
    )
    const paths = [task(7, 'a.png'), { ...task(9, 'a.png'), data: { prompt: 'a cat', image: 'other/a.png' } }]
    await assert.rejects(
      it.client.import(new Blob([JSON.stringify(paths)]), fields, [new File([png], 'a.png')]),
      refused(400, 'config'),
    )
    assert.equal((await it.studio.store.allRows()).length, 1)
  })

  test('other tools’ files go out with pictures and come in with them', async () => {
    await using it = await testStudio()
    const [a, b] = await addImageRun(it.studio, 'round-1', ['two red circles'])
    const pair = {
      id: 'p',
      kind: 'pair' as const,
      images: [a.id, b.id],
      answer: 'first' as const,
      at: '2026-01-01T00:00:00.000Z',
    }
    await it.client.judge({ judgments: [pair] })
    const exported = async (format: 'image-reward' | 'pick-a-pic') => await it.app.request(it.client.exportUrl(format))
    const zip = await exported('image-reward')
    assert.match(zip.headers.get('content-disposition') ?? '', /judgments\.zip/)
    const entries = entriesOf(Buffer.from(await zip.arrayBuffer()))
    const json = entries.find(({ name }) => name === 'judgments.json')!
    const pictures = entries
      .filter(({ name }) => /\.(png|jpe?g|webp)$/.test(name))
      .map(({ name, bytes }) => new File([bytes], name))
    assert.equal(pictures.length, 2)
    const parquet = new Blob([await (await exported('pick-a-pic')).arrayBuffer()])

    await using other = await testStudio()
    const about = entries.find(({ name }) => name.endsWith('.provenance.json'))!
    const restored = await testStudio()
    await using _restored = restored
    const sent = [...pictures, new File([about.bytes], about.name)]
    await restored.client.import(new Blob([json.bytes]), { format: 'image-reward', name: 'judgments.json' }, sent)
    assert.match((await restored.studio.store.judgments())[0].rater, /^rater-[0-9a-f]{12}$/)

    const first = await other.client.import(new Blob([json.bytes]), { format: 'image-reward' }, pictures)
    assert.deepEqual([first.added, first.images, first.leftOut], [1, 2, []])
    const { rounds } = await other.client.rounds()
    assert.deepEqual(
      rounds.map(({ name, policy, images, judged }) => [name, policy, images, judged]),
      [['import-1', 'uploaded', 2, 2]],
    )
    await using third = await testStudio()
    const without = await third.client.import(new Blob([json.bytes]), { format: 'image-reward' })
    assert.deepEqual([without.added, without.images, without.leftOut.length > 0], [0, 0, true])
    const second = await third.client.import(parquet, { format: 'pick-a-pic' })
    assert.deepEqual([second.added, second.images], [1, 2])
  })

  test('pictures of one’s own become a round; broken ones are named', async () => {
    await using it = await testStudio()
    const create = { width: 40, height: 30, channels: 3, background: 'red' } as const
    const files = [
      new File([new Uint8Array(await sharp({ create }).jpeg().toBuffer())], '<img src=x>.jpg'),
      new File([new Uint8Array(await sharp({ create }).webp().toBuffer())], 'b.webp'),
      new File(['no picture'], 'broken.png'),
      new File([new Uint8Array(await sharp({ create }).gif().toBuffer())], 'c.gif'),
    ]
    const { round, images, broken } = await it.client.upload(files, ['two red circles', awkwardTexts[0], 'c', 'd'])
    assert.deepEqual([round, images, broken.map(({ file }) => file)], ['upload-1', 2, ['broken.png', 'c.gif']])
    const { tasks } = await it.client.tasks({ mode: 'good-bad' })
    assert.deepEqual(tasks.map(({ prompt }) => prompt).sort(), [awkwardTexts[0], 'two red circles'])
    const answer = await it.app.request(`/images/${tasks[0].images[0].id}`)
    assert.equal(answer.headers.get('content-type'), 'image/png')
    assert.deepEqual(await it.client.upload([files[2]], ['x']), { round: null, images: 0, broken: [broken[0]] })
    await assert.rejects(it.client.upload([files[0]], []), refused(400, 'config'))
    await assert.rejects(it.client.upload([], []), refused(400, 'config'))
  })
})
