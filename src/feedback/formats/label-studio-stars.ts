/** Judgments of the stars that people gave to images in Label Studio. */
import type { Judgment } from '../../records.ts'
import type { ForeignJudgment } from './foreign.ts'
import { refusal, type Stars } from './label-studio-answers.ts'
import { usualStars, type LabelConfig } from './label-studio-config.ts'

export interface StarsGiven extends Stars, Pick<Judgment, 'rater' | 'raterKind' | 'at'> {
  readonly where: string
  readonly prompt: string
  readonly annotation: string | number | null | undefined
}

const asked = ['overall', 'alignment', 'fidelity'] as const
/** Steps of a rating, and images of a ranking. */
const most = { steps: 7, images: 16 }

/**
 * Three questions called overall, alignment and fidelity are a rating of the image, spread over its seven steps. Any other
 * question ranks the images of a prompt for the rater who answered it: more stars are better, equal ones are ties.
 *
 * @returns `leftOut`: stars with which nothing can be compared
 * @throws {FormatError} names a task: a rating of more than seven stars
 */
export function judgmentsOfStars(
  given: readonly StarsGiven[],
  config: LabelConfig,
): { judgments: ForeignJudgment[]; leftOut: string[] } {
  const judgments: ForeignJudgment[] = []
  const leftOut: string[] = []
  const others: StarsGiven[] = []
  const highest = new Map<string, number>()
  for (const { question, stars } of given) highest.set(question, Math.max(stars, highest.get(question) ?? 0))
  const starsOf = (question: string) =>
    config.starsOf(question) ?? ((highest.get(question) ?? 0) > usualStars ? most.steps : usualStars)
  for (const of of Map.groupBy(given, ({ where, annotation, rater, image }) =>
    key(where, annotation, rater, image),
  ).values()) {
    const found = asked.map((dimension) => of.find(({ question }) => wordsOf(question).includes(dimension)))
    if (found.some((one) => one === undefined)) {
      others.push(...of)
      continue
    }
    const [overall, alignment, fidelity] = found.map((one) => stepOf(one!, starsOf(one!.question)))
    judgments.push(judgmentOf([of[0]], { kind: 'rating', answer: 'rated', ratings: { overall, alignment, fidelity } }))
    others.push(...of.filter((one) => !found.includes(one)))
  }
  for (const of of Map.groupBy(others, ({ rater, prompt, question }) => key(rater, prompt, question)).values()) {
    // Of an image that was rated twice, the later stars.
    const latest = [...new Map(of.map((one) => [one.image, one])).values()]
    if (latest.length === 1) {
      const [{ where, question }] = latest
      const name = question || 'rating'
      leftOut.push(`${where} ${name}: no other image of its prompt has stars of ${latest[0].rater} to compare with`)
      continue
    }
    const parts = Math.ceil(latest.length / most.images)
    for (let part = 0; part < parts; part++) {
      const from = Math.floor((part * latest.length) / parts)
      const together = latest.slice(from, Math.floor(((part + 1) * latest.length) / parts))
      const levels = [...new Set(together.map(({ stars }) => stars))].sort((a, b) => b - a)
      const ranks = together.map(({ stars }) => 1 + levels.indexOf(stars))
      const [first, second] = ranks
      judgments.push(
        judgmentOf(
          together,
          together.length === 2
            ? { kind: 'pair', answer: first === second ? 'tie' : first < second ? 'first' : 'second' }
            : { kind: 'ranking', answer: 'ranked', ranks },
        ),
      )
    }
  }
  return { judgments, leftOut }
}

const key = (...parts: readonly unknown[]) => JSON.stringify(parts)
const wordsOf = (name: string) => name.toLowerCase().split(/[^a-z]+/)

function judgmentOf(of: readonly StarsGiven[], answer: object): ForeignJudgment {
  const [{ where, rater, raterKind, question }] = of
  const at = of
    .map((one) => one.at)
    .sort()
    .at(-1)!
  const shared = { id: '', images: of.map(({ image }) => image), rater, raterKind, at }
  const source = ['label-studio stars', question, of.map(({ annotation }) => annotation ?? null)]
  return { where, source, judgment: { ...shared, ...answer } as Judgment }
}

/** One of seven steps, from one of so many stars; what lies between two steps goes away from the middle. */
function stepOf({ stars, question, where }: StarsGiven, all: number): number {
  if (all > most.steps || stars > all || stars < 1 || !Number.isInteger(stars)) {
    throw refusal(`${where} ${question}`, `1 to ${Math.min(all, most.steps)} whole stars`, `${stars} of ${all}`)
  }
  const middle = (all + 1) / 2
  const spread = ((stars - middle) * (most.steps - 1)) / Math.max(1, all - 1)
  return 4 + Math.sign(spread) * Math.round(Math.abs(spread))
}
