/**
 * Streams of random numbers by name: the path that follows is what `random`, `seedOf` and `noiseFor` take. All of them stand
 * side by side, since two that share a path would draw the same numbers. Each begins with the seed of a run.
 */

export type StreamPath = readonly [seed: number, ...place: readonly number[]]

/** Noise of an image of `images generate`, of samples of a training, of a report: x_T and every step. */
export const imageNoise = (seed: number, index: number): StreamPath => [seed, index]

/** Of trainings of a policy; one training is of one algorithm. */
export const policyStreams = {
  /** What a step chooses: prompts and transitions, or images and the prompts that are dropped. */
  choices: (seed: number, step: number): StreamPath => [seed, 1, step],
  /** Noise of one roll-out of an iteration. */
  rollout: (seed: number, iteration: number, index: number): StreamPath => [seed, 2, iteration, index],
  /** From which those of all parameters of a value function follow by their names. */
  valueWeights: (seed: number): StreamPath => [seed, 1],
  /** Rows of roll-outs that a value function is fitted to. */
  valueRows: (seed: number, fit: number): StreamPath => [seed, 2, fit],
  /** Times and noise that an update puts into generated images, and into pre-training images. */
  generatedNoise: (seed: number, update: number): StreamPath => [seed, 2, update],
  pretrainingNoise: (seed: number, update: number): StreamPath => [seed, 3, update],
  /** The beginning of an adapter, by its place among them. */
  adapter: (seed: number, place: number): StreamPath => [seed, 4, place],
}
