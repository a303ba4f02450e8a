import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { GalleryQuery } from '../schemas/gallery.ts'
import { addImageRun, addRun, goodBad, refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

const at = '2026-01-01T00:00:00.000Z'
const prompts = ['two red circles', 'a cross', 'three blue squares']

/** Two rounds of the same prompts and noise, by the pre-trained model and by a policy. */
async function filled(it: TestStudio) {
  const first = await addImageRun(it.studio, 'round-1', prompts, { perPrompt: 4, side: 4 })
  const second = await addImageRun(it.studio, 'round-2', prompts, { perPrompt: 4, side: 4, policy: 'dpok-1' })
  const ids = [...first, ...second].map(({ id }) => id)
  const scores = Object.fromEntries(ids.slice(0, 10).map((id, i) => [id, i / 10]))
  const uncertainties = Object.fromEntries(ids.slice(0, 6).map((id, i) => [id, i]))
  const files = { 'scores.json': JSON.stringify(scores), 'uncertainties.json': JSON.stringify(uncertainties) }
  addRun(it.studio, 'reward-1', 'reward train', {}, { labels: 9 }, files)
  await it.as('Ada').judge({
    judgments: [goodBad('a', ids[0]), goodBad('b', ids[1], 'bad'), goodBad('c', ids[2]), goodBad('d', ids[3], 'skip')],
  })
  await it.as('Bob').judge({
    judgments: [goodBad('e', ids[2], 'bad'), { id: 'p', kind: 'pair', images: [ids[4], ids[5]], answer: 'second', at }],
  })
  const found = async (query: GalleryQuery = {}) =>
    (await it.client.gallery({ count: 200, ...query })).images.map(({ id }) => ids.indexOf(id))
  return { ids, first, second, found }
}
const sorted = (places: readonly number[]) => places.toSorted((a, b) => a - b)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('the gallery', () => {
  test('finds images by what is known of them, all conditions together', async () => {
    await using it = await testStudio({ model: 'somewhere/checkpoint' })
    const { found } = await filled(it)
    assert.deepEqual(sorted(await found()), range(0, 24))
    assert.deepEqual(sorted(await found({ round: 'round-2' })), range(12, 24))
    assert.deepEqual(sorted(await found({ policy: 'pretrained', prompt: ' A CROSS' })), range(4, 8))
    assert.deepEqual(await found({ category: 'color' }), [])
    assert.deepEqual(await found({ verdict: 'good' }), [0])
    assert.deepEqual(await found({ verdict: 'bad' }), [1])
    assert.deepEqual(await found({ verdict: 'even' }), [2])
    assert.deepEqual(await found({ verdict: 'disagreed' }), [2])
    assert.deepEqual(sorted(await found({ verdict: 'judged' })), [0, 1, 2, 4, 5])
    assert.deepEqual(sorted(await found({ verdict: 'unlabelled', round: 'round-1' })), [3, 6, 7, 8, 9, 10, 11])
    assert.deepEqual(sorted(await found({ rater: 'Ada' })), [0, 1, 2, 3])
    assert.deepEqual(sorted(await found({ rater: 'Bob' })), [2, 4, 5])
    assert.deepEqual(sorted(await found({ from: 0.3, to: 0.5 })), [3, 4, 5])
    assert.deepEqual(await found({ from: 0.3, to: 0.5, verdict: 'unlabelled' }), [3])
    // An answer that is taken back counts no more.
    await it.as('Ada').judge({ judgments: [{ ...goodBad('z', '', 'good'), images: [(await it.client.gallery({ verdict: 'good' })).images[0].id], undoes: 'a' }] }) // prettier-ignore
    assert.deepEqual(await found({ verdict: 'good' }), [])
  })

  test('puts them in order, and each comes on one page', async () => {
    await using it = await testStudio({ model: 'somewhere/checkpoint' })
    const { ids, found } = await filled(it)
    assert.deepEqual((await found({ sort: 'highest' })).slice(0, 10), range(0, 10).reverse())
    assert.deepEqual((await found({ sort: 'lowest' })).slice(0, 10), range(0, 10))
    assert.deepEqual((await found({ sort: 'unsure' })).slice(0, 6), range(0, 6).reverse())
    assert.deepEqual(await found({ sort: 'oldest' }), range(0, 24))
    assert.deepEqual(await found({ sort: 'newest' }), range(0, 24).reverse())
    for (const sort of ['newest', 'oldest', 'highest', 'lowest', 'unsure'] as const) {
      const seen: string[] = []
      for (let after: string | undefined; ;) {
        const page = await it.client.gallery({ sort, count: 5, ...(after !== undefined && { after }) })
        seen.push(...page.images.map(({ id }) => id))
        if (page.next === null) break
        after = page.next
        // What goes meanwhile leaves no gap.
        if (seen.length === 10) await it.client.archive({ images: seen.slice(9), archived: true })
      }
      assert.deepEqual([seen.length, new Set(seen)], [24, new Set(ids)], sort)
      await it.client.archive({ images: ids, archived: false })
    }
  })

  test('refuses what is no question', async () => {
    await using it = await testStudio()
    await filled(it)
    const odd: [string, number][] = [
      ['count=0', 400], ['count=201', 400], ['sort=random', 400], ['from=many', 400], ['round=../x', 400],
      ['verdict=fine', 400], [`after=${'%2F'.repeat(3)}`, 400], ['reward=reward-9', 404], ['after=bm8', 200],
      ['from=Infinity', 400], ['prompt=%00', 200], ['round=none', 200],
    ] // prettier-ignore
    for (const [query, status] of odd) {
      assert.equal((await it.app.request(`/api/gallery?${query}`)).status, status, query)
    }
    await assert.rejects(it.client.galleryImage('0'.repeat(16)), refused(404, 'not-found'))
    await assert.rejects(it.client.archive({ images: ['0'.repeat(16)], archived: true }), refused(404, 'not-found'))
  })

  test('tells of an image who judged it, what rewards give it, and who drew the same noise otherwise', async () => {
    await using it = await testStudio({ model: 'somewhere/checkpoint' })
    const { ids, first, second } = await filled(it)
    const disputed = await it.client.galleryImage(ids[2])
    assert.deepEqual(
      disputed.history.map(({ rater, answer, stands }) => [rater, answer, stands]),
      [
        ['Ada', 'good', true],
        ['Bob', 'bad', true],
      ],
    )
    await it.as('Bob').judge({ judgments: [goodBad('again', ids[2], 'good')] })
    assert.deepEqual(
      (await it.client.galleryImage(ids[2])).history.map(({ stands }) => stands),
      [true, false, true],
    )
    assert.deepEqual(disputed.scores, [{ reward: 'reward-1', score: 0.2, uncertainty: 2 }])
    assert.deepEqual(disputed.rounds, ['round-1'])
    assert.deepEqual([disputed.record.policy, disputed.record.seed, disputed.record.index], ['pretrained', 1, 2])
    assert.deepEqual(
      disputed.sameNoise.map(({ id, policy, round }) => [id, policy, round]),
      [[second[2].id, 'dpok-1', 'round-2']],
    )
    const preferred = await it.client.galleryImage(ids[5])
    assert.deepEqual(preferred.history.map(({ told }) => told), ['preferred']) // prettier-ignore
    rmSync(it.studio.workspace.at('runs/round-1', first[7].file))
    assert.equal((await it.client.galleryImage(ids[7])).image, null)
    assert.equal((await it.client.gallery({ count: 200 })).images.find(({ id }) => id === ids[7])!.image, null)
  })

  test('archives: nobody is asked, nothing goes, and it comes back', async () => {
    await using it = await testStudio({ model: 'somewhere/checkpoint' })
    const { ids, found } = await filled(it)
    const asked = async () => {
      const { tasks } = await it.as('Cleo').tasks({ count: 50 })
      return sorted(tasks.flatMap(({ images }) => images.map(({ id }) => ids.indexOf(id))))
    }
    const before = await asked()
    assert.ok(before.includes(20))
    assert.deepEqual(await it.client.archive({ images: ids.slice(6), archived: true }), { changed: 18 })
    assert.deepEqual(await it.client.archive({ images: ids.slice(5), archived: true }), { changed: 1 })
    assert.deepEqual(await asked(), before.filter((place) => place < 5)) // prettier-ignore
    assert.deepEqual(sorted(await found()), range(0, 5))
    assert.deepEqual(sorted(await found({ archived: 'only' })), range(5, 24))
    assert.deepEqual(sorted(await found({ archived: 'shown' })), range(0, 24))
    assert.deepEqual((await it.client.state()).counts.judged, 5)
    assert.deepEqual((await it.client.rounds()).rounds.map(({ images }) => images), [5, 0]) // prettier-ignore
    await it.client.archive({ images: ids, archived: false })
    assert.deepEqual(await asked(), before)
  })

  test('hands images out as files with where they came from', async () => {
    await using it = await testStudio()
    const { ids } = await filled(it)
    const answer = await it.app.request(it.client.galleryExportUrl(ids.slice(0, 2)).replace('http://localhost', ''))
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
    assert.equal(answer.status, 200)
    for (const name of [`${ids[0]}.png`, `${ids[1]}.png`, 'metadata.jsonl', 'two red circles']) {
      assert.ok(text.includes(name), name)
    }
    assert.equal((await it.app.request('/api/gallery/export?images=../../secret')).status, 400)
  })
})
