/**
 * What is sensible next, from what is there: one step for the main button, why, and what could be done in its place. Every
 * step to a policy, and further from one, stands on evidence: a reward's interval, a blind vote. Pure: a table of situations
 * in `next-step.test.ts` says what it decides.
 */
import type { Next, NextAction } from './schemas/next.ts'

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
  /** Signs of over-optimisation that it was trained on in spite of, behind its name; null where there were none. */
  readonly alarms: string | null
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
  /** That people are asked about, and those of them that nobody has judged. */
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
    readonly lack: string | null
    /** About how many more labels would prove it. */
    readonly wanted: number | null
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
  readonly pairs: { readonly pairs: number; readonly lack: string | null }
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
      ? { ...action('wait'), sentence: `${run} is being made.`, others: [] }
      : {
          ...action('wait', { job }),
          sentence: `${run} shows signs of over-optimisation. ${alarm} Look at its samples: where they have become worse, stop it, label more, and train again.`,
          others: [action('look', { job })],
        }
  }
  const usual =
    images === 0
      ? { ...action('draw'), sentence: 'Let the model draw its first images.', others: [] }
      : usualStep(at, base)
  return broken === null ? usual : afterBroken(broken, usual)
}

/** What went wrong comes first; what would be next without it stays one click away. */
function afterBroken({ job, run, state, error, canResume }: NonNullable<Situation['broken']>, usual: Next): Next {
  const { sentence: _sentence, others, ...step } = usual
  const resume = canResume ? [action('resume', { job })] : []
  const look = action('look', { job })
  if (state === 'failed') {
    const reason = error === null ? 'It ended without saying why.' : asSentence(error)
    return {
      ...look,
      sentence: `${run} failed. ${reason} Look at its log, mend what it says, and try again.`,
      others: [...resume, step, ...others],
    }
  }
  const [main, ...rest] = [...resume, look]
  return {
    ...main,
    sentence: `${run} was stopped before its end${canResume ? ': it can go on where it stands' : ''}. Or leave it, and go on with the next step.`,
    others: [...rest, step, ...others],
  }
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
      sentence: `${policy.name} won the blind vote (${counted(vote)}). Measure it in a report.`,
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
        sentence: `${labels} labels are there: train a reward from them. A policy follows it only if it is shown to be better than chance and than the CLIP score.`,
        others: gatherSteps(at, base),
      }
    }
    const left = Math.max(1, enoughLabels - labels)
    const missing = labels >= enoughLabels ? ' So far all answers are alike: a reward needs good and bad ones.' : ''
    return gather(at, base, `Judge ${left} more ${left === 1 ? 'image' : 'images'} to train a first reward.${missing}`)
  }
  const { name, lack, unused, learned } = reward
  if (lack !== null) return weakReward(at, base, reward, lack)
  const train = action('train-policy', { reward: name, policy: base })
  const fresh = action('train-reward', { policy: base })
  if (unused >= Math.max(enoughLabels, learned / 2)) {
    return {
      ...fresh,
      sentence: `${unusedWords(unused)} after ${name}, which learned from ${learned}: train the next reward from all of them.`,
      others: [train, ...gatherSteps(at, base)],
    }
  }
  return {
    ...train,
    sentence: `${name} is shown to be better than chance and than the CLIP score: fine-tune ${base ?? 'the model'} on it.`,
    others: [...(unused > 0 ? [fresh] : []), ...gatherSteps(at, base)],
  }
}

/** More labels first; where as many are new as were wanted, or as it has learned from, the next reward. */
function weakReward(at: Situation, base: string | null, reward: NonNullable<Situation['reward']>, lack: string): Next {
  const { unused, wanted, learned, name } = reward
  const fresh = action('train-reward', { policy: base })
  const enough = Math.min(wanted ?? enoughLabels, Math.max(enoughLabels, learned))
  if (unused >= enough && at.canTeach) {
    return {
      ...fresh,
      sentence: `${lack} ${unusedWords(unused)} since: train the next reward.`,
      others: [...gatherSteps(at, base), action('look-reward', { reward: name })],
    }
  }
  const there = unused > 0 ? ` ${unusedWords(unused)} since.` : ''
  const next = gather(at, base, `${lack}${there}`)
  const early = unused >= enoughLabels ? [fresh] : []
  return { ...next, others: [...early, ...next.others, action('look-reward', { reward: name })] }
}

function untilVoted(policy: PolicyStanding, vote: VoteOutcome | null, comparison: Situation['comparison']): Next {
  const { name } = policy
  const compare = action('compare', { policy: name })
  if (comparison === null || !comparison.isDrawn) {
    return {
      ...compare,
      sentence: `Nobody knows yet whether ${name} is better: compare it blind with the pre-trained model.`,
      others: [],
    }
  }
  if (comparison.isOpened) {
    return {
      ...compare,
      sentence: `You have opened ${comparison.id} before it was decided: compare ${name} blind on other prompts.`,
      others: [],
    }
  }
  // Who is ahead is not said to somebody who is to vote.
  const more =
    vote === null || vote.wanted === null ? '' : `, about ${vote.wanted} more ${vote.wanted === 1 ? 'vote' : 'votes'}`
  return {
    ...action('vote', { comparison: comparison.id }),
    sentence:
      vote === null
        ? `${comparison.id} is drawn: vote blind, and see whether ${name} is better.`
        : `The blind vote on ${name} is not decided yet: go on voting${more}.`,
    others: [compare],
  }
}

/** Never on with it: from the policy before it, by labels that its reward did not have. */
function afterLoss(at: Situation, policy: PolicyStanding, vote: VoteOutcome, base: string | null): Next {
  const why = `${policy.name} lost the blind vote against ${titleOf(vote.rival)} (${counted(vote)}): go on from ${titleOf(base)}.`
  return anew(at, policy, base, why, [])
}

function afterAlarm(at: Situation, policy: PolicyStanding, alarms: string, base: string | null): Next {
  const why = `${policy.name} ${alarms}. Its reward may be wrong about such images.`
  const look =
    at.comparison?.isDrawn === true && !at.comparison.isOpened
      ? action('vote', { comparison: at.comparison.id })
      : action('compare', { policy: policy.name })
  return anew(at, policy, base, why, [look])
}

function afterEven(at: Situation, policy: PolicyStanding, vote: VoteOutcome, base: string | null): Next {
  const why = `No clear difference between ${policy.name} and ${titleOf(vote.rival)} (${counted(vote)}).`
  return anew(at, policy, base, why, [
    action('compare', { policy: policy.name }),
    ...(at.isReported ? [] : [action('report', { policy: policy.name })]),
  ])
}

/** Another policy in place of one that did not turn out well: first a better reward, held closer to the start at last. */
function anew(
  at: Situation,
  policy: PolicyStanding,
  base: string | null,
  why: string,
  others: readonly NextAction[],
): Next {
  const { reward, labels } = at
  const closer =
    reward !== null && reward.lack === null && policy.klWeight !== null
      ? [action('train-closer', { reward: reward.name, policy: base, klWeight: 2 * policy.klWeight })]
      : []
  if (policy.isFromPairs && (reward === null || reward.finishedAt < policy.finishedAt)) {
    const pairs = at.pairs.lack === null ? [action('train-pairs', { policy: base })] : []
    const next = gather(at, base, `${why} More pairs are what it can learn from.`)
    return { ...next, others: [...pairs, ...others, ...next.others] }
  }
  // A reward that came after it was not tried yet.
  if (reward === null || reward.finishedAt > policy.finishedAt || reward.lack !== null) {
    const next = towardsPolicy(at, base)
    return { ...next, sentence: `${why} ${next.sentence}`, others: [...next.others, ...others] }
  }
  if (reward.unused >= enoughLabels) {
    return {
      ...action('train-reward', { policy: base }),
      sentence: `${why} ${unusedWords(reward.unused)} yet: train the next reward from all ${labels}.`,
      others: [...closer, ...others, ...gatherSteps(at, base)],
    }
  }
  const left = Math.max(enoughLabels, reward.learned) - reward.unused
  const next = gather(
    at,
    base,
    `${why} A better reward comes first: about ${left} more labels, as many again as ${reward.name} had.`,
  )
  return { ...next, others: [...closer, ...others, ...next.others] }
}

/** After a policy that won and was measured: its images, their labels, and what learns from them. */
function nextRound(at: Situation, policy: PolicyStanding, base: string | null): Next {
  const { round, reward, pairs } = at
  const { name } = policy
  if (round === null) {
    return {
      ...action('draw-again', { policy: name }),
      sentence: `${name} won the blind vote. Collect again: let it draw new images.`,
      others: [],
    }
  }
  if (round.judged < Math.min(enoughLabels, round.images)) {
    return {
      ...action('label'),
      sentence: `Judge the images of ${round.name}.`,
      others: [action('draw-again', { policy: name })],
    }
  }
  // Who has learned from pairs goes on with them, unless somebody has trained a reward since.
  if (policy.isFromPairs && (reward === null || reward.finishedAt < policy.finishedAt)) {
    if (pairs.lack !== null) return gather(at, base, pairs.lack)
    return {
      ...action('train-pairs', { policy: base }),
      sentence: `${round.name} is judged: train further from ${pairs.pairs} pairs.`,
      others: gatherSteps(at, base),
    }
  }
  if (reward !== null && reward.finishedAt < round.at) {
    return {
      ...action('train-reward', { policy: base }),
      sentence: `${round.name} is judged, and ${reward.name} has learned from none of it: train the next reward.`,
      others: gatherSteps(at, base),
    }
  }
  return towardsPolicy(at, base)
}

/** Where all is judged, more labels need more images. */
function gather(at: Situation, base: string | null, sentence: string): Next {
  const [main, ...others] = gatherSteps(at, base)
  return { ...main, sentence, others }
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

const titleOf = (policy: string | null) =>
  policy === null || policy === 'pretrained' ? 'the pre-trained model' : policy
const counted = ({ wins, losses, ties }: VoteOutcome) =>
  `${wins} ${wins === 1 ? 'win' : 'wins'}, ${losses} ${losses === 1 ? 'loss' : 'losses'}, ${ties} ${ties === 1 ? 'tie' : 'ties'}`
const unusedWords = (count: number) =>
  count === 1 ? '1 label was used by no reward' : `${count} labels were used by no reward`
const asSentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)
