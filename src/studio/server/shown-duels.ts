/** Duels with their pictures: what a rater votes on, and has voted on. */
import { StudioError } from '../../errors.ts'
import type { ImageRecord } from '../../records.ts'
import type { OwnVotes, VoteTask } from '../schemas/comparing.ts'
import type { Studio } from '../studio.ts'
import type { ComparisonFile } from './comparison-files.ts'
import { duelsOf, voteForms, type Duel } from './votes.ts'

/** Nothing in it tells which side is which; undefined where a picture is gone or torn. */
export async function shownDuel(
  { images }: Pick<Studio, 'images'>,
  { id, prompt, question, first, second }: Duel,
): Promise<VoteTask | undefined> {
  try {
    return { id, prompt, question, first: await images.wholeRefs(first), second: await images.wholeRefs(second) }
  } catch (error) {
    if (error instanceof StudioError) return undefined
    throw error
  }
}

/** The last votes of a rater on a comparison, newest first by their order of arrival. */
export async function ownVotes(
  studio: Pick<Studio, 'store' | 'images' | 'secret'>,
  comparison: ComparisonFile,
  drawn: readonly ReadonlyMap<number, ImageRecord>[],
  { rater, count }: { readonly rater: string; readonly count: number },
): Promise<OwnVotes['answers']> {
  const asked = new Map(
    voteForms.flatMap(([form, question]) =>
      duelsOf(comparison, drawn, { form, question, rater, secret: studio.secret }).map(
        (duel) => [shownAs([...duel.first, ...duel.second], question), { form, duel }] as const,
      ),
    ),
  )
  const answers: OwnVotes['answers'] = []
  for (const judgment of (await studio.store.judgments()).toReversed()) {
    if (judgment.kind !== 'vote' || judgment.rater !== rater) continue
    const found = asked.get(shownAs(judgment.images, judgment.question))
    const task = found && (await shownDuel(studio, found.duel))
    if (task === undefined) continue
    const { id, answer, at, durationMs } = judgment
    const vote = { id, task: task.id, answer, at, ...(durationMs !== undefined && { durationMs }) }
    answers.push({ vote, form: found!.form, task })
    if (answers.length === count) break
  }
  return answers
}

const shownAs = (images: readonly string[], question: string) => JSON.stringify([images, question])
