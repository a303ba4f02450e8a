/** What the server tells of a person's last judgments, as the pages remember their own. */
import { taskModes, type NewJudgment, type OwnAnswers, type TaskMode } from '../../../src/studio/schemas/labelling.ts'
import { client } from '../../api.ts'
import type { Past } from '../../past.ts'
import { bringUpToDate, type ToldAnswer } from '../../told-past.ts'
import { slotsOf } from './agreement-of-ranks.ts'
import type { GoodBadState } from './good-bad.tsx'
import type { PairState } from './pairs.tsx'
import type { RatingState } from './ratings.tsx'

const count = 20

/** Brings the way back of the labelling pages up to date with what stands on the server. */
export const withServersAnswers = (past: Past): Promise<void> =>
  bringUpToDate(past, () =>
    Promise.all(
      taskModes.map(async (mode) => {
        const { answers } = await client.ownAnswers({ mode, count })
        return { place: mode, told: toldIn(mode, answers), isWhole: answers.length < count }
      }),
    ),
  )

/** Newest first, as they are given. */
export const toldIn = (mode: TaskMode, answers: OwnAnswers['answers']): ToldAnswer[] =>
  answers.map(({ judgment, task }) => ({
    answer: judgment,
    remembered: (earlier) => {
      const screen = screenOf(judgment, task, earlier as readonly NewJudgment[])
      const counts = judgment.kind === 'ranking' ? 0 : 1
      return screen && { ...screen, place: mode, answer: judgment, counts, group: judgment.id, isOld: true }
    },
  }))

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
