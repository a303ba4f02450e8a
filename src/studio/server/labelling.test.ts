/** Judging through the HTTP interface: tasks, answers, gold, guidelines, agreement. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewJudgment } from '../schemas/labelling.ts'
import { addImageRun, changing, failureOf, goodBad, hostileTexts, refused, testStudio } from '../studio.test-helper.ts'

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
    await addImageRun(it.studio, 'round-1', hostileTexts.slice(0, 7), { perPrompt: 1 })
    const [judged] = await addImageRun(it.studio, 'round-2', ['plain'], { perPrompt: 1 })
    for (const [i, text] of hostileTexts.entries()) {
      const name = text.trim().slice(0, 200)
      const rater = it.as(name)
      assert.equal((await rater.state()).user.name, name.trim())
      assert.equal((await rater.judge({ judgments: [goodBad(`n${i}`, judged.id)] })).added, 1)
    }
    const { raters } = await it.client.raters()
    assert.equal(raters.length, hostileTexts.length)
    const { tasks } = await it.as('new').tasks({ mode: 'good-bad', count: 50 })
    assert.deepEqual(tasks.map(({ prompt }) => prompt).sort(), hostileTexts.slice(0, 7).sort())
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
    const [{ id }] = await addImageRun(it.studio, 'round-1', ['two red circles'])
    for (const text of hostileTexts) {
      const examples = [{ image: id, answer: 'bad' as const, note: text.slice(0, 300) }]
      const picture = { id, width: 24, height: 24 }
      const shown = [{ ...examples[0], picture, prompt: 'two red circles' }]
      const changed = { text, reasons: [{ code: 'odd', label: text.slice(0, 200) }], consent: text, examples: shown }
      await it.client.setGuidelines(changed)
      assert.deepEqual(await it.client.guidelines(), changed)
    }
    const wrong = { text: 'x'.repeat(10_001), reasons: [], consent: '' }
    await assert.rejects(it.client.setGuidelines(wrong), refused(400, 'config'))
    const twice = ['first', 'second'].map((label) => ({ code: 'odd', label }))
    await assert.rejects(it.client.setGuidelines({ ...wrong, text: '', reasons: twice }), refused(400, 'config'))
  })

  test('the guidelines of the embedded world come with pictures of their own', async () => {
    await using it = await testStudio()
    const { examples, ...rest } = await it.as('Ada').guidelines()
    assert.deepEqual([...new Set(examples.map(({ answer }) => answer))].sort(), ['bad', 'good'])
    for (const { picture, prompt, note } of examples) {
      assert.ok(picture !== null && prompt !== '' && note !== '')
      const { status, headers } = await it.app.request(`/images/${picture.id}`)
      assert.deepEqual([status, headers.get('content-type')], [200, 'image/png'])
    }
    await it.client.setGuidelines({ ...rest, examples: examples.slice(1) })
    assert.deepEqual((await it.client.guidelines()).examples, examples.slice(1))
  })

  test('images of the studio are examples, and nobody is asked about them again', async () => {
    await using it = await testStudio()
    const records = await addImageRun(it.studio, 'round-1', ['two red circles', 'a cross'])
    const [compared] = await addImageRun(it.studio, 'compare-1-a', ['a ring'], { purpose: 'comparison' })
    const [first, second] = records.map(({ id }) => ({ image: id, answer: 'good' as const, note: '' }))
    const told = { text: 'Look.', reasons: [], consent: '' }
    const set = (examples: (typeof first)[]) => it.client.setGuidelines({ ...told, examples })
    await assert.rejects(set([{ ...first, image: '0'.repeat(16) }]), refused(409, 'missing'))
    await assert.rejects(set([{ ...first, image: compared.id }]), refused(409, 'missing'))
    await assert.rejects(set([first, first]), refused(400, 'config'))
    await assert.rejects(set([{ ...first, note: 'x'.repeat(301) }]), refused(400, 'config'))
    const asked = async () => {
      const { tasks } = await it.as('Ada').tasks({ mode: 'good-bad', count: 50 })
      return new Set(tasks.flatMap(({ images }) => images.map(({ id }) => id)))
    }
    await it.client.setGold(first.image, { answer: 'good' })
    assert.equal((await asked()).size, 4)
    await set([first, second])
    const left = new Set(records.slice(2).map(({ id }) => id))
    assert.deepEqual(await asked(), left)
    assert.equal((await it.client.images({})).total, 2)
    assert.equal((await it.client.state()).rounds[0].images, 2)
    await set([second])
    assert.deepEqual(await asked(), left, 'raters remember what they were told')

    await it.client.deleteRun('round-1')
    const [gone] = (await it.client.guidelines()).examples
    assert.deepEqual(gone, { ...second, picture: null, prompt: '' })
    await assert.rejects(set([second]), refused(409, 'missing'))
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
