/** What a feedback store keeps for the studio beside images and judgments, whatever database is below. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnknownRecordError } from '../../errors.ts'
import { addComment, readComments, removeComment } from '../comments.ts'
import { awkwardTexts, imageRecord } from '../feedback-fixtures.test-helper.ts'
import { changePassword, comeIn, comeInByPassword, withdraw } from '../raters/accounts.ts'
import { readGold, setGold } from '../queue/gold.ts'
import { addGuidelines, latestGuidelines, readExamples, readGuidelines } from '../guidelines.ts'
import { acceptInvitation, addInvitation, readInvitations, removeInvitation } from '../raters/invitations.ts'
import { findPassword } from '../raters/passwords.ts'
import { changeRole, excludeRater, readAdmins, readRaters, saveRater } from '../raters/raters.ts'
import { addRound, askable, readRounds } from '../queue/rounds.ts'
import { addSession, endSession, findSession } from '../raters/sessions.ts'
import { changeSettings, readSettings } from './settings.ts'
import { openFeedback } from './store.ts'
import { inFresh, type FreshPlace } from './fresh-place.test-helper.ts'

const images = Array.from({ length: 4 }, (_, index) => imageRecord(index))
const [first, second, third, fourth] = images
const ids = images.map(({ id }) => id)
const common = { rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const

/** @param skip why the suite cannot run here */
export function studioSuite(name: string, freshPlace: () => Promise<FreshPlace>, skip?: string): void {
  const within = inFresh(freshPlace)

  describe(name, { skip: skip ?? false }, () => {
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

    it('ends all sessions with a change of a password, and lets in by the newest one only', () =>
      within(async ({ database }) => {
        const [createdAt, expiresAt] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z']
        const now = new Date('2026-01-02T00:00:00.000Z')
        const fresh = (tokenHash: string) => ({ tokenHash, createdAt, expiresAt })
        const isIn = async (token: string) => (await findSession(database, token, now)) !== undefined
        await addInvitation(database, { id: 'i', name: 'ada', role: 'admin', createdAt, expiresAt, tokenHash: 'link' })
        await addInvitation(database, { id: 'j', name: 'bob', role: 'admin', createdAt, expiresAt, tokenHash: 'other' })
        await comeIn(database, 'link', fresh('a'))
        await comeIn(database, 'other', fresh('b'))
        assert.equal(await comeInByPassword(database, { name: 'ada', hash: 'first' }, fresh('c')), undefined)
        await changePassword(database, { name: 'ada', hash: 'first' }, fresh('d'))
        assert.deepEqual(await Promise.all(['a', 'b', 'd'].map(isIn)), [false, true, true])
        const user = await comeInByPassword(database, { name: 'ada', hash: 'first' }, fresh('e'))
        assert.deepEqual(user, { name: 'ada', role: 'admin' })
        await changePassword(database, { name: 'ada', hash: 'second' }, fresh('f'))
        assert.deepEqual(await Promise.all(['d', 'e', 'f'].map(isIn)), [false, false, true])
        assert.equal(await comeInByPassword(database, { name: 'ada', hash: 'first' }, fresh('g')), undefined)
        assert.equal(await withdraw(database, 'i'), 'withdrawn')
        assert.equal(await findPassword(database, 'ada'), undefined)
        assert.equal(await comeInByPassword(database, { name: 'ada', hash: 'second' }, fresh('h')), undefined)
      }))

    it('knows sessions until they expire', () =>
      within(async ({ database }) => {
        const session = {
          rater: 'ada',
          createdAt: '2026-01-01T00:00:00.000Z',
          expiresAt: '2026-02-01T00:00:00.000Z',
          begunBy: 'link',
        } as const
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
        const newer = {
          ...written,
          author: 'ada',
          reasons: [{ code: 'blurred', label: awkwardTexts[3] }],
          examples: [{ image: ids[0], answer: 'bad' as const, note: awkwardTexts[1] }],
        }
        assert.equal(await addGuidelines(database, newer), 2)
        assert.deepEqual(await latestGuidelines(database), { ...newer, version: 2 })
        assert.deepEqual(
          (await readGuidelines(database)).map(({ version, examples }) => [version, examples.length]),
          [
            [1, 0],
            [2, 1],
          ],
        )
        assert.deepEqual(await readExamples(database), new Set([ids[0]]))
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

    it('keeps comments, each once, and takes them back', () =>
      within(async ({ database, addImages }) => {
        await addImages(images, '.')
        const of = (id: string, rater: string, image: string, text = id) => ({ id, rater, image, text, at: common.at })
        const all = [of('a', 'ada', ids[0], awkwardTexts.join('\n')), of('a', 'ben', ids[0]), of('b', 'ada', ids[1])]
        for (const one of all) assert.equal(await addComment(database, one), true)
        assert.equal(await addComment(database, { ...all[0], text: 'another' }), false)
        await assert.rejects(addComment(database, of('c', 'ada', 'none')), UnknownRecordError)
        assert.deepEqual(await readComments(database), [all[0], all[2], all[1]])
        assert.deepEqual(await readComments(database, { image: ids[0], rater: 'ben' }), [all[1]])
        assert.equal(await removeComment(database, { rater: 'ben', id: 'b' }), false)
        assert.equal(await removeComment(database, { rater: 'ada', id: 'a' }), true)
        assert.equal(await removeComment(database, { rater: 'ada', id: 'a' }), false)
        assert.deepEqual(await readComments(database, { image: ids[0] }), [all[1]])
        assert.equal(await removeComment(database, { rater: 'ada', id: 'a' }, false), true)
        assert.deepEqual(await readComments(database, { image: ids[0] }), all.slice(0, 2))
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
  })
}
