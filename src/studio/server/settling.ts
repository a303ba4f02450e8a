/** Labels about which raters differ, and one more rater who settles them. */
import { isDisputed, labelsOf, type Label } from '../../feedback/agreement/disagreed-labels.ts'
import { askThirdOpinions, isSettledBy, readThirdOpinions } from '../../feedback/queue/third-opinions.ts'
import { trainingJudgments } from '../../feedback/training-judgments.ts'
import { wordsOf } from '../../prompts/words.ts'
import type { Judgment } from '../../records.ts'
import { Disagreements, DisagreementsQuery, ThirdOpinions, ThirdOpinionsAsked } from '../schemas/raters.ts'
import type { Studio } from '../studio.ts'
import { jsonRoute } from './route.ts'

/** Those that are to be settled, the least agreement first, and how many have been. */
async function disputes({ store }: Pick<Studio, 'store'>) {
  const [judgments, opinions] = await Promise.all([trainingJudgments(store), readThirdOpinions(store.database)])
  const labels = labelsOf(judgments)
  const askedAt = new Map(opinions.map((opinion) => [opinion.question, opinion.askedAt]))
  const settled = new Set(opinions.flatMap((one) => (isSettledBy(one, labels.get(one.question)) ? [one.question] : [])))
  const open = [...labels.values()]
    .filter((label) => isDisputed(label) && !settled.has(label.question))
    .sort((a, b) => a.agreement! - b.agreement! || (a.question < b.question ? -1 : 1))
  return { open, askedAt, settled: settled.size }
}

export const settlingRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/disagreements',
    summary: 'Labels about which raters differ, and that nobody has settled yet.',
    who: 'admin',
    query: DisagreementsQuery,
    answer: Disagreements,
    handle: async ({ studio, query: { offset, count } }) => {
      const { open, askedAt, settled } = await disputes(studio)
      const shown = open.slice(offset, offset + count).map((label) => shownLabel(studio, label, askedAt))
      return {
        labels: (await Promise.all(shown)).filter((label) => label !== undefined),
        total: open.length,
        asked: open.filter(({ question }) => askedAt.has(question)).length,
        settled,
      }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/disagreements',
    summary: 'Ask one more rater about labels: who has not judged them is asked about them first.',
    who: 'admin',
    body: ThirdOpinionsAsked,
    bodyLimit: 200_000,
    answer: ThirdOpinions,
    handle: async ({ studio, rater, body: { questions } }) => {
      const { open, askedAt } = await disputes(studio)
      const wanted = new Set(questions)
      const labels = open.filter(({ question }) => wanted.has(question) && !askedAt.has(question))
      await askThirdOpinions(studio.store.database, labels, { by: rater, at: new Date().toISOString() })
      return { asked: labels.length }
    },
  }),
]

/** Undefined where a picture is gone. */
async function shownLabel(
  { images }: Pick<Studio, 'images'>,
  { question, kind, images: ids, judgments, agreement }: Label,
  askedAt: ReadonlyMap<string, string>,
): Promise<Disagreements['labels'][number] | undefined> {
  const refs = (await Promise.all(ids.map((id) => images.refIfThere(id)))).filter((ref) => ref !== undefined)
  if (refs.length < ids.length) return undefined
  const prompt = (await images.find(ids[0])).record.text
  const words = wordsOf(prompt).map(({ word }) => word)
  return {
    question,
    kind,
    prompt,
    images: refs,
    answers: judgments.map((judgment) => told(judgment, ids, words)),
    agreement: agreement!,
    askedAt: askedAt.get(question) ?? null,
  }
}

/** What a rater said, of the images in the order of the label. */
function told(
  judgment: Judgment,
  ids: readonly string[],
  words: readonly string[],
): Disagreements['labels'][number]['answers'][number] {
  const { rater, images, answer, reasons = [] } = judgment
  const { regions = [], misread = [] } = judgment.kind === 'vote' ? {} : judgment
  const isTurned = judgment.kind === 'pair' && images[0] !== ids[0]
  const turned: Readonly<Record<string, string>> = { first: 'second', second: 'first' }
  return {
    rater,
    answer:
      judgment.kind === 'rating' ? String(judgment.ratings?.overall) : isTurned ? (turned[answer] ?? answer) : answer,
    reasons: [...reasons],
    regions: regions.map((region) => ({ ...region, image: ids.indexOf(images[region.image]) })),
    misread: [...new Set(misread.map(({ word }) => words[word]))],
  }
}
