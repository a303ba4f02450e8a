/** What the server tells of a person's last answers, beside what the browser remembers of them. */
import { taskModes, type NewJudgment, type OwnAnswers, type TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import { outbox } from '../../outbox.ts'
import type { Given, Past } from '../../past.ts'
import { slotsOf } from './agreement-of-ranks.ts'
import type { GoodBadState } from './good-bad.tsx'
import type { PairState } from './pairs.tsx'
import type { RatingState } from './ratings.tsx'

const count = 20

/**
 * Brings the way back up to date: with answers that were given elsewhere, and without those that were taken back there or
 * belong to another studio at this address. Where the server is away, it stays as it is.
 */
export async function withServersAnswers(past: Past): Promise<void> {
  await outbox.send()
  const [before, underWay, undone] = [past.all(), outbox.idsUnderWay(), outbox.undoneUnderWay()]
  const told = await Promise.all(
    taskModes.map(async (mode) => [mode, (await client.ownAnswers({ mode, count })).answers] as const),
  ).catch(() => undefined)
  if (told === undefined) return
  past.replace((now) => {
    const [idsBefore, idsNow] = [before, now].map((list) => new Set(list.map(({ answer }) => answer.id)))
    const since = now.filter(({ answer }) => !idsBefore.has(answer.id))
    const isSettled = (id: string) => idsBefore.has(id) === idsNow.has(id) && !undone.has(id)
    const known = told.flatMap(([mode, answers]) => {
      const local = before.filter(({ place, answer }) => place === mode && isSettled(answer.id))
      const standing = answers.filter(({ judgment }) => isSettled(judgment.id))
      return mergedPast(mode, local, standing, (id) => underWay.has(id), answers.length < count)
    })
    return [...known.sort((a, b) => (a.answer.at < b.answer.at ? -1 : a.answer.at > b.answer.at ? 1 : 0)), ...since]
  })
}

/**
 * @param local    what the browser remembers of a mode, oldest first
 * @param told     the last answers that stand, newest first
 * @param isWhole  there are no others
 */
export function mergedPast(
  mode: TaskMode,
  local: readonly Given[],
  told: OwnAnswers['answers'],
  isUnderWay: (id: string) => boolean,
  isWhole: boolean,
): Given[] {
  const byId = new Map(local.map((one) => [one.answer.id, one]))
  const ids = new Set(told.map(({ judgment }) => judgment.id))
  const oldest = told.at(-1)?.judgment.at ?? ''
  return [
    ...local.filter(({ answer }) => !isWhole && !ids.has(answer.id) && !isUnderWay(answer.id) && answer.at < oldest),
    ...told.toReversed().flatMap(({ judgment, task }, i, all) => {
      const known = byId.get(judgment.id)
      if (known !== undefined) return [known]
      const earlier = all.slice(0, i).map((one) => one.judgment)
      const screen = screenOf(judgment, task, earlier)
      const counts = judgment.kind === 'ranking' ? 0 : 1
      return screen === undefined
        ? []
        : [{ ...screen, place: mode, answer: judgment, counts, group: judgment.id, isOld: true }]
    }),
    ...local.filter(({ answer }) => !ids.has(answer.id) && isUnderWay(answer.id)),
  ]
}

type Told = OwnAnswers['answers'][number]

/** What was on the screen before an answer, as far as it can be known. */
function screenOf(judgment: NewJudgment, task: Told['task'], earlier: readonly NewJudgment[]) {
  switch (judgment.kind) {
    case 'good-bad-skip': {
      const answers = task.images.map(
        ({ id }) =>
          earlier.findLast((one) => one.kind === 'good-bad-skip' && one.images[0] === id && id !== judgment.images[0])
            ?.answer ?? null,
      ) as GoodBadState['answers']
      return { task, state: { answers, focused: task.images.findIndex(({ id }) => id === judgment.images[0]) } }
    }
    case 'pair':
      return { task, state: { sides: [0, 1], next: 2 } satisfies PairState }
    case 'rating': {
      // The others of its prompt are rated, or will be asked.
      const images = task.images.filter(({ id }) => id === judgment.images[0])
      return {
        task: { ...task, images },
        state: { done: [], draft: {}, row: 0, issues: [], chosen: 0 } satisfies RatingState,
      }
    }
    case 'ranking': {
      const overall = judgment.images.map((id) => {
        const rating = earlier.findLast((one) => one.kind === 'rating' && one.images[0] === id)
        return rating?.kind === 'rating' ? rating.ratings?.overall : undefined
      })
      if (!overall.every((one) => one !== undefined)) return undefined
      const done = overall.map((one) => ({ overall: one }))
      const state: RatingState = { done, draft: {}, row: 0, issues: [], slots: slotsOf(overall), chosen: 0 }
      return { task, state }
    }
  }
}
