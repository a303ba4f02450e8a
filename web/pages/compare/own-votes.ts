/** What the server tells of a person's last votes, as the page remembers its own. */
import type { OwnVotes } from '../../../src/studio/schemas/comparing.ts'
import { client } from '../../api.ts'
import type { Past } from '../../past.ts'
import { bringUpToDate, type ToldPlace } from '../../told-past.ts'

const count = 20

export type Form = OwnVotes['answers'][number]['form']
export type Question = OwnVotes['answers'][number]['task']['question']

export const placeOf = (form: Form, question: Question) => `${form} ${question}`
const places = (['single', 'set'] as const).flatMap((form) =>
  (['alignment', 'fidelity'] as const).map((question) => placeOf(form, question)),
)

/** Brings the way back of a comparison up to date with the votes that stand on the server. */
export const withServersVotes = (past: Past, comparison: string): Promise<void> =>
  bringUpToDate(past, async () => toldPlaces((await client.ownVotes(comparison, { count })).answers))

/** @param answers newest first, of all forms and questions */
export function toldPlaces(answers: OwnVotes['answers']): ToldPlace[] {
  const isWhole = answers.length < count
  return places.map((place) => ({
    place,
    isWhole,
    told: answers
      .filter(({ form, task: { question } }) => placeOf(form, question) === place)
      .map(({ vote, task }) => ({
        answer: vote,
        remembered: () => ({ place, task, state: null, answer: vote, counts: 1, group: vote.id, isOld: true }),
      })),
  }))
}
