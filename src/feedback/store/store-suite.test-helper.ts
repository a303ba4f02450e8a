/** What every feedback store must do with images and judgments, whatever database is below. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolve } from 'node:path'
import { sql } from 'kysely'
import { FormatError, UnknownRecordError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { awkwardTexts, imageRecord, judgment } from '../feedback-fixtures.test-helper.ts'
import { isDisputed, labelsOf } from '../agreement/disagreed-labels.ts'
import { setGold } from '../queue/gold.ts'
import { excludeRater } from '../raters/raters.ts'
import { askThirdOpinions, isSettledBy, readThirdOpinions } from '../queue/third-opinions.ts'
import { openFeedback } from './store.ts'
import { trainingJudgments } from '../training-judgments.ts'
import { inFresh, type FreshPlace } from './fresh-place.test-helper.ts'

const images = Array.from({ length: 4 }, (_, index) => imageRecord(index))
const [first, second] = images
const ids = images.map(({ id }) => id)
const common = { rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const

const region = { image: 0, kind: 'implausible', x: 0.5, y: 0 } as const

/** One of each way of asking, with all that it can say. */
const ofEveryKind: readonly Judgment[] = [
  {
    ...common,
    id: 'a',
    kind: 'good-bad-skip',
    images: [ids[0]],
    answer: 'bad',
    reasons: ['wrong-color'],
    shown: ids,
    regions: [{ image: 0, kind: 'misaligned', x: 0.25, y: 1 }],
    misread: [{ image: 0, word: 1 }],
  },
  { ...common, id: 'b', kind: 'pair', images: [ids[1], ids[0]], answer: 'both-bad', durationMs: 1.5 },
  {
    ...common,
    id: 'c',
    kind: 'rating',
    images: [ids[0]],
    answer: 'rated',
    ratings: { overall: 7, alignment: 1, fidelity: 4 },
  },
  { ...common, id: 'd', kind: 'ranking', images: ids, answer: 'ranked', ranks: [2, 1, 2, 4] },
  {
    ...common,
    id: 'e',
    kind: 'vote',
    images: ids,
    answer: 'first',
    policies: ['pretrained', 'dpok-1'],
    question: 'alignment',
  },
]

/** @param skip  why the suite cannot run here */
export function storeSuite(name: string, freshPlace: () => Promise<FreshPlace>, skip?: string): void {
  const within = inFresh(freshPlace)
  describe(name, { skip: skip ?? false }, () => {
    it('keeps images, and the latest place of each', () =>
      within(async (store) => {
        const records = awkwardTexts.map((text, index) => imageRecord(index, text))
        assert.equal(await store.addImages(records, 'runs/a'), records.length)
        assert.equal(await store.addImages([...records, first], 'runs/b'), 1)
        const images = await store.images()
        assert.equal(images.length, records.length + 1)
        assert.ok(images.every(({ folder }) => folder === resolve('runs/b')))
        for (const record of records) assert.ok(images.some((image) => image.record.text === record.text))
        assert.deepEqual(
          images.find(({ record }) => record.id === first.id),
          { record: first, folder: resolve('runs/b') },
        )
      }))

    it('counts a repeated submission once', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const one = { ...judgment('1', first), durationMs: 12.5 }
        assert.equal(await store.addJudgments([one, one]), 1)
        assert.equal(await store.addJudgments([{ ...one, at: '2026-01-02T00:00:00Z' }]), 0)
        assert.deepEqual(await store.allRows(), [one])
        await assert.rejects(store.addJudgments([{ ...one, answer: 'bad' }]), FormatError)
        assert.deepEqual(await store.allRows(), [one])
      }))

    it('adds all or nothing', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const many = Array.from({ length: 1200 }, (_, index) => judgment(String(index), first))
        await assert.rejects(store.addJudgments([...many, judgment('x', second)]), UnknownRecordError)
        await assert.rejects(
          store.addJudgments([...many, { ...judgment('x', first), undoes: 'nothing' }]),
          UnknownRecordError,
        )
        await assert.rejects(store.addJudgments([...many, { ...judgment('x', first), at: 'today' }]), FormatError)
        assert.deepEqual(await store.allRows(), [])
        assert.equal(await store.addJudgments(many), 1200)
        assert.deepEqual(await store.allRows(), many)
        assert.equal(await store.addJudgments([]), 0)
      }))

    it('lets the latest judgment stand, unless it is undone', () =>
      within(async (store) => {
        await store.addImages([first, second], '.')
        const good = judgment('1', first)
        const bad = { ...judgment('2', first, 'bad'), at: '2026-01-01T00:00:00.5Z' }
        const other = { ...judgment('3', first, 'skip'), rater: 'bob' }
        const early = { ...judgment('4', first, 'skip'), at: '2025-01-01T00:00:00Z', rater: 'bob' }
        await store.addJudgments([good, bad, early, other])
        assert.deepEqual(await store.judgments(), [bad, other])
        await store.addJudgments([{ ...bad, id: '5', undoes: '2' }])
        assert.deepEqual(await store.judgments(), [good, other])
        await store.addJudgments([{ ...bad, id: '6', undoes: '5' }])
        assert.deepEqual(await store.judgments(), [bad, other])
        assert.equal((await store.allRows()).length, 6)
        assert.deepEqual(await store.counts(), {
          images: 2,
          judged: 1,
          judgments: 2,
          labels: 1,
          good: 0,
          bad: 1,
          skip: 1,
          pairs: 0,
          ratings: 0,
          rankings: 0,
          votes: 0,
          raters: 2,
          rows: 6,
        })
      }))

    it('refuses what is not yet, and lets a correction stand whose clock is behind', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
        for (const at of [inMinutes(60), inMinutes(365 * 24 * 60), '9999-12-31T23:59:59Z']) {
          const ahead = store.addJudgments([judgment('0', first), { ...judgment('1', first), at }])
          await assert.rejects(ahead, /judgment 1 at: expected a time that is not ahead of .*now/)
        }
        assert.deepEqual(await store.allRows(), [])
        const slightly = { ...judgment('2', first), at: inMinutes(1) }
        const correction = { ...judgment('3', first, 'bad'), at: inMinutes(-60) }
        await store.addJudgments([slightly])
        await store.addJudgments([correction])
        assert.deepEqual(await store.judgments(), [correction])
        const known = { ...slightly, at: inMinutes(60) }
        assert.equal(await store.addJudgments([known]), 0, 'a repetition changes nothing')
      }))

    it('takes many writers at once', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const ids = Array.from({ length: 20 }, (_, index) => String(index))
        await Promise.all(ids.map((id) => store.addJudgments([judgment(id, first)])))
        assert.equal((await store.counts()).rows, 20)
      }))

    it('keeps everything that a judgment of any kind says', () =>
      within(async (store, address) => {
        await store.addImages(images, '.')
        assert.equal(await store.addJudgments(ofEveryKind), 5)
        assert.equal(await store.addJudgments(ofEveryKind.toReversed()), 0)
        await using again = await openFeedback(address)
        assert.deepEqual(await again.allRows(), ofEveryKind)
        assert.deepEqual(await again.counts(), {
          images: 4,
          judged: 4,
          judgments: 5,
          labels: 4,
          good: 0,
          bad: 1,
          skip: 0,
          pairs: 1,
          ratings: 1,
          rankings: 1,
          votes: 1,
          raters: 1,
          rows: 5,
        })
      }))

    it('refuses what does not fit together', () =>
      within(async (store) => {
        await store.addImages(images, '.')
        const [, pair, rating, ranking, vote] = ofEveryKind
        const broken = [
          { ...pair, images: [ids[0], ids[0]] },
          { ...rating, ratings: undefined },
          { ...rating, answer: 'skip' },
          { ...ranking, ranks: [1, 2] },
          { ...ranking, answer: 'skip' },
          { ...vote, images: ids.slice(1) },
          { ...pair, rater: 'a\0b' },
          { ...pair, rater: '\uD800' },
          { ...pair, reasons: ['\uDC00'] },
          { ...vote, policies: ['pretrained', 'a\uD800'] },
          { ...vote, regions: [region] },
          ...[
            [],
            [{ ...region, x: 1.01 }],
            [{ ...region, y: NaN }],
            [{ ...region, image: 2 }],
            [{ ...region, kind: 'ugly' }],
            Array(9).fill(region),
          ].map((regions) => ({ ...pair, regions })),
          ...[
            [],
            [{ image: 0, word: 2 }],
            [{ image: 0, word: -1 }],
            [{ image: 2, word: 0 }],
            [
              { image: 1, word: 1 },
              { image: 1, word: 1 },
            ],
          ].map((misread) => ({ ...pair, misread })),
        ] as Judgment[]
        for (const one of broken) await assert.rejects(store.addJudgments([one]), FormatError)
        // The words of images that come with the judgment are known as well.
        const brought = { ...imageRecord(7, 'one'), id: 'f'.repeat(16) }
        const misread = [{ image: 0, word: 1 }]
        const judgments = [{ ...judgment('m', brought, 'bad'), misread }]
        await assert.rejects(
          store.add({ images: [{ records: [brought], folder: '.' }], judgments }),
          /judgment m misread: expected places of words of the prompt, which has 1, counted from 0, received 1/,
        )
        assert.deepEqual(await store.allRows(), [])
      }))

    it('takes the same id for another content from nobody', () =>
      within(async (store) => {
        await store.addImages(images, '.')
        await store.addJudgments(ofEveryKind)
        for (const [place, change] of [
          [0, { reasons: [] }],
          [2, { ratings: { overall: 6, alignment: 1, fidelity: 4 } }],
          [3, { ranks: [1, 2, 3, 4] }],
          [4, { question: 'fidelity' }],
        ] as const) {
          await assert.rejects(store.addJudgments([{ ...ofEveryKind[place], ...change } as Judgment]), FormatError)
        }
      }))

    it('asks one more rater about labels, and keeps who had judged them', () =>
      within(async (store, address) => {
        await store.addImages(images, '.')
        const bad = { ...judgment('2', first, 'bad'), rater: 'bob' }
        await store.addJudgments([judgment('1', first), bad, judgment('3', second)])
        const labels = labelsOf(await store.judgments())
        const label = [...labels.values()].find(isDisputed)!
        assert.deepEqual([label.images, label.agreement], [[first.id], 0])
        const { database } = store
        assert.deepEqual(await readThirdOpinions(database), [])
        await askThirdOpinions(database, [label], { by: 'eve', at: '2026-01-01T00:00:00Z' })
        await askThirdOpinions(database, [], { by: 'eve', at: '2026-01-01T00:00:00Z' })
        await using again = await openFeedback(address)
        const [opinion] = await readThirdOpinions(again.database)
        const { question, kind } = label
        assert.deepEqual(opinion, {
          question,
          kind,
          images: [first.id],
          raters: ['ada', 'bob'],
          askedBy: 'eve',
          askedAt: '2026-01-01T00:00:00Z',
        })
        assert.equal(isSettledBy(opinion, label), false)
        await again.addJudgments([{ ...judgment('4', first, 'skip'), rater: 'cleo' }])
        const now = async () => labelsOf(await again.judgments()).get(question)
        assert.equal(isSettledBy(opinion, await now()), false, 'a skip settles nothing')
        await again.addJudgments([{ ...judgment('5', first), rater: 'dan' }])
        assert.equal(isSettledBy(opinion, await now()), true)
        // asked again, who answered meanwhile counts as one who had judged it
        await askThirdOpinions(database, [(await now())!], { by: 'ada', at: '2026-01-02T00:00:00Z' })
        const asked = await readThirdOpinions(database)
        assert.deepEqual(
          asked.map(({ raters, askedBy }) => [raters, askedBy]),
          [[['ada', 'bob', 'dan'], 'ada']],
        )
      }))

    it('takes a pair the other way round for the same question', () =>
      within(async (store) => {
        await store.addImages(images, '.')
        const [, pair, , ranking, vote] = ofEveryKind as [Judgment, Judgment, Judgment, Judgment, Judgment]
        const turned = { ...pair, id: 'f', images: pair.images.toReversed() }
        const reranked = { ...ranking, id: 'g', images: ids.toReversed() }
        const other = { ...vote, id: 'h', question: 'fidelity' } as Judgment
        await store.addJudgments([pair, ranking, vote, turned, reranked, other])
        assert.deepEqual(
          (await store.judgments()).map(({ id }) => id),
          ['e', 'f', 'g', 'h'],
        )
        await store.addJudgments([{ ...turned, id: 'i', undoes: 'f' }])
        assert.deepEqual(
          (await store.judgments()).map(({ id }) => id),
          ['b', 'e', 'g', 'h'],
        )
      }))

    it('is append-only for everyone', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        await store.addJudgments([judgment('1', first)])
        for (const change of ["UPDATE judgments SET answer = 'bad'", 'DELETE FROM judgments']) {
          await assert.rejects(sql.raw(change).execute(store.database), /append-only/)
        }
        assert.deepEqual(await store.allRows(), [judgment('1', first)])
      }))

    it('counts once what several processes submit at the same time, and each sees it', () =>
      within(async (one, address) => {
        await using two = await openFeedback(address)
        assert.deepEqual(await two.images(), [])
        await one.addImages([first], '.')
        assert.equal((await two.images()).length, 1)
        const submitted = Array.from({ length: 30 }, (_, index) => judgment(String(index), first))
        const added = await Promise.all(
          submitted.flatMap((each) => [one, two].map((store) => store.addJudgments([each, each]))),
        )
        assert.equal(
          added.reduce((sum, number) => sum + number, 0),
          30,
        )
        assert.equal((await one.counts()).rows, 30)
        assert.deepEqual(await two.allRows(), await one.allRows())
      }))

    it('takes in what is usual at once, and looks up what another process may know of', () =>
      within(async (store, address) => {
        await store.addImages([first], '.')
        await store.images()
        assert.equal(await store.addJudgments([judgment('1', first)]), 1)
        await using two = await openFeedback(address)
        await two.addJudgments([judgment('2', first)])
        assert.equal(await store.addJudgments([judgment('2', first), judgment('3', first)]), 1)
        await assert.rejects(store.addJudgments([judgment('2', first, 'bad')]), /the id of another judgment/)
        assert.equal(await store.addJudgments([{ ...judgment('4', first), undoes: '2' }]), 1)
        await assert.rejects(store.addJudgments([{ ...judgment('5', first), undoes: 'none' }]), /unknown judgment none/)
        await assert.rejects(store.addJudgments([judgment('6', second)]), /unknown image/)
        for (const each of [store, two]) {
          assert.deepEqual(
            (await each.allRows()).map(({ id }) => id),
            ['1', '2', '3', '4'],
          )
        }
      }))

    it('refuses one of several submissions at the same time alone', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const outcomes = await Promise.allSettled([
          store.addJudgments([judgment('1', first)]),
          store.addJudgments([judgment('2', first), judgment('3', second)]),
          store.addJudgments([judgment('1', first, 'bad')]),
          store.addJudgments([judgment('4', first)]),
        ])
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
        )
        assert.deepEqual(
          (await store.allRows()).map(({ id }) => id),
          ['1', '4'],
        )
      }))

    it('says that it is closed to all who wait', () =>
      within(async (store) => {
        await store.close()
        await assert.rejects(Promise.all([1, 2].map((id) => store.addJudgments([judgment(String(id), first)]))))
        await assert.rejects(Promise.all([store.judgments(), store.counts()]))
      }))

    it('gives the same list until something changes', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        await store.addJudgments([judgment('1', first)])
        const [judgments, records] = [await store.judgments(), await store.images()]
        const readings = await Promise.all(Array.from({ length: 5 }, () => store.judgments()))
        assert.ok(readings.every((reading) => reading === judgments))
        assert.equal(await store.images(), records)
        await store.addJudgments([judgment('2', first, 'bad')])
        assert.notEqual(await store.judgments(), judgments)
        assert.deepEqual(judgments, [judgment('1', first)])
      }))

    it('trains on no votes, no excluded raters and no answers to gold items', () =>
      within(async (store) => {
        await store.addImages(images, '.')
        const bobs = ofEveryKind.map((each) => ({ ...each, id: `bob ${each.id}`, rater: 'bob' }))
        await store.addJudgments([...ofEveryKind, ...bobs, judgment('f', second)])
        await excludeRater(store.database, 'bob', true)
        await setGold(store.database, ids[0], 'good')
        const trained = () => trainingJudgments(store).then((judgments) => judgments.map(({ id }) => id))
        assert.deepEqual(await trained(), ['b', 'c', 'd', 'f'])
        await excludeRater(store.database, 'bob', false)
        assert.deepEqual(await trained(), ['b', 'c', 'd', 'bob b', 'bob c', 'bob d', 'f'])
        assert.equal((await store.counts()).rows, 11)
      }))
  })
}
