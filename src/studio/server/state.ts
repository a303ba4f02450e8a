/** Where the studio stands, in one answer, and what would be sensible next. */
import { toldAlarms } from '../../policy/alarms/alarm-record.ts'
import { version } from '../../../scripts/setup/places.mjs'
import { algorithmOf, isPolicyStage } from '../../stages.ts'
import { action, baseOf, nextStep } from '../next-step.ts'
import type { PolicySummary, Round } from '../schemas/runs.ts'
import { Counts, State, type PairsToTrain } from '../schemas/state.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { runNameOf, withoutPlaces } from '../workspace.ts'
import { whatWorks } from '../workspace-files.ts'
import { brokenComparisons } from './comparison-files.ts'
import { isMadeOfAdapters } from './policies.ts'
import { reportSummary } from './reports.ts'
import { rewardSummary } from './rewards.ts'
import { roundsOf } from './rounds.ts'
import { jsonRoute } from './route.ts'
import { situationOf } from './situation.ts'

/** Jobs that have ended are told as well, the last of them. */
const endedJobs = 5

export const stateRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/state',
    summary: 'Who is asking, what is here, what runs, and what would be next.',
    who: 'rater',
    ledFor: 'admins',
    answer: State,
    handle: async ({ studio, user, rater }) => {
      const { store, runs, queue, views, workspace } = studio
      const counts = Counts.parse(await store.counts())
      const all = queue.all()
      // A held one asks for a decision, however much ends after it.
      const isUndone = ({ state }: (typeof all)[number]) => ['waiting', 'held', 'running', 'stopping'].includes(state)
      const jobs = [
        ...all.filter(isUndone),
        ...all
          .filter((job) => !isUndone(job))
          .slice(-endedJobs)
          .reverse(),
      ]
      const isAdmin = user.role === 'admin'
      // What a rater sees tells nothing of the policies: judging is blind.
      const rounds = isAdmin ? await roundsOf(studio) : []
      const made = (kind: Parameters<typeof runs.ofKind>[0]) => (isAdmin ? runs.ofKind(kind) : [])
      const rewards = whatWorks(made('reward'), rewardSummary)
      const policies = whatWorks(made('policy'), policySummary)
      const reports = whatWorks(made('report'), (run) => reportSummary(studio, run))
      const pairs = isAdmin ? await studio.pairs.all() : null
      return {
        version,
        workspace: workspace.name,
        login: studio.login,
        user,
        counts,
        rounds,
        jobs: isAdmin ? jobs.map((job) => views.brief(job)) : [],
        rewards: rewards.made.reverse(),
        policies: policies.made.reverse(),
        reports: reports.made.reverse(),
        pairs,
        broken: isAdmin
          ? [
              ...runs.broken(),
              ...[rewards, policies, reports].flatMap(({ broken }) => broken),
              ...brokenComparisons(workspace),
              ...queue.broken,
            ].map(({ name, reason }) => ({ name, reason: withoutPlaces(workspace, reason) }))
          : [],
        ...(await nextFor(studio, { counts, rounds, pairs }, rater)),
      }
    },
  }),
]

function policySummary({ name, manifest, config }: StudioRun): PolicySummary {
  const start = config.policy
  const { reward } = manifest.parents
  return {
    name,
    algorithm: isPolicyStage(manifest.stage) ? algorithmOf(manifest.stage) : manifest.stage,
    at: manifest.finishedAt,
    seconds: manifest.seconds,
    adapters: isMadeOfAdapters({ manifest }),
    reward: reward === undefined ? null : runNameOf(reward),
    policy: typeof start === 'string' ? runNameOf(start) : null,
    results: Object.fromEntries(
      Object.entries(manifest.results).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    ),
    alarms: toldAlarms(manifest.results) ?? null,
  }
}

/** A rater is told nothing of policies. */
async function nextFor(
  studio: Studio,
  { counts, rounds, pairs }: { counts: Counts; rounds: readonly Round[]; pairs: PairsToTrain | null },
  rater: string,
): Promise<Pick<State, 'next' | 'base'>> {
  if (pairs === null) return { next: { ...action('label'), why: [], others: [] }, base: null }
  const situation = await situationOf(studio, { counts, rounds, pairs }, rater)
  return { next: nextStep(situation), base: baseOf(situation.policies) }
}
