/** What a job will write into the workspace, by its settings. Free of Node: pages and server say the same. */
import { isPolicyStage, stages, type FormStage } from '../stages.ts'

interface Sizes {
  /** Of an image as it lies on the disk, bytes. */
  readonly imageBytes: number
  /** Of what is trained, in float32; 0 where it is not known. */
  readonly trainedBytes: number
}

/** The parameters and the two moments of AdamW. */
const statesOfOne = 3

/**
 * The most that lies there at once, bytes: images, checkpoints as many as are kept and the one that is being written, samples, and
 * the policy itself.
 *
 * @param valueOf a setting as it is set
 */
export function writtenBytes(stage: FormStage, valueOf: (setting: string) => unknown, sizes: Sizes): number {
  const { imageBytes, trainedBytes } = sizes
  const number = (setting: string) => {
    const value = valueOf(setting)
    return Array.isArray(value) ? value.length : typeof value === 'number' ? value : 0
  }
  if (stages[stage].kind === 'round') {
    return (number('prompts') || number('promptCount')) * number('perPrompt') * imageBytes
  }
  if (!isPolicyStage(stage)) return 0
  const states = statesOfOne + (number('emaDecay') > 0 ? 1 : 0)
  const checkpoints = (number('checkpointsKept') + 1) * states * trainedBytes
  const every = number('sampleEvery')
  const perStep = number('rolloutsPerIteration') || number('imagesPerUpdate') || 1
  const steps = number('updates') || Math.ceil(number('imagesDrawn') / perStep)
  const samples = every === 0 ? 0 : (Math.ceil(steps / every) + 1) * number('samples')
  return checkpoints + trainedBytes + samples * imageBytes
}
