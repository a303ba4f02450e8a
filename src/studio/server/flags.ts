/** Answers that somebody should look at, and what becomes of them: asked again, left out of training, or kept. */
import { flagKinds, looksOf, type Flag } from '../../feedback/agreement/flags.ts'
import { AgainBook, askAgain, canAskAgain, readAskedAgain } from '../../feedback/queue/asked-again.ts'
import { readGold } from '../../feedback/queue/gold.ts'
import { decide, readDecisions, type Decisions } from '../../feedback/raters/decisions.ts'
import { questionOf } from '../../feedback/raters/standing.ts'
import type { Judgment } from '../../records.ts'
import type { AnsweredImages, FlaggedAnswer } from '../schemas/raters.ts'
import { Decided, Flags, FlagsAsked, FlagsDecision, FlagsQuery, ThirdOpinions } from '../schemas/raters.ts'
import type { Studio } from '../studio.ts'
import { notFound } from './failures.ts'
import { jsonRoute } from './route.ts'

export const flagRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/flags',
    summary: 'Answers given too fast, against a known answer, or at odds with another of the same rater.',
    who: 'admin',
    query: FlagsQuery,
    answer: Flags,
    handle: async ({ studio, query: { state, kind, rater, offset, count } }) => {
      const { store, flags } = studio
      const [rows, gold, decisions] = await Promise.all([
        store.allRows(),
        readGold(store.database),
        readDecisions(store.database),
      ])
      const open = flags.open(rows, gold, decisions)
      const ofRater = open.filter((flag) => rater === undefined || flag.rater === rater)
      const all = state === 'open' ? ofRater : decided(studio, rows, decisions, state, rater)
      const wanted = all.filter((one) => kind === undefined || one.kind === kind)
      const isAsked = await askedAgain(studio)
      const shown = wanted.slice(offset, offset + count).map(async (flag): Promise<Flags['flags'][number]> => {
        const { id, rater: name, judgments } = flag
        const looks = looksOf(flags.rowsOf(rows, name))
        const { images, prompt } = await imagesOf(studio, judgments)
        const answers = judgments.map((judgment) => toldAnswer(judgment, looks, decisions))
        return {
          id,
          kind: flag.kind,
          rater: name,
          prompt,
          images,
          answers,
          canAskAgain: judgments.some(canAskAgain),
          askedAt: judgments.reduce((at: string | null, one) => isAsked(one) ?? at, null),
        }
      })
      const counted = (each: readonly string[]) => [...Map.groupBy(each, (one) => one)].map(([name, { length }]) => ({ name, count: length })) // prettier-ignore
      return {
        flags: await Promise.all(shown),
        total: wanted.length,
        kinds: flagKinds.map((name) => ({ name, count: ofRater.filter((flag) => flag.kind === name).length })),
        raters: counted(open.map((flag) => flag.rater)),
        leftOut: decided(studio, rows, decisions, 'left-out', rater).length,
        kept: decided(studio, rows, decisions, 'kept', rater).length,
      }
    },
  }),
  jsonRoute({
    method: 'put',
    path: '/api/flags',
    summary: 'Leave answers out of training, keep them whatever speaks against them, or take such a decision back.',
    who: 'admin',
    body: FlagsDecision,
    bodyLimit: 100_000,
    answer: Decided,
    state: async ({ studio, body: { judgments } }) => {
      const decisions = await readDecisions(studio.store.database)
      return Object.fromEntries(judgments.map((id) => [id, decisions.get(id)?.decision ?? null]))
    },
    handle: async ({ studio, rater, body: { judgments, decision } }) => {
      await judgmentsOf(studio, judgments)
      await decide(studio.store.database, judgments, { decision, by: rater, at: new Date().toISOString() })
      return { decided: new Set(judgments).size }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/flags',
    summary: 'Ask the raters of these answers once more, before everything else.',
    who: 'admin',
    body: FlagsAsked,
    bodyLimit: 100_000,
    answer: ThirdOpinions,
    handle: async ({ studio, rater, body: { judgments } }) => {
      const { store } = studio
      const given = await judgmentsOf(studio, judgments)
      const keyOf = (one: Judgment) => `${one.rater}\0${questionOf(one)}`
      // What is doubted is the answer that stands now.
      const standing = new Map((await store.judgments()).map((one) => [keyOf(one), one]))
      const doubted = new Set(given.flatMap((one) => standing.get(keyOf(one)) ?? []).filter(canAskAgain))
      await askAgain(store.database, [...doubted], { by: rater, at: new Date().toISOString() })
      return { asked: doubted.size }
    },
  }),
]

/** @throws {StudioError} one of them is unknown */
async function judgmentsOf({ store, flags }: Studio, ids: readonly string[]): Promise<Judgment[]> {
  const rows = await store.allRows()
  return [...new Set(ids)].map((id) => {
    const judgment = flags.judgment(rows, id)
    if (judgment === undefined) throw notFound('judgment')
    return judgment
  })
}

/** When a rater was asked once more for the answer that stands. */
async function askedAgain({ store }: Studio): Promise<(judgment: Judgment) => string | undefined> {
  const asked = await readAskedAgain(store.database)
  const book = new AgainBook()
  book.follow(asked, await store.changes())
  const open = new Map(asked.filter((one) => book.isOpen(one)).map((one) => [one.judgment, one.askedAt]))
  return ({ id }) => open.get(id)
}

type Listed = Pick<Flag, 'id' | 'rater' | 'judgments'> & { readonly kind: Flag['kind'] | null }

/** What was decided on, one answer each, the last decision first. */
function decided(
  { flags }: Studio,
  rows: readonly Judgment[],
  decisions: Decisions,
  wanted: string,
  rater: string | undefined,
): Listed[] {
  return [...decisions].flatMap(([id, { decision }]) => {
    const judgment = decision === wanted ? flags.judgment(rows, id) : undefined
    if (judgment === undefined || (rater !== undefined && judgment.rater !== rater)) return []
    return [{ id, kind: null, rater: judgment.rater, judgments: [judgment] }]
  })
}

/** The images of judgments, each once, as far as they are there, and their prompt. */
export async function imagesOf(
  { images }: Pick<Studio, 'images'>,
  judgments: readonly Judgment[],
): Promise<AnsweredImages> {
  const ids = [...new Set(judgments.flatMap((one) => one.images))]
  const refs = (await Promise.all(ids.map((id) => images.refIfThere(id)))).filter((ref) => ref !== undefined)
  const known = refs.length === 0 ? undefined : await images.find(refs[0].id)
  return { images: refs, prompt: known?.record.text ?? '' }
}

export function toldAnswer(
  judgment: Judgment,
  looks: ReadonlyMap<string, number>,
  decisions: Decisions,
): FlaggedAnswer {
  const { id, kind, images, answer, at } = judgment
  const look = looks.get(id)
  return {
    id,
    kind,
    images: [...images],
    answer,
    overall: (kind === 'rating' ? judgment.ratings?.overall : undefined) ?? null,
    ranks: (kind === 'ranking' ? judgment.ranks : undefined) ?? null,
    at,
    seconds: look === undefined ? null : look / 1000,
    decision: decisions.get(id)?.decision ?? null,
  }
}
