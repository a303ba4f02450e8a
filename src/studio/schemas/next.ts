/** What would be sensible next, why, and what else. */
import { z } from 'zod'
import { Alarm } from '../../policy/alarms/alarm-record.ts'
import { count } from './basics.ts'
import { RewardLack } from './runs.ts'

const steps = [
  'draw',
  'label',
  /** More images to label. */
  'draw-more',
  'train-reward',
  'train-policy',
  /** With twice the weight on staying near the policy that it starts from. */
  'train-closer',
  'train-pairs',
  'compare',
  'vote',
  'report',
  /** The next round, by a policy that has shown itself to be better. */
  'draw-again',
  /** A job. */
  'look',
  'look-reward',
  'resume',
  'wait',
] as const

export const NextAction = z.object({
  step: z.enum(steps),
  /** That draws, is compared or measured, or is trained further; null: the pre-trained model. */
  policy: z.string().nullable(),
  reward: z.string().nullable(),
  /** Id of the job that it is about. */
  job: z.string().nullable(),
  /** Id of the comparison to vote on. */
  comparison: z.string().nullable(),
  /** Of `train-closer`. */
  klWeight: z.number().nullable(),
})
export type NextAction = z.infer<typeof NextAction>

const name = z.string()
/** Null: the pre-trained model. */
const policyOrStart = name.nullable()
const vote = z.object({ rival: policyOrStart, wins: count, losses: count, ties: count })
const reason = <K extends string, S extends z.ZodRawShape>(kind: K, facts: S) =>
  z.object({ kind: z.literal(kind), ...facts })

/** What is there, and why something is next: a sentence, by the figures that it stands on. The pages say it. */
export const Reason = z.discriminatedUnion('kind', [
  reason('first-images', {}),
  reason('being-made', { run: name }),
  /** A training that has raised an alarm, in its own words. */
  reason('alarm', { run: name, alarm: z.string() }),
  reason('failed', { run: name, error: z.string().nullable() }),
  reason('stopped', { run: name, canResume: z.boolean() }),
  reason('enough-labels', { labels: count }),
  /** Labels that are missing for a first reward. */
  reason('more-labels', { missing: count }),
  reason('all-alike', {}),
  reason('weak-reward', { reward: name, lack: RewardLack }),
  /** Labels that no reward has used, since the one that is weak; enough of them for the next. */
  reason('unused-since', { labels: count, isEnough: z.boolean() }),
  reason('unused-after', { labels: count, reward: name, learned: count }),
  reason('unused-yet', { labels: count, all: count }),
  reason('proven', { reward: name, policy: policyOrStart }),
  reason('not-compared', { policy: name }),
  reason('opened', { comparison: name, policy: name }),
  reason('drawn', { comparison: name, policy: name }),
  /** About how many more votes would decide; null of very many. */
  reason('undecided', { policy: name, wanted: count.nullable() }),
  reason('lost', { policy: name, vote, base: policyOrStart }),
  reason('alarming', { policy: name, alarms: z.array(Alarm).min(1) }),
  reason('even', { policy: name, vote }),
  reason('more-pairs', {}),
  /** Labels that are missing until there are as many again as a reward had. */
  reason('better-reward', { reward: name, missing: count }),
  reason('won', { policy: name, vote }),
  /** And it was measured. */
  reason('won-measured', { policy: name }),
  reason('judge-round', { round: name }),
  reason('few-pairs', { missing: count }),
  reason('round-for-pairs', { round: name, pairs: count }),
  reason('round-for-reward', { round: name, reward: name }),
])
export type Reason = z.infer<typeof Reason>

export const Next = NextAction.extend({
  /** Sentences, one after the other. */
  why: z.array(Reason),
  /** What could be done in its place. */
  others: z.array(NextAction),
})
export type Next = z.infer<typeof Next>
