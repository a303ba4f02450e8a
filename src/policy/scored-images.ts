/** Generated images as a training sees them: x_0 and score of each, kept in the run until it is done. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import { encodeFiles } from '../images/encode.ts'
import { readForAll } from '../images/encoded-images.ts'
import type { ImageOfRun } from '../images/image-run.ts'
import { namedStates, statesNamed } from '../images/named-states.ts'
import { readPictures } from '../images/pictures.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { expectTeaching } from '../reward/teaching-scores.ts'
import type { Run } from '../run.ts'
import { tensor } from '../tensor/create.ts'
import type { Group } from '../tensor/group.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { unscoped } from '../tensor/scope.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'
import type { ScoredImage } from './algorithm.ts'

const encodedName = 'encoded.safetensors'
/** The same in parts, until they are whole. */
const encodedPartsName = 'encoded-parts'
/** Files that go with the end of the run. */
export const scoredImagesScratch = [encodedName, encodedPartsName]

export interface ScoredImages {
  readonly images: readonly ScoredImage[]
  readonly meanReward: number
  /** [N, …] each on the CPU. */
  readonly states: CleanStates
  /** Writes them into the run, where they are not there yet: once it is known that something can be learned from them. */
  keep(): void
}

/**
 * x_0 and score of every image; what an earlier process of this run has computed of the same is read.
 *
 * @param key   of images, model and reward
 * @param group its processes share the work, and the first one writes
 * @throws {RewardError} the scores teach nothing
 */
export async function scoredImages(
  run: Run,
  model: GenerativeModel,
  reward: Reward,
  stored: readonly ImageOfRun[],
  key: string,
  group: Group,
): Promise<ScoredImages> {
  const file = run.path(encodedName)
  const withScores = (scores: readonly number[]) => ({
    images: stored.map(({ record: { text } }, i) => ({ text, score: scores[i] })),
    meanReward: scores.reduce((sum, score) => sum + score, 0) / scores.length,
  })
  const known = readForAll(group, model, () => (run.resumed ? knownImages(file, key) : undefined))
  if (known !== undefined) return { ...withScores(known.numbers), states: known.states, keep: () => undefined }
  const parts = new PartFiles(run.path(encodedPartsName), key)
  const { states, measured: scores } = await encodeFiles(
    model,
    stored,
    (images) => readPictures(images.map(({ file }) => file)),
    {
      label: 'generated images',
      ...{ parts, group },
      measure: (pictures, images) => {
        const texts = images.map(({ record }) => record.text)
        return scorePictures(reward, pictures, texts)
      },
    },
  )
  expectTeaching(reward.name, scores)
  return {
    ...withScores(scores),
    states,
    keep() {
      if (group.rank > 0) return
      using kept = unscoped(() => tensor(Float64Array.from(scores)))
      const tensors = new Map([...namedStates(states), ['scores', kept] as const])
      writeTrainingState(file, { tensors, numbers: { key } })
      parts.remove()
    },
  }
}

/** Nothing where the file is not there, is damaged or of other images, model or reward: then they are encoded again. */
function knownImages(file: string, key: string): { states: CleanStates; numbers: readonly number[] } | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { tensors, numbers } = unscoped(() => readTrainingState(file))
    const states = statesNamed(tensors)
    const scores = tensors.get('scores')
    if (numbers.key === key && states !== undefined && scores !== undefined) {
      return { states, numbers: scores.toArray() }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    process.stderr.write(`note: ${error.message}; the images are encoded again\n`)
  }
  return undefined
}
