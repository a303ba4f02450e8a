/** What a studio holds, as far as it decides what is next. */
import { countedVotes } from '../../feedback/counted-votes.ts'
import { openedBy } from '../../feedback/raters/opened-comparisons.ts'
import { ignoredAlarms } from '../../policy/alarms/alarm-record.ts'
import { turned, winRates, type WinRate } from '../../report/votes/win-rates.ts'
import { isPolicyStage, takesInput, usualPolicyStage } from '../../stages.ts'
import type { JobRecord } from '../jobs/job-record.ts'
import { secondsOf } from '../jobs/job-queue.ts'
import { isActive } from '../jobs/queue-order.ts'
import type { PolicyStanding, Situation, VoteOutcome } from '../next-step.ts'
import { comparisonPrefix } from '../runs.ts'
import type { Counts, PairsToTrain } from '../schemas/state.ts'
import type { Round } from '../schemas/runs.ts'
import type { Studio } from '../studio.ts'
import { runNameOf } from '../workspace.ts'
import { whatWorks } from '../workspace-files.ts'
import { duelsBetween, isDrawn } from './drawn-duels.ts'
import { readComparisons } from './comparison-files.ts'
import { rewardStanding } from './rewards.ts'

interface Feedback {
  readonly counts: Counts
  readonly rounds: readonly Round[]
  readonly pairs: PairsToTrain
}

/** @param rater who asks: what somebody has opened is not voted on by them any more */
export async function situationOf(
  studio: Studio,
  { counts, rounds, pairs }: Feedback,
  rater: string,
): Promise<Situation> {
  const { queue, runs, workspace, views } = studio
  const open = queue.open()
  const active = open.find(isActive) ?? open.at(0)
  const [labels, opened] = await Promise.all([studio.taught.count(), openedBy(studio.store.database, rater)])
  const reward = whatWorks(runs.ofKind('reward'), rewardStanding).made.at(-1)
  const policies = await policyStandings(studio)
  const [newest] = policies
  const compared = newest === undefined ? undefined : readComparisons(workspace).findLast(({ policies: of }) => of.includes(newest.name)) // prettier-ignore
  const isReported =
    newest !== undefined &&
    runs.ofKind('report').some(({ manifest }) => Object.values(manifest.parents).map(runNameOf).includes(newest.name))
  const images = rounds.reduce((sum, round) => sum + round.images, 0)
  return {
    active: active === undefined ? null : { job: active.id, run: active.run, alarm: views.alarmWhileAtWork(active) },
    broken: await brokenOf(studio),
    images,
    unlabelled: Math.max(0, images - rounds.reduce((sum, round) => sum + round.judged, counts.skip)),
    labels,
    canTeach: (counts.good > 0 && counts.bad > 0) || counts.pairs + counts.rankings + counts.ratings > 0,
    reward: reward === undefined ? null : { ...reward, unused: Math.max(0, labels - reward.learned) },
    policies,
    comparison:
      compared === undefined
        ? null
        : {
            id: compared.id,
            isDrawn: compared.runs.every((run) => isDrawn(studio, run)),
            isOpened: opened.has(compared.id),
          },
    isReported,
    round: (newest && rounds.findLast(({ policy }) => policy === newest.name)) ?? null,
    pairs,
  }
}

/**
 * The last job that failed or was stopped at work, where nobody has gone on without it: by another job, or, after one that
 * was stopped, by an answer.
 */
async function brokenOf({ queue, runs, store }: Studio): Promise<Situation['broken']> {
  const jobs = queue.all()
  const last = jobs.findLast(({ state }) => state !== 'held')
  // Of jobs that were queued together, such as those of a comparison, any may have failed.
  const job = jobs.findLast((one) => hasBroken(one) && (one === last || isBeside(one, last)))
  if (job === undefined || job.finishedAt === null) return null
  if (runs.all().some(({ name }) => name === job.run)) return null
  const { id, run, finishedAt, error } = job
  const state = job.state === 'failed' ? 'failed' : 'stopped'
  if (state === 'stopped' && (await store.judgments()).some(({ at }) => at > finishedAt)) return null
  return { job: id, run, state, error: state === 'failed' ? error : null, canResume: queue.canResume(job) }
}

const hasBroken = (job: JobRecord) => job.state === 'failed' || (job.state === 'stopped' && secondsOf(job) > 0)

const setOf = ({ run }: JobRecord) => (run.startsWith(comparisonPrefix) ? run.replace(/-\d+$/, '') : run)
const isBeside = (job: JobRecord, last: JobRecord | undefined) =>
  last !== undefined && (setOf(job) === setOf(last) || last.needs.includes(job.run))

/** The newest first. */
export async function policyStandings(studio: Studio): Promise<PolicyStanding[]> {
  const policies = studio.runs.ofKind('policy')
  const rates = policies.length === 0 ? [] : winRates(await countedVotes(studio.store))
  return policies
    .map(({ name, manifest, config }, place): PolicyStanding => {
      const { klWeight } = config
      const isUsual = manifest.stage === usualPolicyStage
      return {
        name,
        isFromPairs: isPolicyStage(manifest.stage) && takesInput(manifest.stage, 'pairs'),
        finishedAt: manifest.finishedAt,
        // A training that was stopped left the policy of a step before them.
        alarms: ignoredAlarms(manifest.results),
        klWeight: isUsual && typeof klWeight === 'number' && klWeight > 0 ? klWeight : null,
        vote: voteOf(studio, name, ['pretrained', ...policies.slice(0, place).map((one) => one.name)], rates),
      }
    })
    .reverse()
}

/** Against the pre-trained model and all policies before it: one loss is a loss. Whether images show their prompts counts first. */
function voteOf(
  studio: Studio,
  name: string,
  rivals: readonly string[],
  rates: readonly WinRate[],
): VoteOutcome | null {
  const own = rates
    .map((rate) => (rate.first === name ? rate : turned(rate)))
    .filter(({ first, second }) => first === name && rivals.includes(second))
  const aligned = own.filter(({ question }) => question === 'alignment')
  const outcomes = (aligned.length > 0 ? aligned : own)
    .toSorted((a, b) => b.duels - a.duels)
    .map((rate) => outcomeOf(studio, rate))
  const by = (verdict: VoteOutcome['verdict']) => outcomes.find((one) => one.verdict === verdict)
  return by('lost') ?? by('won') ?? outcomes[0] ?? null
}

/** Said of the first policy, by the test that holds at every look. */
function outcomeOf(studio: Studio, { first, second, form, duels, verdict }: WinRate): VoteOutcome {
  const { better, won, lost, tied, wanted } = verdict
  const isAllAsked = () => duels >= duelsBetween(studio, [first, second], form)
  return {
    rival: second,
    wins: won,
    losses: lost,
    ties: tied,
    verdict: better === 'first' ? 'won' : better === 'second' ? 'lost' : isAllAsked() ? 'even' : 'open',
    wanted: wanted?.about ?? null,
  }
}
