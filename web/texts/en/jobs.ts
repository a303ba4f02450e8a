/** Jobs: how they stand and how far they are. */
import { english } from '../speech.ts'

const { counted, figure, listed } = english

export const jobs = {
  states: {
    waiting: 'waiting',
    held: 'held',
    running: 'running',
    stopping: 'stopping',
    stopped: 'stopped',
    done: 'done',
    failed: 'failed',
  },
  /** What somebody is told who does not look. */
  cameTo: {
    done: (run: string) => `${run} is done`,
    failed: (run: string) => `${run} failed`,
    stopped: (run: string) => `${run} was stopped`,
    held: (run: string) => `${run} is held`,
  },
  follows: (runs: readonly string[]) => `follows ${listed(runs)}`,
  waitsForJobs: (ahead: number) => `waits for ${counted(ahead, { one: 'job', other: 'jobs' })}`,
  waitsForGpus: (wanted: number, ahead: number) =>
    `waits for ${counted(wanted, { one: 'free GPU', other: 'free GPUs' })}, ${counted(ahead, { one: 'job', other: 'jobs' })} before it`,
  waitsForDevices: (devices: readonly string[], ahead: number) =>
    `waits for ${listed(devices)}, ${counted(ahead, { one: 'job', other: 'jobs' })} before it`,
  startsAtOnce: 'starts at once',
  stopping: 'stopping',
  gettingReady: 'getting ready',
  doneOf: (done: number, total: number, unit: string) => `${figure(done)} of ${figure(total)} ${unit}`,
  aboutLeft: (time: string) => `about ${time} left`,
  /** What jobs count, by the words of the server; a word that is not here is shown as it is. */
  units: {} as Readonly<Record<string, string>>,
}
