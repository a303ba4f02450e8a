/** Memory, processors and disks: what fits, what a job has, what is left. */
import { english } from '../speech.ts'

const { counted, figure } = english

export const machine = {
  /** Headings of settings, by `SettingGroup`. */
  groups: {
    drawing: 'Drawing',
    trained: 'What is trained',
    learning: 'Learning',
    holding: 'Staying near the start',
    watching: 'Measuring and alarms',
    memory: 'Memory and devices',
    keeping: 'Checkpoints and samples',
  },
  changed: (count: number) => `${figure(count)} changed`,
  load: {
    title: 'Load',
    processor: 'Processor',
    memory: 'Memory',
    gpu: (name: string) => `${name} at work`,
    gpuMemory: (name: string) => `${name} memory`,
    coresOf: (cores: string, all: number) => `${cores} of ${counted(all, { one: 'core', other: 'cores' })}`,
    bytesOf: (bytes: string, all: string) => `${bytes} of ${all}`,
    /** In a list: cores and memory. */
    brief: (cores: string, bytes: string) => `${cores} cores, ${bytes}`,
    lately: (title: string, low: string, high: string) => `${title} in the last minutes: ${low} to ${high}`,
  },
  disk: {
    left: (free: string, total: string) => `${free} of ${total} are free on the disk.`,
    low: 'Little room is left on the disk',
    lowWhy: (free: string) => `${free} are free, and jobs fail where they cannot write. Delete runs that nobody needs.`,
    runs: 'Look at the runs',
    tooMuch: 'It does not fit on the disk',
    tooMuchWhy: (writes: string, free: string) =>
      `It writes about ${writes}, and ${free} are free. Delete runs, keep fewer checkpoints, or draw fewer images.`,
  },
  presets: {
    title: 'What fits',
    about: 'Fills in what decides how much memory it takes: foretold by shapes alone, with room to spare.',
    working: 'Working out what fits into how much memory …',
    fits: (memory: string) => `Fits ${memory}`,
    fitsHere: (memory: string) => `Fits this machine, ${memory}`,
    takes: (bytes: string) => `about ${bytes}`,
    takesAndLasts: (bytes: string, time: string) => `about ${bytes}, ${time}`,
    nothingFits: (bytes: string) => `Nothing fits: it takes ${bytes} at the least.`,
    nothingFitsWhole: (bytes: string) => `Nothing fits: it takes ${bytes} at the least; adapters take far less.`,
    setting: (title: string, value: string) => `${title} ${value}`,
    asItIs: 'as usual',
  },
}
