/** What every feedback store must do, whatever database is below. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { FormatError, UnknownRecordError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { awkwardTexts, imageRecord, judgment } from '../feedback-fixtures.test-helper.ts'
import { isDisputed, labelsOf } from '../agreement/disagreed-labels.ts'
import { comeIn, withdraw } from '../raters/accounts.ts'
import { readGold, setGold } from '../queue/gold.ts'
import { addGuidelines, latestGuidelines, readGuidelines } from '../guidelines.ts'
import { acceptInvitation, addInvitation, readInvitations, removeInvitation } from '../raters/invitations.ts'
import { changeRole, excludeRater, readAdmins, readRaters, saveRater } from '../raters/raters.ts'
import { addRound, askable, readRounds } from '../queue/rounds.ts'
import { askThirdOpinions, isSettledBy, readThirdOpinions } from '../queue/third-opinions.ts'
import { addSession, endSession, findSession } from '../raters/sessions.ts'
import { changeSettings, readSettings } from './settings.ts'
import { openFeedback, type FeedbackStore } from './store.ts'
import { trainingJudgments } from '../training-judgments.ts'

/** A place for a store that nothing is in yet. */
export interface FreshPlace extends AsyncDisposable {
  readonly address: string
}

const images = Array.from({ length: 4 }, (_, index) => imageRecord(index))
const [first, second, third, fourth] = images
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
  async function within(test: (store: FeedbackStore, address: string) => Promise<void>): Promise<void> {
    await using place = await freshPlace()
    await using store = await openFeedback(place.address)
    await test(store, place.address)
  }

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

    it('knows raters', () =>
      within(async ({ database }) => {
        await saveRater(database, { name: 'bob', role: 'admin' })
        await saveRater(database, { name: awkwardTexts[0], displayName: awkwardTexts[2] })
        await excludeRater(database, 'bob', true)
        await excludeRater(database, 'eve', true)
        await excludeRater(database, 'eve', false)
        await saveRater(database, { name: 'bob', displayName: 'Bob' })
        const raters = (await readRaters(database)).map(({ createdAt, ...rater }) => {
          assert.ok(Date.parse(createdAt) <= Date.now())
          return rater
        })
        assert.deepEqual(raters, [
          { name: awkwardTexts[0], displayName: awkwardTexts[2], role: 'rater', excluded: false },
          { name: 'bob', displayName: 'Bob', role: 'admin', excluded: true },
          { name: 'eve', displayName: 'eve', role: 'rater', excluded: false },
        ])
      }))

    it('lets an invitation be accepted once, in time', () =>
      within(async ({ database }) => {
        const now = new Date('2026-01-10T00:00:00Z')
        const invitation = {
          id: 'i',
          name: 'bob',
          role: 'rater',
          createdAt: '2026-01-01T00:00:00.000Z',
          expiresAt: '2026-01-15T00:00:00.000Z',
        } as const
        await addInvitation(database, { ...invitation, tokenHash: 'h' })
        const late = { ...invitation, id: 'j', createdAt: '2026-01-02T00:00:00.000Z', expiresAt: now.toISOString() }
        await addInvitation(database, { ...late, tokenHash: 'k' })
        assert.equal(await acceptInvitation(database, 'k', now), undefined)
        assert.equal(await acceptInvitation(database, 'other', now), undefined)
        const attempts = await Promise.all([1, 2, 3].map(() => acceptInvitation(database, 'h', now)))
        const accepted = { ...invitation, acceptedAt: now.toISOString() }
        assert.deepEqual(
          attempts.filter((attempt) => attempt !== undefined),
          [accepted],
        )
        assert.deepEqual(await readInvitations(database), [{ ...late, acceptedAt: null }, accepted])
        assert.equal(await removeInvitation(database, 'i'), true)
        assert.equal(await removeInvitation(database, 'i'), false)
      }))

    it('never loses its last admin, and lets in nobody who is withdrawn, whichever processes do it at once', () =>
      within(async ({ database }, address) => {
        await using other = await openFeedback(address)
        const both = [database, other.database]
        const createdAt = '2026-01-01T00:00:00.000Z'
        const expiresAt = '2026-02-01T00:00:00.000Z'
        const invite = (id: string, name: string) =>
          addInvitation(database, { id, name, role: 'admin', createdAt, expiresAt, tokenHash: `link ${id}` })
        const enter = (id: string, place: number) =>
          comeIn(both[place], `link ${id}`, { tokenHash: `session ${id}`, createdAt, expiresAt })
        for (let round = 0; round < 8; round++) {
          for (const name of ['ada', 'bob']) {
            await invite(`${name} ${round}`, name)
            await enter(`${name} ${round}`, 0)
            await changeRole(database, name, 'admin')
          }
          const leave =
            round % 2 === 0
              ? (name: string, place: number) => changeRole(both[place], name, 'rater')
              : async (name: string, place: number) => (await withdraw(both[place], `${name} ${round}`)) === 'withdrawn'
          const left = await Promise.all([leave('ada', 0), leave('bob', 1)])
          assert.deepEqual([left.toSorted(), (await readAdmins(database)).length], [[false, true], 1])
        }
        const now = new Date(createdAt)
        for (let round = 0; round < 8; round++) {
          await invite(`eve ${round}`, 'eve')
          const [first, second] = [round % 2, 1 - (round % 2)]
          const [entered] = await Promise.all([enter(`eve ${round}`, first), withdraw(both[second], `eve ${round}`)])
          const isIn = (await findSession(database, `session eve ${round}`, now)) !== undefined
          assert.ok(!isIn && !(await readAdmins(database)).includes('eve'), `${JSON.stringify(entered)} stayed`)
          assert.equal(await enter(`eve ${round}`, 0), undefined)
        }
      }))

    it('knows sessions until they expire', () =>
      within(async ({ database }) => {
        const session = { rater: 'ada', createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-02-01T00:00:00.000Z' }
        await addSession(database, { ...session, tokenHash: 'a' })
        assert.deepEqual(await findSession(database, 'a', new Date('2026-01-31T23:59:59Z')), session)
        assert.equal(await findSession(database, 'a', new Date(session.expiresAt)), undefined)
        assert.equal(await findSession(database, 'b', new Date(session.createdAt)), undefined)
        await addSession(database, { ...session, tokenHash: 'b', createdAt: session.expiresAt })
        const left = await database.selectFrom('sessions').select('token_hash').execute()
        assert.deepEqual(
          left.map(({ token_hash }) => token_hash),
          ['b'],
        )
        await endSession(database, 'b')
        assert.equal(await findSession(database, 'b', new Date(session.createdAt)), undefined)
      }))

    it('keeps every version of the guidelines', () =>
      within(async ({ database }) => {
        assert.equal(await latestGuidelines(database), undefined)
        const written = { text: awkwardTexts.join('\n'), consent: '', author: null, createdAt: common.at }
        assert.equal(await addGuidelines(database, { ...written, reasons: [] }), 1)
        const newer = { ...written, author: 'ada', reasons: [{ code: 'blurred', label: awkwardTexts[3] }] }
        assert.equal(await addGuidelines(database, newer), 2)
        assert.deepEqual(await latestGuidelines(database), { ...newer, version: 2 })
        assert.deepEqual(
          (await readGuidelines(database)).map(({ version }) => version),
          [1, 2],
        )
        await assert.rejects(database.deleteFrom('guidelines').execute(), /append-only/)
      }))

    it('knows gold items', () =>
      within(async ({ database, addImages }) => {
        await addImages(images, '.')
        await setGold(database, ids[0], 'good')
        await setGold(database, ids[1], 'good')
        await setGold(database, ids[0], 'bad')
        await setGold(database, ids[1], null)
        assert.deepEqual(await readGold(database), new Map([[ids[0], 'bad']]))
        await assert.rejects(setGold(database, 'none', 'good'), UnknownRecordError)
      }))

    it('knows rounds, and what raters are asked about', () =>
      within(async ({ database, addImages }) => {
        await addImages(images, '.')
        const round = { name: 'round-1', policy: 'pretrained', purpose: 'round', createdAt: common.at } as const
        await addRound(database, { ...round, images: [ids[0], ids[0]] })
        await addRound(database, { ...round, images: [ids[0], ids[1]] })
        const compared = { ...round, name: 'c', purpose: 'comparison', createdAt: '2025-01-01T00:00:00Z' } as const
        await addRound(database, { ...compared, images: [ids[1], ids[2]] })
        const rounds = await readRounds(database)
        assert.deepEqual(rounds, [
          { ...compared, images: [ids[1], ids[2]].sort() },
          { ...round, images: [ids[0], ids[1]].sort() },
        ])
        assert.deepEqual(askable(images, rounds), [first, second, fourth])
        assert.deepEqual(askable(images, []), [first, second, third, fourth])
      }))

    it('keeps settings', () =>
      within(async ({ database }) => {
        const usual = { mode: 'good-bad', overlapShare: 0.2, goldShare: 0.05, byUncertainty: false, seed: 0 }
        assert.deepEqual(await readSettings(database), usual)
        await changeSettings(database, { mode: 'pair', overlapShare: 0.5 })
        await changeSettings(database, { overlapShare: 1 })
        await changeSettings(database, {})
        assert.deepEqual(await readSettings(database), { ...usual, mode: 'pair', overlapShare: 1 })
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
