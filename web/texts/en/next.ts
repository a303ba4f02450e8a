/** Why something is next, by what is there; and what keeps a reward from being proven. */
import { trainedInSpiteOf } from '../../../src/policy/alarms/alarm-record.ts'
import { lackInWords } from '../../../src/studio/reward-evidence.ts'
import type { Reason } from '../../../src/studio/schemas/next.ts'
import { english } from '../speech.ts'

const { counted, figure, form } = english
const pairs = { one: 'pair', other: 'pairs' }
type Vote = Extract<Reason, { kind: 'lost' }>['vote']

const titleOf = (policy: string | null) => policy ?? 'the pre-trained model'
const told = ({ wins, losses, ties }: Vote) =>
  [
    counted(wins, { one: 'win', other: 'wins' }),
    counted(losses, { one: 'loss', other: 'losses' }),
    counted(ties, { one: 'tie', other: 'ties' }),
  ].join(', ')
const unused = (labels: number) => `${counted(labels, { one: 'label was', other: 'labels were' })} used by no reward`

export const next = {
  why: {
    'first-images': () => 'Let the model draw its first images.',
    'being-made': ({ run }) => `${run} is being made.`,
    alarm: ({ run, alarm }) =>
      `${run} shows signs of over-optimisation. ${alarm} Look at its samples: where they have become worse, stop it, label more, and train again.`,
    failed: ({ run, error }) =>
      `${run} failed. ${error === null ? 'It ended without saying why' : error.replace(/\.$/, '')}. Look at its log, mend what it says, and try again.`,
    stopped: ({ run, canResume }) =>
      `${run} was stopped before its end${canResume ? ': it can go on where it stands' : ''}. Or leave it, and go on with the next step.`,
    'enough-labels': ({ labels }) =>
      `${figure(labels)} labels are there: train a reward from them. A policy follows it only if it is shown to be better than chance and than the CLIP score.`,
    'more-labels': ({ missing }) =>
      `Judge ${counted(missing, { one: 'more image', other: 'more images' })} to train a first reward.`,
    'all-alike': () => 'So far all answers are alike: a reward needs good and bad ones.',
    'weak-reward': ({ reward, lack }) => lackInWords(reward, lack),
    'unused-since': ({ labels, isEnough }) => `${unused(labels)} since${isEnough ? ': train the next reward' : ''}.`,
    'unused-after': ({ labels, reward, learned }) =>
      `${unused(labels)} after ${reward}, which learned from ${figure(learned)}: train the next reward from all of them.`,
    'unused-yet': ({ labels, all }) => `${unused(labels)} yet: train the next reward from all ${figure(all)}.`,
    proven: ({ reward, policy }) =>
      `${reward} is shown to be better than chance and than the CLIP score: fine-tune ${policy ?? 'the model'} on it.`,
    'not-compared': ({ policy }) =>
      `Nobody knows yet whether ${policy} is better: compare it blind with the pre-trained model.`,
    opened: ({ comparison, policy }) =>
      `You have opened ${comparison} before it was decided: compare ${policy} blind on other prompts.`,
    drawn: ({ comparison, policy }) => `${comparison} is drawn: vote blind, and see whether ${policy} is better.`,
    undecided: ({ policy, wanted }) =>
      `The blind vote on ${policy} is not decided yet: go on voting${wanted === null ? '' : `, about ${counted(wanted, { one: 'more vote', other: 'more votes' })}`}.`,
    lost: ({ policy, vote, base }) =>
      `${policy} lost the blind vote against ${titleOf(vote.rival)} (${told(vote)}): go on from ${titleOf(base)}.`,
    alarming: ({ policy, alarms }) =>
      `${policy} ${trainedInSpiteOf(alarms)}. Its reward may be wrong about such images.`,
    even: ({ policy, vote }) => `No clear difference between ${policy} and ${titleOf(vote.rival)} (${told(vote)}).`,
    'more-pairs': () => 'More pairs are what it can learn from.',
    'better-reward': ({ reward, missing }) =>
      `A better reward comes first: about ${counted(missing, { one: 'more label', other: 'more labels' })}, as many again as ${reward} had.`,
    won: ({ policy, vote }) => `${policy} won the blind vote (${told(vote)}). Measure it in a report.`,
    'won-measured': ({ policy }) => `${policy} won the blind vote. Collect again: let it draw new images.`,
    'judge-round': ({ round }) => `Judge the images of ${round}.`,
    'few-pairs': ({ missing }) =>
      `${counted(missing, { one: 'more pair', other: 'more pairs' })} with a better image would be enough to train from pairs straight away.`,
    'round-for-pairs': ({ round, pairs: count }) => `${round} is judged: train further from ${counted(count, pairs)}.`,
    'round-for-reward': ({ round, reward }) =>
      `${round} is judged, and ${reward} has learned from none of it: train the next reward.`,
  } satisfies { readonly [K in Reason['kind']]: (reason: Extract<Reason, { kind: K }>) => string },
  lack: lackInWords,
  /** Why held-out pairs could not show that a policy from pairs is better. */
  pairsCaveat: (choices: number, measured: number, wanted: number) =>
    `They count as ${figure(choices)} independent ${form(choices, { one: 'choice', other: 'choices' })}, of which ${figure(measured)} of other prompts would measure the policy: too few to show that it prefers what people prefer. That takes about ${figure(wanted)}, of ten prompts and more. Until then only the blind comparison tells.`,
}
