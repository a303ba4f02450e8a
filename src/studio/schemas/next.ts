/** What would be sensible next, and what else. */
import { z } from 'zod'

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

export const Next = NextAction.extend({
  /** What is there and why this is next: with the figure and the interval that it stands on. */
  sentence: z.string(),
  /** What could be done in its place. */
  others: z.array(NextAction),
})
export type Next = z.infer<typeof Next>
