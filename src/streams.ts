/**
 * Streams of random numbers by name: the path behind a name is what `random`, `seedOf` and `noiseFor` take. All of them
 * stand side by side, since two that share a path would draw the same numbers. Most begin with the seed of a run.
 *
 * No two streams of one stage share a path. Of stages that are given the same seed some do; streams.test.ts lists which.
 * Another path would change what everyone's seeds draw.
 */
import { streamOf } from './random.ts'

export type StreamPath = readonly [seed: number, ...place: readonly number[]]

/** Noise of an image of `images generate`, of samples of a training, of a report: x_T and every step. */
export const imageNoise = (seed: number, index: number): StreamPath => [seed, index]

/** Noise of a stage of a model that is not its first, below the noise of the image. */
export const stageNoise = (image: StreamPath, stage: string): StreamPath => [...image, streamOf(stage)]

/** First values of a parameter of a new network, by the number of its name. */
export const parameterWeights = (seed: number, name: number): StreamPath => [seed, name]

/** What intervals by resampling draw. */
export const resamples = (seed: number): StreamPath => [seed]

/** Of trainings of a policy; one training is of one algorithm. */
export const policyStreams = {
  /** What a step chooses: prompts and transitions, or images and the prompts that are dropped. */
  choices: (seed: number, step: number): StreamPath => [seed, 1, step],
  /** Noise of one roll-out of an iteration. */
  rollout: (seed: number, iteration: number, index: number): StreamPath => [seed, 2, iteration, index],
  /** x_T of all roll-outs of a group of an iteration, where they begin alike. */
  groupStart: (seed: number, iteration: number, group: number): StreamPath => [seed, 6, iteration, group],
  /** From which those of all parameters of a value function follow by their names. */
  valueWeights: (seed: number): StreamPath => [seed, 1],
  /** Rows of roll-outs that a value function is fitted to. */
  valueRows: (seed: number, fit: number): StreamPath => [seed, 2, fit],
  /** Times and noise that an update puts into generated images, and into pre-training images. */
  generatedNoise: (seed: number, update: number): StreamPath => [seed, 2, update],
  pretrainingNoise: (seed: number, update: number): StreamPath => [seed, 3, update],
  /** Noise that an update puts into a freshly drawn image at a time, by the place of both in its minibatch. */
  forwardNoise: (seed: number, update: number, place: number): StreamPath => [seed, 9, update, place],
  /** Prompts that reward-weighted training draws for a round. */
  roundPrompts: (seed: number, round: number): StreamPath => [seed, 10, round],
  /** The beginning of an adapter, by its place among them. */
  adapter: (seed: number, place: number): StreamPath => [seed, 4, place],
  /** Prompts whose pairs are held out, and times and noise at which they are measured. */
  heldOutPrompts: (seed: number): StreamPath => [seed, 5, 0],
  heldOutNoise: (seed: number): StreamPath => [seed, 5, 1],
  /** Noise that is put anew into an image of an update, the first, second, … time. */
  renoising: (seed: number, update: number, index: number, time: number): StreamPath => [seed, 9, update, index, time],
  /** The seed of the probe images of a prompt, by its place among the probes. */
  probes: (seed: number, prompt: number): StreamPath => [seed, 8, prompt],
}

/** Of pre-training images of a user's own, in a training of a policy. */
export const trainingImageStreams = {
  /** Which of the list are taken. */
  choice: (seed: number): StreamPath => [seed, 11],
  /** Crop and flip of an image, by its place in the list. */
  crop: (seed: number, index: number): StreamPath => [seed, 12, index],
  order: (seed: number, pass: number): StreamPath => [seed, 13, pass],
}

/** Of a training of a reward. */
export const rewardStreams = {
  /** Prompts that are held out, in the order of the attempts. */
  heldOut: (seed: number, attempt: number): StreamPath => [seed, 1, attempt],
  /** Wrong prompts for a prompt, by its place. */
  distractors: (seed: number, place: number): StreamPath => [seed, 2, place],
  /** From which the first weights of a head follow. */
  head: (seed: number): StreamPath => [seed, 3],
  /** Order of the examples of every epoch, and which texts are shown with them. */
  examples: (seed: number): StreamPath => [seed, 4],
  /** Prompts that an interval resamples. */
  interval: (seed: number): StreamPath => [seed, 5],
  /** From which the prompts of a member of an ensemble are drawn. */
  memberPrompts: (seed: number, member: number): StreamPath => [seed, 6, member],
  /** The seed that a member is fitted with. */
  member: (seed: number, member: number): StreamPath => [seed, 7, member],
  /** In which parts prompts are left out. */
  folds: (seed: number): StreamPath => [seed, 8],
  /** The seed of the images by which parts of a composed reward are brought to one scale: the same of every run. */
  baseImages: (): StreamPath => [0, 7106],
  /** The seed of the split by which the training of an encoder ends. */
  encoderSplit: (seed: number): StreamPath => [seed, 9],
  /** The beginning of an adapter of an encoder, by its place among them. */
  encoderAdapter: (seed: number, place: number): StreamPath => [seed, 10, place],
  /** Order and wordings of the pairs of an epoch of an encoder's training. */
  encoderPairs: (seed: number, epoch: number): StreamPath => [seed, 11, epoch],
  /** Prompts of a member, in the order of the attempts; `seed` is made of `memberPrompts`. */
  memberDraw: (seed: number, attempt: number): StreamPath => [seed, attempt],
}

/** Of a report. Trainings draw from other paths, so no image of a report was trained on. */
export const reportStreams = {
  /** The seed of the images of a candidate: 0 is what a policy is measured by, others are for best-of-n. */
  images: (seed: number, candidate: number): StreamPath => [seed, 7101, candidate],
  /** Noise of a roll-out on which the KL is measured. */
  kl: (seed: number, rollout: number): StreamPath => [seed, 7102, rollout],
  /** The twin of an image that a judge compares it with. */
  twin: (seed: number, image: number): StreamPath => [seed, 7103, image],
  /** A true image of what a prompt asks for. */
  wanted: (seed: number, image: number): StreamPath => [seed, 7105, image],
  /** The seed of all intervals. */
  intervals: (seed: number): StreamPath => [seed, 7104],
}

/** Of a feedback store, from its own seed. Most are no streams but lots: the number that a path makes. */
export const queueStreams = {
  /** The seed of all that one rater is asked, by the number of the name. */
  rater: (seed: number, name: number): StreamPath => [seed, name],
  /** What a task of a rater is: new, asked a second time, or gold. `rater` is a seed of the stream of that name. */
  task: (rater: number, mode: number, place: number): StreamPath => [rater, mode, place],
  /** Lots of an image and of a prompt among those that are as urgent. */
  imageLot: (rater: number, image: number): StreamPath => [rater, image],
  promptLot: (rater: number, place: number): StreamPath => [rater, place],
  /** Whether a second rater is asked about images too; the same for all raters. */
  overlap: (seed: number, images: readonly number[]): StreamPath => [seed, ...images],
}

/** Of the studio. */
export const studioStreams = {
  /** Prompts of a comparison, by its number. */
  comparison: (number: number): StreamPath => [number, 79],
  /** Prompts of a round. */
  round: (seed: number): StreamPath => [seed, 4870],
}

/** Of the embedded world. */
export const shapesStreams = {
  /** Scenes to pre-train on, and those that fidelity is measured against. */
  pretrainingScene: (index: number): StreamPath => [1, index],
  heldOutScene: (index: number): StreamPath => [2, index],
  /** Combinations of attributes that prompts are made of: the same everywhere. */
  combinations: (): StreamPath => [2305, 16381],
  /** An answer of the simulated rater, by the two halves of the image's id. */
  answer: (seed: number, high: number, low: number): StreamPath => [seed, high, low],
  /** From which the first weights of the networks follow. */
  generatorWeights: (seed: number): StreamPath => [seed, 11],
  clipWeights: (seed: number): StreamPath => [seed, 21],
  featureWeights: (seed: number): StreamPath => [seed, 31],
  /** Times and noise of a step of the generator's pre-training, and the captions that it drops. */
  generatorNoise: (seed: number, step: number): StreamPath => [seed, 12, step],
  droppedCaptions: (seed: number, step: number): StreamPath => [seed, 13, step],
  /** Noise on the pixels that the encoder and the fidelity network see. */
  clipNoise: (seed: number, step: number): StreamPath => [seed, 22, step],
  featureNoise: (seed: number, step: number): StreamPath => [seed, 32, step],
}

/** Of the study on rewards. */
export const studyStreams = {
  /** Prompts that nobody labels. */
  heldOut: (seed: number): StreamPath => [seed, 8101, 0],
  /** The order in which images are labelled. */
  labels: (seed: number): StreamPath => [seed, 8101, 1],
  /** Which labels are wrong. */
  errors: (seed: number): StreamPath => [seed, 8101, 2],
}
