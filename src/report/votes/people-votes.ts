/** People's blind votes between the policies of a report: win rates of pairs, and strengths of all. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { countedVotes, type Vote } from '../../feedback/counted-votes.ts'
import { isDatabaseUrl } from '../../feedback/store/database.ts'
import { openExistingFeedback } from '../../feedback/store/feedback-file.ts'
import type { ComparedPolicy } from '../compared-policies.ts'
import type { Interval } from '../interval.ts'
import type { PolicyName } from '../policy-name.ts'
import type { Report } from '../schema.ts'
import { bradleyTerry, type PairCounts, type Strengths } from './bradley-terry.ts'
import { duelKey, turned, winnerOf, winRates, type WinRate } from './win-rates.ts'

/** Votes on all questions, by the names of the report. */
export interface PeopleVotes {
  /** `first` stands after `second` in the report. */
  readonly pairs: readonly WinRate[]
  readonly raters: number
  /** Of each question that was voted on; null where the base has no finite strength beside another policy. */
  readonly strengths: ReadonlyMap<Vote['question'], Strengths | null>
}

/** What votes call the pre-trained model. */
const votedBase = 'pretrained'

/**
 * Votes name runs, so a policy is known by the name of its folder; one of two policies whose folders have the same name is
 * not known. Votes of raters that were excluded, those that were left out, and those of programs do not count.
 *
 * @param stores those that are there are read; of a vote that several have, one counts
 * @returns undefined where nobody has voted between policies of the report
 */
export async function readVotes(
  stores: readonly string[],
  policies: readonly ComparedPolicy[],
): Promise<PeopleVotes | undefined> {
  const names = namesInVotes(policies)
  const found = new Map<string, Vote>()
  for (const file of new Set(stores.map((one) => (isDatabaseUrl(one) ? one : resolve(one))))) {
    if (!isDatabaseUrl(file) && !existsSync(file)) continue
    await using store = await openExistingFeedback(file)
    for (const judgment of await countedVotes(store)) {
      const [first, second] = judgment.policies.map((name) => names.get(name))
      if (judgment.answer === 'skip' || first === undefined || second === undefined || first === second) continue
      found.set(judgment.id, { ...judgment, policies: [first, second] })
    }
  }
  const votes = [...found.values()]
  if (votes.length === 0) return undefined
  const order = ['base', ...policies.map(({ name }) => name)]
  return {
    pairs: winRates(votes)
      .map((pair) => (order.indexOf(pair.first) > order.indexOf(pair.second) ? pair : turned(pair)))
      .sort((a, b) => a.question.localeCompare(b.question) || b.duels - a.duels),
    raters: new Set(votes.map(({ rater }) => rater)).size,
    strengths: new Map(
      [...Map.groupBy(votes, ({ question }) => question)].map(([question, own]) => [
        question,
        bradleyTerry(countsOf(own), 'base') ?? null,
      ]),
    ),
  }
}

/** The strength of a policy by each question that was voted on, null where it has none. */
export function strengthsOf(
  votes: PeopleVotes | undefined,
  name: PolicyName,
): Readonly<Partial<Record<Vote['question'], Interval | null>>> {
  if (votes === undefined) return {}
  const isVotedOn = (question: Vote['question']) =>
    votes.pairs.some((pair) => pair.question === question && (pair.first === name || pair.second === name))
  return Object.fromEntries(
    [...votes.strengths].flatMap(([question, strengths]) =>
      isVotedOn(question) ? [[question, strengths?.ofEach.get(name) ?? null] as const] : [],
    ),
  )
}

/** As report.json has them. */
export const votesReport = ({
  raters,
  pairs,
  strengths,
}: PeopleVotes): NonNullable<NonNullable<Report['details']>['votes']> => ({
  raters,
  pairs: pairs.map(({ first, second, decided: _, verdict, ...pair }) => ({
    policy: first,
    against: second,
    ...pair,
    verdict: {
      ...verdict,
      better: verdict.better && ({ first: 'policy', second: 'against' } as const)[verdict.better],
    },
  })),
  nu: [...strengths].flatMap(([question, found]) => (found === null ? [] : [{ question, nu: found.nu }])),
})

function namesInVotes(policies: readonly ComparedPolicy[]): Map<string, PolicyName> {
  const folders = policies.map(({ run }) => basename(resolve(run.folder)))
  const known = policies.flatMap(({ name }, i): [string, PolicyName][] =>
    folders.indexOf(folders[i]) === folders.lastIndexOf(folders[i]) ? [[folders[i], name]] : [],
  )
  return new Map([...known, [votedBase, 'base']])
}

/** Each duel counts once, however many have voted on it. */
function countsOf(votes: readonly Vote[]): PairCounts[] {
  const counts = new Map<string, { first: string; second: string; wins: number; losses: number; ties: number }>()
  for (const duel of Map.groupBy(votes, duelKey).values()) {
    const [first, second] = [...duel[0].policies].sort()
    const key = JSON.stringify([first, second])
    const pair = counts.get(key) ?? { first, second, wins: 0, losses: 0, ties: 0 }
    counts.set(key, pair)
    for (const vote of duel) {
      const winner = winnerOf(vote)
      pair[winner === first ? 'wins' : winner === second ? 'losses' : 'ties'] += 1 / duel.length
    }
  }
  return [...counts.values()]
}
