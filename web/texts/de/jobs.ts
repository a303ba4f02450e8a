import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form, listed } = german
const before = (ahead: number) =>
  `davor ${form(ahead, { one: 'kommt', other: 'kommen' })} noch ${counted(ahead, { one: 'Auftrag', other: 'Aufträge' })}`

export const jobs: Texts['jobs'] = {
  states: {
    waiting: 'wartet',
    held: 'zurückgehalten',
    running: 'läuft',
    stopping: 'hält an',
    stopped: 'angehalten',
    done: 'fertig',
    failed: 'gescheitert',
  },
  cameTo: {
    done: (run) => `${run} ist fertig`,
    failed: (run) => `${run} ist gescheitert`,
    stopped: (run) => `${run} wurde angehalten`,
    held: (run) => `${run} wird zurückgehalten`,
  },
  follows: (runs) => `folgt auf ${listed(runs)}`,
  waitsForJobs: (ahead) => `wartet auf ${counted(ahead, { one: 'Auftrag', other: 'Aufträge' })}`,
  waitsForGpus: (wanted, ahead) =>
    `wartet auf ${counted(wanted, { one: 'freie GPU', other: 'freie GPUs' })}, ${before(ahead)}`,
  waitsForDevices: (devices, ahead) => `wartet auf ${listed(devices)}, ${before(ahead)}`,
  startsAtOnce: 'beginnt sofort',
  stopping: 'hält an',
  gettingReady: 'wird vorbereitet',
  doneOf: (done, total, unit) => `${figure(done)} von ${figure(total)} ${unit}`,
  aboutLeft: (time) => `noch etwa ${time}`,
  units: {
    images: 'Bildern',
    updates: 'Schritten',
    steps: 'Schritten',
    iterations: 'Durchgängen',
    prompts: 'Prompts',
    scores: 'Werten',
  },
}
