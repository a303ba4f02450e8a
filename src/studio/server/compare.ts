/** Comparing policies: the same prompts and noise for each, side by side, and blind votes. */
import { z } from 'zod'
import { countedVotes } from '../../feedback/counted-votes.ts'
import { addOpening, openedBy } from '../../feedback/raters/opened-comparisons.ts'
import { random } from '../../random.ts'
import type { ImageRecord } from '../../records.ts'
import { isPolicyStage } from '../../stages.ts'
import { studioStreams } from '../../streams.ts'
import { orderOf, promptsFrom } from '../jobs/orders.ts'
import { isOpen } from '../jobs/queue-order.ts'
import { filledIn, formOf } from '../jobs/stage-forms.ts'
import { RunName } from '../schemas/basics.ts'
import {
  ComparisonDetail,
  Comparisons,
  ComparisonSummary,
  NewComparison,
  NewVotes,
  OwnVotes,
  OwnVotesQuery,
  Votes,
  VoteTasks,
  VoteTasksQuery,
  type VoteTask,
} from '../schemas/comparing.ts'
import { Added } from '../schemas/labelling.ts'
import type { Studio } from '../studio.ts'
import { comparisonPrefix } from '../runs.ts'
import { freeRunName } from '../workspace.ts'
import { worldOf } from '../worlds.ts'
import { comparisonNames, readComparisons, writeComparison, type ComparisonFile } from './comparison-files.ts'
import { drawnImages, isDrawn } from './drawn-duels.ts'
import { notFound, refuse } from './failures.ts'
import { firstComparisonSeed, formContext, usedSeeds } from './form-context.ts'
import { addOwn } from './own-judgments.ts'
import { jsonRoute } from './route.ts'
import { ownVotes, shownDuel } from './shown-duels.ts'
import { duelOf, duelsOf, standingDuels, standingOf, winRates } from './votes.ts'

/** Images from elsewhere may have any seed; ours count on below this one. */
const lastSeed = 1e9

const summaryOf = (
  studio: Studio,
  { id, policies, at, prompts, repeatedPrompts = 0, perPrompt, jobs, runs }: ComparisonFile,
  opened: ReadonlyMap<string, string>,
): ComparisonSummary => ({
  id,
  policies,
  at,
  prompts: prompts.length,
  repeatedPrompts,
  perPrompt,
  jobs,
  ready: runs.every((run) => isDrawn(studio, run)),
  opened: opened.has(id),
})

/** @throws {StudioError} there is none */
export function findComparison({ workspace }: Pick<Studio, 'workspace'>, id: string): ComparisonFile {
  const comparison = readComparisons(workspace).find((one) => one.id === id)
  if (comparison === undefined) throw notFound('comparison')
  return comparison
}

/** Of policies that are there, or that are being made: what they draw follows them then. */
export async function beginComparison(studio: Studio, given: z.input<typeof NewComparison>): Promise<ComparisonFile> {
  const body = NewComparison.parse(given)
  const { workspace, queue, runs, model } = studio
  const coming = queue
    .all()
    .filter(({ state, stage }) => (state === 'held' || isOpen({ state })) && isPolicyStage(stage))
  const isComing = (name: string) => coming.some(({ run }) => run === name)
  for (const policy of body.policies) {
    if (policy !== 'pretrained' && !isComing(policy)) runs.get('policy', policy)
  }
  if (new Set(body.policies).size < body.policies.length) {
    throw refuse(400, 'config', {
      where: 'policies',
      expected: 'different policies',
      received: 'one of them twice',
      remedy: 'choose others',
    })
  }
  const world = worldOf(model)
  const earlier = comparisonNames(workspace)
  const number = earlier.length + 1
  const prompts =
    body.prompts !== undefined
      ? promptsFrom(body.prompts, world)
      : world !== undefined
        ? random(...studioStreams.comparison(number))
            .shuffle(world.unseen())
            .slice(0, body.promptCount)
        : []
  if (prompts.length === 0) {
    throw refuse(400, 'config', {
      where: 'prompts',
      expected: 'at least one prompt',
      received: 'none',
      remedy: 'write some: only the embedded model brings prompts of its own',
    })
  }
  const id = freeRunName(workspace, comparisonPrefix.slice(0, -1), new Set(earlier))
  const taken = (await usedSeeds(studio)).filter((one) => one < lastSeed)
  const seed = 1 + taken.reduce((most, one) => Math.max(most, one), firstComparisonSeed)
  const texts = prompts.map(({ text }) => text)
  const printed = (await studio.stages())['images generate']
  const context = await formContext(studio)
  const open = [...context.open.filter(({ run }) => !isComing(run)), ...coming]
  const form = formOf('images generate', printed, { ...context, open })
  const jobs: string[] = []
  for (const [place, policy] of body.policies.entries()) {
    const settings = filledIn(form, printed, {
      policy: policy === 'pretrained' ? null : policy,
      prompts: texts,
      perPrompt: body.perPrompt,
      seed,
    })
    const order = await orderOf(
      'images generate',
      `${id}-${place + 1}`,
      settings,
      { ...studio, images: [] },
      'comparison',
    )
    jobs.push(queue.add(order).id)
  }
  const comparison: ComparisonFile = {
    id,
    at: new Date().toISOString(),
    prompts: texts,
    repeatedPrompts: body.prompts === undefined ? 0 : body.prompts.length - texts.length,
    perPrompt: body.perPrompt,
    seed,
    policies: [...body.policies],
    runs: body.policies.map((_, place) => `${id}-${place + 1}`),
    jobs,
  }
  writeComparison(workspace, comparison)
  return comparison
}

const ById = z.object({ id: RunName })

export const compareRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/compare',
    summary: 'All comparisons, the newest first.',
    who: 'rater',
    answer: Comparisons,
    handle: async ({ studio, user, rater }) => {
      const opened = await openedBy(studio.store.database, rater)
      return {
        comparisons: readComparisons(studio.workspace)
          .map((one) => summaryOf(studio, one, opened))
          .map((one) =>
            user.role === 'admin' ? one : { ...one, policies: one.policies.map((_, i) => `policy ${i + 1}`) },
          )
          .reverse(),
      }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/compare',
    summary: 'Let several policies draw the same prompts with the same noise.',
    who: 'admin',
    body: NewComparison,
    bodyLimit: 1_000_000,
    answer: ComparisonSummary,
    handle: async ({ studio, body }) =>
      summaryOf(studio, await studio.queue.inTurn(() => beginComparison(studio, body)), new Map()),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/compare/:id',
    summary: 'A comparison side by side; without its images until whoever asks has opened it.',
    who: 'admin',
    params: ById,
    answer: ComparisonDetail,
    handle: async ({ studio, rater, params }) => {
      const comparison = findComparison(studio, params.id)
      return await detailOf(studio, comparison, await openedBy(studio.store.database, rater))
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/compare/:id/open',
    summary: 'See which policy drew what, which ends the own votes on this comparison.',
    who: 'admin',
    params: ById,
    answer: ComparisonDetail,
    handle: async ({ studio, rater, params }) => {
      const comparison = findComparison(studio, params.id)
      const { database } = studio.store
      if (!comparison.runs.every((run) => isDrawn(studio, run))) {
        throw refuse(409, 'wrong-state', {
          where: 'comparison',
          expected: 'one of which all images are drawn',
          received: 'one that is being drawn',
          remedy: 'wait until it is',
        })
      }
      await addOpening(database, { comparison: comparison.id, rater, at: new Date().toISOString() })
      return await detailOf(studio, comparison, await openedBy(database, rater))
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/compare/:id/tasks',
    summary: 'Blind votes that this rater has not cast yet.',
    who: 'rater',
    params: ById,
    query: VoteTasksQuery,
    answer: VoteTasks,
    handle: async ({ studio, rater, params, query: { form, question, count, without } }) => {
      const comparison = findComparison(studio, params.id)
      const duels = duelsOf(comparison, drawnImages(studio, comparison), {
        form,
        question,
        rater,
        secret: studio.secret,
      })
      const [done, counted, openedAt] = await Promise.all([
        standingDuels(studio.store, rater),
        countedVotes(studio.store),
        openedBy(studio.store.database, rater),
      ])
      const opened = openedAt.has(comparison.id)
      const held = new Set(without.split(','))
      const undone = duels.filter((duel) => !done.has(duel.key))
      // Who knows which policy drew what is not asked any more.
      const left = opened ? [] : undone
      const tasks: VoteTask[] = []
      let gone = 0
      for (const duel of left) {
        if (tasks.length === count) break
        if (held.has(duel.id)) continue
        const task = await shownDuel(studio, duel)
        if (task === undefined) gone++
        else tasks.push(task)
      }
      return {
        tasks,
        progress: { done: duels.length - undone.length, total: duels.length - gone },
        opened,
        standing: standingOf(comparison, winRates(counted), { form, question }),
      }
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/compare/:id/votes',
    summary: 'The last votes of this rater that stand and can be taken back.',
    who: 'rater',
    params: ById,
    query: OwnVotesQuery,
    answer: OwnVotes,
    handle: async ({ studio, rater, params, query: { count } }) => {
      const comparison = findComparison(studio, params.id)
      return { answers: await ownVotes(studio, comparison, drawnImages(studio, comparison), { rater, count }) }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/votes',
    summary: 'Blind votes. When this is answered they are on the disk; a repetition counts once.',
    who: 'rater',
    body: NewVotes,
    bodyLimit: 300_000,
    answersIn: ({ votes }) => votes.length,
    answer: Added,
    handle: async ({ studio, rater, body }) => {
      const opened = await openedBy(studio.store.database, rater)
      return await addOwn(
        studio,
        rater,
        body.votes.map(({ task, ...vote }) => {
          const comparison = findComparison(studio, task.split('.')[0])
          expectBlind(vote, opened.get(comparison.id))
          const duel = duelOf(task, comparison, drawnImages(studio, comparison), { rater, secret: studio.secret })
          if (duel === undefined) throw notFound('vote task')
          return {
            ...vote,
            kind: 'vote',
            rater,
            raterKind: 'person',
            images: [...duel.first, ...duel.second],
            policies: duel.policies,
            question: duel.question,
          }
        }),
      )
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/votes',
    summary: 'Who won how often.',
    who: 'admin',
    answer: Votes,
    handle: async ({ studio }) => ({ winRates: winRates(await countedVotes(studio.store)) }),
  }),
]

async function detailOf(
  studio: Studio,
  comparison: ComparisonFile,
  openedAt: ReadonlyMap<string, string>,
): Promise<ComparisonDetail> {
  const summary = summaryOf(studio, comparison, openedAt)
  const drawn = summary.opened ? drawnImages(studio, comparison) : comparison.runs.map(() => new Map<number, never>())
  const places = comparison.prompts.flatMap((prompt, p) =>
    Array.from({ length: comparison.perPrompt }, (_, k) => ({ prompt, index: p * comparison.perPrompt + k })),
  )
  const rows = places.map(async ({ prompt, index }) => ({
    prompt,
    index,
    images: await Promise.all(drawn.map((images) => refOf(studio, images.get(index)))),
  }))
  return { ...summary, rows: await Promise.all(rows) }
}

/** What was voted before still counts when it comes late, and can be taken back. @throws {StudioError} */
function expectBlind({ at, undoes }: Pick<NewVotes['votes'][number], 'at' | 'undoes'>, openedAt: string | undefined) {
  if (openedAt === undefined || undoes !== undefined || new Date(at) <= new Date(openedAt)) return
  throw refuse(409, 'opened', {
    where: 'vote',
    expected: 'one of somebody who does not know which policy drew what',
    received: 'one after the comparison was opened',
    remedy: 'vote on another comparison',
  })
}

async function refOf({ images }: Studio, record: ImageRecord | undefined) {
  return record === undefined ? null : ((await images.refIfThere(record.id)) ?? null)
}
