/**
 * What is sensible next, from what is there: one step for the main button, why, and what could be done in its place. Every
 * step to a policy, and further from one, stands on evidence: a reward's interval, a blind vote. Pure: a table of situations
 * in `next-step.test.ts` says what it decides.
 */
import type { Alarm } from '../policy/alarms/alarm-record.ts'
import type { Next, NextAction, Reason } from './schemas/next.ts'
import type { RewardLack } from './schemas/runs.ts'

/** A blind vote on a policy as far as it is counted. */
export interface VoteOutcome {
  readonly rival: string
  readonly wins: number
  readonly losses: number
  readonly ties: number
  /** `open`: too few votes to tell as yet; `even`: they would have told, and there is no clear difference. */
  readonly verdict: 'won' | 'lost' | 'even' | 'open'
  /** About how many more votes would tell; null of very many, or of none. */
  readonly wanted: number | null
}

export interface PolicyStanding {
  readonly name: string
  /** It learned from pairs, without a reward. */
  readonly isFromPairs: boolean
  readonly finishedAt: string
  /** Signs of over-optimisation that it was trained on in spite of; null where there were none. */
  readonly alarms: Alarm[] | null
  /** Of the usual method, where it has one above 0: a heavier one keeps the next policy nearer to its start. */
  readonly klWeight: number | null
  /** Null before the first vote. */
  readonly vote: VoteOutcome | null
}

export interface Situation {
  /** A job that is at work or waits: its run, and the alarm that its training has raised. */
  readonly active: { readonly job: string; readonly run: string; readonly alarm: string | null } | null
  /** The last job that failed or was stopped, where nothing has come of it since. */
  readonly broken: {
    readonly job: string
    readonly run: string
    readonly state: 'failed' | 'stopped'
    readonly error: string | null
    readonly canResume: boolean
  } | null
  /** That people are asked about, and about how many of them nobody has judged or skipped. */
  readonly images: number
  readonly unlabelled: number
  /** Answers that may train. */
  readonly labels: number
  /** There are good and bad ones, or comparisons. */
  readonly canTeach: boolean
  readonly reward: {
    readonly name: string
    readonly finishedAt: string
    /** Of the answers that may train, those that it has not learned from. */
    readonly unused: number
    readonly learned: number
    /** Why no policy should follow it; null where it is proven. */
    readonly lack: RewardLack | null
  } | null
  /** The newest first. */
  readonly policies: readonly PolicyStanding[]
  /** Of the newest policy; whoever asks may have opened it, and votes on it no more. */
  readonly comparison: { readonly id: string; readonly isDrawn: boolean; readonly isOpened: boolean } | null
  readonly isReported: boolean
  /** The round that the newest policy has drawn. */
  readonly round: {
    readonly name: string
    readonly images: number
    readonly judged: number
    readonly at: string
  } | null
  /** That people decided, and those that are missing for a training. */
  readonly pairs: { readonly pairs: number; readonly missing: number }
}

/** Fewer labels than this teach a reward little. */
const enoughLabels = 30

/**
 * The policy to go on from: the newest that neither lost a blind vote nor shows over-optimisation without having won one;
 * null is the pre-trained model.
 */
export function baseOf(policies: readonly PolicyStanding[]): string | null {
  const isFit = ({ vote, alarms }: PolicyStanding) =>
    vote?.verdict === 'won' || (vote?.verdict !== 'lost' && alarms === null)
  return policies.find(isFit)?.name ?? null
}

export function nextStep(at: Situation): Next {
  const { active, broken, images } = at
  const base = baseOf(at.policies)
  if (active !== null) {
    const { job, run, alarm } = active
    return alarm === null
      ? { ...action('wait'), why: [{ kind: 'being-made', run }], others: [] }
      : { ...action('wait', { job }), why: [{ kind: 'alarm', run, alarm }], others: [action('look', { job })] }
  }
  const usual: Next =
    images === 0 ? { ...action('draw'), why: [{ kind: 'first-images' }], others: [] } : usualStep(at, base)
  return broken === null ? usual : afterBroken(broken, usual)
}

/** What went wrong comes first; what would be next without it stays one click away. */
function afterBroken({ job, run, state, error, canResume }: NonNullable<Situation['broken']>, usual: Next): Next {
  const { why: _why, others, ...step } = usual
  const resume = canResume ? [action('resume', { job })] : []
  const look = action('look', { job })
  if (state === 'failed') {
    return { ...look, why: [{ kind: 'failed', run, error }], others: [...resume, step, ...others] }
  }
  const [main, ...rest] = [...resume, look]
  return { ...main, why: [{ kind: 'stopped', run, canResume }], others: [...rest, step, ...others] }
}

function usualStep(at: Situation, base: string | null): Next {
  const [policy] = at.policies
  if (policy === undefined) return towardsPolicy(at, base)
  const { vote, alarms } = policy
  if (vote?.verdict === 'lost') return afterLoss(at, policy, vote, base)
  if (alarms !== null && vote?.verdict !== 'won') return afterAlarm(at, policy, alarms, base)
  const { comparison } = at
  if (vote === null || vote.verdict === 'open') return untilVoted(policy, vote, comparison)
  if (vote.verdict === 'even') return afterEven(at, policy, vote, base)
  if (!at.isReported) {
    return {
      ...action('report', { policy: policy.name }),
      why: [{ kind: 'won', policy: policy.name, vote: counted(vote) }],
      others: [action('draw-again', { policy: policy.name })],
    }
  }
  return nextRound(at, policy, base)
}

/** Towards the first policy, or another one from a base: a reward that is proven, or more labels. */
function towardsPolicy(at: Situation, base: string | null): Next {
  const { reward, labels, canTeach } = at
  if (reward === null) {
    if (canTeach && labels >= enoughLabels) {
      return {
        ...action('train-reward', { policy: base }),
        why: [{ kind: 'enough-labels', labels }],
        others: gatherSteps(at, base),
      }
    }
    const missing = Math.max(1, enoughLabels - labels)
    return gather(at, base, [
      { kind: 'more-labels', missing },
      ...(labels >= enoughLabels ? [{ kind: 'all-alike' as const }] : []),
    ])
  }
  const { name, lack, unused, learned } = reward
  if (lack !== null) return weakReward(at, base, reward, lack)
  const train = action('train-policy', { reward: name, policy: base })
  const fresh = action('train-reward', { policy: base })
  if (unused >= Math.max(enoughLabels, learned / 2)) {
    return {
      ...fresh,
      why: [{ kind: 'unused-after', labels: unused, reward: name, learned }],
      others: [train, ...gatherSteps(at, base)],
    }
  }
  return {
    ...train,
    why: [{ kind: 'proven', reward: name, policy: base }],
    others: [...(unused > 0 ? [fresh] : []), ...gatherSteps(at, base)],
  }
}

/** More labels first; where as many are new as were wanted, or as it has learned from, the next reward. */
function weakReward(
  at: Situation,
  base: string | null,
  reward: NonNullable<Situation['reward']>,
  lack: RewardLack,
): Next {
  const { unused, learned, name } = reward
  const weak = { kind: 'weak-reward', reward: name, lack } as const
  const fresh = action('train-reward', { policy: base })
  const enough = Math.min(lack.wanted ?? enoughLabels, Math.max(enoughLabels, learned))
  if (unused >= enough && at.canTeach) {
    return {
      ...fresh,
      why: [weak, { kind: 'unused-since', labels: unused, isEnough: true }],
      others: [...gatherSteps(at, base), action('look-reward', { reward: name })],
    }
  }
  const next = gather(at, base, [
    weak,
    ...(unused > 0 ? [{ kind: 'unused-since' as const, labels: unused, isEnough: false }] : []),
  ])
  const early = unused >= enoughLabels ? [fresh] : []
  return { ...next, others: [...early, ...next.others, action('look-reward', { reward: name })] }
}

function untilVoted(policy: PolicyStanding, vote: VoteOutcome | null, comparison: Situation['comparison']): Next {
  const { name } = policy
  const compare = action('compare', { policy: name })
  if (comparison === null || !comparison.isDrawn) {
    return { ...compare, why: [{ kind: 'not-compared', policy: name }], others: [] }
  }
  if (comparison.isOpened) {
    return { ...compare, why: [{ kind: 'opened', comparison: comparison.id, policy: name }], others: [] }
  }
  return {
    ...action('vote', { comparison: comparison.id }),
    why: [
      vote === null
        ? { kind: 'drawn', comparison: comparison.id, policy: name }
        : // Who is ahead is not said to somebody who is to vote.
          { kind: 'undecided', policy: name, wanted: vote.wanted },
    ],
    others: [compare],
  }
}

/** Never on with it: from the policy before it, by labels that its reward did not have. */
function afterLoss(at: Situation, policy: PolicyStanding, vote: VoteOutcome, base: string | null): Next {
  return anew(at, policy, base, { kind: 'lost', policy: policy.name, vote: counted(vote), base }, [])
}

function afterAlarm(at: Situation, policy: PolicyStanding, alarms: Alarm[], base: string | null): Next {
  const look =
    at.comparison?.isDrawn === true && !at.comparison.isOpened
      ? action('vote', { comparison: at.comparison.id })
      : action('compare', { policy: policy.name })
  return anew(at, policy, base, { kind: 'alarming', policy: policy.name, alarms }, [look])
}

function afterEven(at: Situation, policy: PolicyStanding, vote: VoteOutcome, base: string | null): Next {
  return anew(at, policy, base, { kind: 'even', policy: policy.name, vote: counted(vote) }, [
    action('compare', { policy: policy.name }),
    ...(at.isReported ? [] : [action('report', { policy: policy.name })]),
  ])
}

/** Another policy in place of one that did not turn out well: first a better reward, held closer to the start at last. */
function anew(
  at: Situation,
  policy: PolicyStanding,
  base: string | null,
  why: Reason,
  others: readonly NextAction[],
): Next {
  const { reward, labels } = at
  const closer =
    reward !== null && reward.lack === null && policy.klWeight !== null
      ? [action('train-closer', { reward: reward.name, policy: base, klWeight: 2 * policy.klWeight })]
      : []
  if (policy.isFromPairs && (reward === null || reward.finishedAt < policy.finishedAt)) {
    const pairs = at.pairs.missing === 0 ? [action('train-pairs', { policy: base })] : []
    const next = gather(at, base, [why, { kind: 'more-pairs' }])
    return { ...next, others: [...pairs, ...others, ...next.others] }
  }
  // A reward that came after it was not tried yet.
  if (reward === null || reward.finishedAt > policy.finishedAt || reward.lack !== null) {
    const next = towardsPolicy(at, base)
    return { ...next, why: [why, ...next.why], others: [...next.others, ...others] }
  }
  if (reward.unused >= enoughLabels) {
    return {
      ...action('train-reward', { policy: base }),
      why: [why, { kind: 'unused-yet', labels: reward.unused, all: labels }],
      others: [...closer, ...others, ...gatherSteps(at, base)],
    }
  }
  const missing = Math.max(enoughLabels, reward.learned) - reward.unused
  const next = gather(at, base, [why, { kind: 'better-reward', reward: reward.name, missing }])
  return { ...next, others: [...closer, ...others, ...next.others] }
}

/** After a policy that won and was measured: its images, their labels, and what learns from them. */
function nextRound(at: Situation, policy: PolicyStanding, base: string | null): Next {
  const { round, reward, pairs } = at
  const { name } = policy
  if (round === null) {
    return {
      ...action('draw-again', { policy: name }),
      why: [{ kind: 'won-measured', policy: name }],
      others: [],
    }
  }
  if (round.judged < Math.min(enoughLabels, round.images)) {
    return {
      ...action('label'),
      why: [{ kind: 'judge-round', round: round.name }],
      others: [action('draw-again', { policy: name })],
    }
  }
  // Who has learned from pairs goes on with them, unless somebody has trained a reward since.
  if (policy.isFromPairs && (reward === null || reward.finishedAt < policy.finishedAt)) {
    if (pairs.missing > 0) return gather(at, base, [{ kind: 'few-pairs', missing: pairs.missing }])
    return {
      ...action('train-pairs', { policy: base }),
      why: [{ kind: 'round-for-pairs', round: round.name, pairs: pairs.pairs }],
      others: gatherSteps(at, base),
    }
  }
  if (reward !== null && reward.finishedAt < round.at) {
    return {
      ...action('train-reward', { policy: base }),
      why: [{ kind: 'round-for-reward', round: round.name, reward: reward.name }],
      others: gatherSteps(at, base),
    }
  }
  return towardsPolicy(at, base)
}

/** Where all is judged, more labels need more images. */
function gather(at: Situation, base: string | null, why: Reason[]): Next {
  const [main, ...others] = gatherSteps(at, base)
  return { ...main, why, others }
}

const gatherSteps = ({ unlabelled }: Situation, base: string | null): [NextAction, ...NextAction[]] =>
  unlabelled > 0 ? [action('label'), action('draw-more', { policy: base })] : [action('draw-more', { policy: base })]

export const action = (step: NextAction['step'], what: Partial<Omit<NextAction, 'step'>> = {}): NextAction => ({
  step,
  policy: null,
  reward: null,
  job: null,
  comparison: null,
  klWeight: null,
  ...what,
})

const counted = ({ rival, wins, losses, ties }: VoteOutcome) => ({
  rival: rival === 'pretrained' ? null : rival,
  wins,
  losses,
  ties,
})
