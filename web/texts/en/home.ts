/** The first page. */
import { english } from '../speech.ts'

const { counted, figure, form, listed } = english
const pairs = { one: 'pair', other: 'pairs' }

export const home = {
  welcome: (name: string | null) => (name === null ? 'Welcome' : `Welcome, ${name}`),
  answersTeach: 'Your answers teach the model what people want to see.',
  label: 'Label',

  teach: 'Teach a model what you like',
  teachHow: 'The model draws, you judge, it learns from your answers. Everything stays on this machine.',
  whatNext: 'What comes next',
  /** By the kind of what is made. */
  work: {
    round: 'The model is drawing',
    reward: 'A reward is learning from the labels',
    policy: 'The model is learning',
    'best-of-n': 'The best images are being picked',
    report: 'The policies are being measured',
  },
  meanwhile: 'You can watch it, or go on with something else.',
  watch: 'Watch',
  labelMeanwhile: 'Label meanwhile',
  or: 'Or',
  oneMoment: 'One moment …',
  /** @param isGated a policy waits for a reward that has to be proven */
  then: (runs: readonly string[], isGated: boolean) =>
    `Then ${listed(runs)} ${form(runs.length, { one: 'begins', other: 'begin' })}${isGated ? ', if the reward is shown to be better than chance and the CLIP score' : ''}.`,
  hasNotBegun: (run: string) => `${run} has not begun`,
  beginAnyhow: 'Look at it, and begin it all the same',

  /** Main step and what could be done in its place. */
  steps: {
    draw: 'Draw the first images',
    label: 'Label',
    drawMore: (policy: string | null) => (policy === null ? 'Draw more images' : `Draw more images by ${policy}`),
    trainReward: 'Train a reward',
    trainPolicy: (policy: string | null) => `Train ${policy ?? 'pre-trained model'}`,
    trainCloser: 'Train again, held closer to the start',
    trainPairs: (count: number | null) =>
      count === null ? 'Train' : `Train from ${count === 1 ? 'this pair' : `these ${counted(count, pairs)}`}`,
    drawAgain: 'Collect again with this policy',
    compare: 'Compare blind',
    vote: 'Vote blind',
    report: 'Write a report',
    look: 'Look at it',
    lookReward: (reward: string) => `Look at ${reward}`,
    resume: 'Go on with it',
    wait: 'Working',
  },

  fromPairs: 'Straight from what people prefer',
  fromPairsHow: (policy: string | null, count: number, prompts: number) =>
    `${policy ?? 'The pre-trained model'} can learn from ${counted(count, pairs)} of images of ${counted(prompts, { one: 'prompt', other: 'prompts' })}, in which one image was preferred: no reward, no new images. A blind comparison shows what has come of it.`,
  comparePairs: 'Compare images',

  loop: 'The loop',
  loopBack: 'the next round starts from the policy',
  stations: {
    prompts: 'Prompts',
    images: 'Images',
    labels: 'Labels',
    reward: 'Reward',
    policy: 'Policy',
    compare: 'Compare',
    report: 'Report',
  },
  facts: {
    prompts: 'what to draw',
    rounds: (count: number) => counted(count, { one: 'round', other: 'rounds' }),
    noneYet: 'none yet',
    uploaded: 'uploaded',
    drawnBy: (policy: string | null) => `by ${policy ?? 'pre-trained model'}`,
    judged: (count: number) => `${counted(count, { one: 'image', other: 'images' })} judged`,
    reward: 'learns from labels',
    policy: 'learns from the reward',
    votes: (count: number) => form(count, { one: 'vote', other: 'votes' }),
  },

  jobs: 'Jobs',
  allJobs: 'All jobs',

  rounds: 'Rounds',
  columns: { round: 'Round', by: 'Drawn by', images: 'Images', judged: 'Judged', when: 'When' },
  judgedOf: (round: string) => `Judged of ${round}`,

  broken: 'Broken',
  brokenWhy: 'These cannot be read, and are left out of all lists. Everything else works without them.',
  more: (count: number) => `and ${figure(count)} more`,
}
