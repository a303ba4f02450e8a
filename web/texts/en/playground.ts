/** The playground: what to draw, how far it is, and what is kept of it. */
import { english } from '../speech.ts'

const { counted, figure, fixed, form, listed } = english
const steps = { one: 'step', other: 'steps' }

export const playground = {
  about: 'Draw a prompt by several policies from the same noise. Nothing is kept unless you say so.',
  prompt: 'Prompt',
  knownWords: 'Words that the model knows',
  words: { counts: 'how many', colors: 'colour', objects: 'object', backgrounds: 'background' },
  emptyPrompt: 'Empty the prompt',
  imagesOfEach: 'Images of each',
  seed: 'Seed',
  steps: 'Steps',
  guidance: 'Guidance',
  negative: 'Not to show',
  draw: 'Draw',
  drawKey: 'Ctrl+Enter',
  again: 'Again',
  newNoise: 'New noise',
  stop: 'Stop',
  drawn: 'Drawn',
  nothing: 'Nothing is drawn yet',
  sameNoise: 'Each row of images begins with the same noise, so that only the policies differ.',
  keptInLabel: 'What is kept is asked about on the page',
  keptInGallery: 'and stands in the',
  gallery: 'gallery',

  policies: 'Policies, beside each other',
  policy: (number: number) => `Policy ${number}`,
  runs: 'Policies',
  loras: 'LoRA files',
  removePolicy: (number: number) => `Remove policy ${number}`,
  addPolicy: 'Add a policy',
  strength: 'Strength',
  strengthOf: (number: number) => `Strength of policy ${number}`,
  strengthHints: {
    adapters: 'Strength of its adapters: 0 is the pre-trained model, 1 as it was trained',
    weights: 'Strength between the pre-trained weights (0) and its own (1), and beyond',
  },
  atStrength: (policy: string, strength: number) => `${policy} at ${fixed(strength, 2)}`,

  waitsFor: (drawings: number) => `${counted(drawings, { one: 'drawing', other: 'drawings' })} before this one`,
  waiting: 'Waiting for the model',
  loading: 'The model is being loaded',
  drawing: 'Drawing',
  stopped: 'Stopped',
  done: (time: string, seed: number) => `Drawn in ${time}, seed ${seed}`,
  sampling: (count: number, guidance: number) => `${counted(count, steps)}, guidance ${figure(guidance)}`,
  seconds: (seconds: number) => `${fixed(seconds, 1)} s`,
  progress: 'Progress of the drawing',

  /** A device is null where it is the CPU. */
  drawsOn: (device: string | null, beside: readonly string[]) =>
    `Draws on ${device ?? 'the CPU'}${beside.length > 0 ? `, where ${listed(beside)} ${form(beside.length, { one: 'runs', other: 'run' })} too: slower for now` : ''}.`,
  loadedFirst: 'The model is loaded with the first drawing.',
  staysLoaded: (minutes: number) =>
    `The model stays in memory for ${counted(minutes, { one: 'minute', other: 'minutes' })} after the last drawing. A job that needs a GPU goes first.`,
  freeMemory: 'Free its memory',
  jobsFirst: (devices: readonly { id: string; has: readonly string[]; wait: readonly string[] }[]) =>
    `Jobs go first: ${devices.map(({ id, has, wait }) => `${id} ${has.length > 0 ? `has ${has.join(', ')}` : `is kept for ${wait.join(', ')}`}`).join('; ')}. It draws again when a GPU is free.`,

  by: (prompt: string, policy: string, image: number) => `${prompt}, by ${policy}, image ${image}`,
  keep: 'Keep',
  kept: 'Kept',
  keepThis: (what: string) => `Keep ${what}`,
  thereAlready: 'The studio has this image already',
  better: 'Better',
  betterThis: (what: string) => `Better: ${what}`,
}
