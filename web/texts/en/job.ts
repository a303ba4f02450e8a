/** The page of one job: how far it is, curves, samples, results, settings and log. */
import { english } from '../speech.ts'

const { counted, figure } = english

export const job = {
  all: 'All jobs',
  tellMe: 'Let the browser tell me when jobs end',
  on: (devices: string) => `on ${devices}`,
  queued: (when: string) => `queued ${when}`,
  ended: (when: string) => `ended ${when}`,
  started: (when: string) => `started ${when}`,
  failed: 'It failed',
  saidNothing: 'It ended without saying why.',
  held: 'It has not begun',
  stopped: 'It was stopped',
  alarm: 'Signs of over-optimisation',
  alarmWhatNow:
    'The reward may be wrong about such images: look at the samples below, and at the curves of the probes.',
  sampleNow: 'Sample now',
  startAnyhow: 'Start anyhow',
  resume: 'Resume',
  stop: 'Stop',
  unqueue: 'Remove from the queue',
  curvesBegin: 'The curves begin with the first step.',
  /** Where to go on, by the kind of what was made. */
  next: {
    round: 'Label the images',
    reward: 'Look at the reward',
    policy: 'Compare',
    'best-of-n': 'Compare',
    report: 'Read the report',
  },
  settings: (count: number) => `Settings (${figure(count)})`,
  yes: 'yes',
  no: 'no',
  firstOf: (shown: string, left: number) => `${shown}, and ${figure(left)} more`,

  curves: {
    title: 'Curves',
    fewer: 'Fewer curves',
    more: (count: number) => `${counted(count, { one: 'more curve', other: 'more curves' })}`,
    said: (title: string, points: number, from: string, to: string) =>
      `${title}: ${counted(points, { one: 'point', other: 'points' })}, from ${from} to ${to}`,
    step: 'step',
  },
  samples: {
    title: 'Samples',
    soon: 'Sample images appear here as the training goes on.',
    stepOf: (step: number, place: number, all: number) => `step ${figure(step)} · ${figure(place)} of ${figure(all)}`,
    stepOfTraining: 'Step of the training',
    step: (step: number) => `step ${figure(step)}`,
    more: (count: number) => `Show ${counted(count, { one: 'more sample', other: 'more samples' })}`,
  },
  log: {
    title: 'Log',
    text: 'Text in the log',
    findIn: 'Find in the log',
    find: 'Find',
    firstError: 'First error',
    lastLines: 'Last lines',
    lastLinesOf: 'Last lines of the log',
    download: 'Download',
    found: (lines: number, text: string) => `${counted(lines, { one: 'line', other: 'lines' })} with “${text}”`,
    noError: 'No line tells of an error',
    fromError: 'From the first error on',
    findMore: (from: string) => `Find more from ${from} on`,
  },
}
