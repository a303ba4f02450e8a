/** Where the studio stands, in one answer, and what would be sensible next. */
import { toldAlarms } from '../../policy/alarms/alarm-record.ts'
import { version } from '../../../scripts/setup/places.mjs'
import type { Judgment } from '../../records.ts'
import { algorithmOf, isPolicyStage, takesInput } from '../../stages.ts'
import { isActive } from '../jobs/queue-order.ts'
import type { PolicySummary, Round } from '../schemas/runs.ts'
import { Counts, State, type PairsToTrain } from '../schemas/state.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { runNameOf, withoutPlaces } from '../workspace.ts'
import { whatWorks } from '../workspace-files.ts'
import { brokenComparisons, readComparisons } from './comparison-files.ts'
import { isMadeOfAdapters } from './policies.ts'
import { reportSummary } from './reports.ts'
import { rewardLack, rewardSummary } from './rewards.ts'
import { roundsOf } from './rounds.ts'
import { jsonRoute } from './route.ts'

/** Jobs that have ended are told as well, the last of them. */
const endedJobs = 5
/** Fewer labels than this teach a reward little. */
const enoughLabels = 30

export const stateRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/state',
    summary: 'Who is asking, what is here, what runs, and what would be next.',
    who: 'rater',
    ledFor: 'admins',
    answer: State,
    handle: async ({ studio, user }) => {
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
        next:
          pairs !== null
            ? nextStep(studio, { counts, rounds, pairs, judgments: await store.judgments() })
            : { step: 'label' as const, sentence: 'Judge some images.' },
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

interface Feedback {
  readonly counts: Counts
  readonly rounds: readonly Round[]
  readonly pairs: PairsToTrain
  readonly judgments: readonly Judgment[]
}

function nextStep({ queue, runs, workspace }: Studio, feedback: Feedback): State['next'] {
  const { counts, rounds, pairs, judgments } = feedback
  const open = queue.open()
  const active = open.find(isActive) ?? open.at(0)
  const rewards = whatWorks(runs.ofKind('reward'), (run) => ({ ...run, lack: rewardLack(run) })).made
  const policies = runs.ofKind('policy')
  const [policy, reward] = [policies.at(-1), rewards.at(-1)]
  if (active !== undefined) return { step: 'wait', sentence: `${active.run} is being made.` }
  if (counts.images === 0) return { step: 'draw', sentence: 'Let the model draw its first images.' }
  const fresh =
    reward === undefined
      ? 0
      : judgments.filter(({ kind, at }) => kind !== 'vote' && at > reward.manifest.startedAt).length
  if (policy === undefined) {
    if (reward === undefined) return firstReward(counts)
    return reward.lack === null
      ? { step: 'train-policy', sentence: `Fine-tune the model on ${reward.name}.` }
      : weakReward(reward.lack, fresh)
  }
  const compared = readComparisons(workspace).some(({ policies: names }) => names.includes(policy.name))
  if (!compared) return { step: 'compare', sentence: `Compare ${policy.name} with the pre-trained model, blind.` }
  const isReported = runs
    .ofKind('report')
    .some(({ manifest }) => Object.values(manifest.parents).map(runNameOf).includes(policy.name))
  if (!isReported) return { step: 'report', sentence: `Measure ${policy.name} in a report.` }
  const round = rounds.findLast((one) => one.policy === policy.name)
  if (round === undefined) return { step: 'draw-again', sentence: `Collect again: let ${policy.name} draw new images.` }
  if (round.judged < Math.min(enoughLabels, round.images)) {
    return { step: 'label', sentence: `Judge the images of ${round.name}.` }
  }
  // Who has learned from pairs goes on with them, unless somebody has trained a reward since.
  const { manifest } = policy
  if (isPolicyStage(manifest.stage) && takesInput(manifest.stage, 'pairs')) {
    if (reward === undefined || reward.manifest.finishedAt < manifest.finishedAt) {
      return pairs.lack === null
        ? { step: 'train-pairs', sentence: `${round.name} is judged: train further from ${pairs.pairs} pairs.` }
        : { step: 'label', sentence: pairs.lack }
    }
  }
  if (reward === undefined) return firstReward(counts)
  if (reward.manifest.finishedAt < round.at) {
    return { step: 'train-reward', sentence: `${round.name} is judged: train the next reward.` }
  }
  return reward.lack !== null
    ? weakReward(reward.lack, fresh)
    : { step: 'train-policy', sentence: `Fine-tune further on ${reward.name}.` }
}

function firstReward(counts: Counts): State['next'] {
  const judged = counts.good + counts.bad + counts.pairs + counts.rankings
  const canTrain = (counts.good > 0 && counts.bad > 0) || counts.pairs + counts.rankings > 0
  if (canTrain && judged >= enoughLabels) {
    return { step: 'train-reward', sentence: `${judged} answers are there: train a reward from them.` }
  }
  const left = Math.max(1, enoughLabels - judged)
  return { step: 'label', sentence: `Judge ${left} more ${left === 1 ? 'image' : 'images'} to train a first reward.` }
}

/** More answers first; where enough are new, the next reward. */
const weakReward = (lack: string, fresh: number): State['next'] => ({
  step: fresh >= enoughLabels ? 'train-reward' : 'label',
  sentence: lack,
})
