/** Training: what can be started, with which settings, on which devices. */
import { english } from '../speech.ts'

const { counted, figure } = english
const jobs = { one: 'job', other: 'jobs' }

export const train = {
  title: 'Train',
  about: 'A reward learns from the labels; a policy learns from the reward.',
  whatToStart: 'What to start',
  /** By the kind of what is made. */
  kinds: { reward: 'Reward', policy: 'Policy', round: 'Draw images', report: 'Report' },
  method: 'Method',
  jobs: 'Jobs',
  noJobs: 'Nothing has been trained yet',
  noJobsWhy: 'What you start above appears here, with curves and samples while it runs.',
  showMore: (count: number) => `Show ${figure(count)} more`,

  form: {
    /** Said before and after the name of a run. */
    like: ['With the settings, the seed and the prompts of', '; what you change is changed.'],
    /** What has to be there first, by the server's own words, which English shows as they are. */
    missing: {} as Readonly<Record<string, string>>,
    notProven: 'This reward is not proven',
    notProvenWhy: 'A policy that learns from it may well draw worse.',
    more: (count: number) => `More settings (${figure(count)})`,
    name: 'Name',
    nameHint: 'Of the run: lower-case letters, digits, dots and hyphens.',
    start: 'Start',
    starting: 'Starting …',
    unknownTime: 'How long it takes is known once it has run here.',
    takesAs: (time: string, run: string) => `Takes about ${time}, as ${run} went.`,
    takesHere: (time: string) => `Takes about ${time}, judging by other runs here.`,
    takesUsually: (time: string) => `Takes about ${time} on a usual machine.`,
  },
  plan: {
    title: 'Then',
    policy: (method: string) => `Fine-tune on it (${method})`,
    report: 'Write a report of it',
    compare: 'Draw a blind comparison with the pre-trained model',
    goesOn: 'The studio goes on by itself when this page is closed.',
  },

  devices: {
    title: 'Devices',
    idle: 'A GPU is idle',
    atOnce: (count: number) => `${counted(count, jobs)} at once`,
    nothingTells: 'Nothing tells how busy it is.',
    busy: 'At work',
    memory: 'Memory',
    of: (used: string, total: string) => `${used} of ${total}`,
    progress: (run: string, device: string) => `Progress of ${run} on ${device}`,
    playground: 'The playground has its model here.',
    playgroundMakesWay: 'The playground has its model here, and makes way for a job.',
    waiting: (runs: string) => `Waiting: ${runs}`,
    takesNone: 'takes no jobs',
    free: 'free',
    hasOne: 'has a job',
    has: (count: number, slots: number) => `${figure(count)} of ${counted(slots, jobs)}`,
  },
}
