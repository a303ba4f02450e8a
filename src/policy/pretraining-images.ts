/** Pre-training images of a training that may weigh them: a user's own, or those of the model. */
import type { z } from 'zod'
import { ConfigError } from '../errors.ts'
import type { OpenModel, PretrainingSource } from '../images/open-model.ts'
import { openTrainingImages, type trainingImagesFields } from '../images/training-images.ts'
import type { Run } from '../run.ts'
import type { Group } from '../tensor/group.ts'
import { sourceInput } from './training-inputs.ts'

/** Latents of a user's own images, kept until the run is done. */
const latentsName = 'pretraining-latents.safetensors'
const partsName = `${latentsName}.parts`
/** Files that go with the end of the run. */
export const pretrainingScratch = [latentsName, partsName]

/** Of an endless source so many images stand for all. */
const sampled = 8

export type PretrainingConfig = z.infer<z.ZodObject<typeof trainingImagesFields>> & {
  readonly pretrainingWeight: number
  readonly seed: number
}

export interface PretrainingImages {
  readonly source: PretrainingSource
  /** See `training-inputs.ts`. */
  readonly inputs: Readonly<Record<string, string>>
}

/**
 * @param group its processes share the encoding
 * @throws {ConfigError} there are none, and a weight is on them
 */
export async function pretrainingImages(
  run: Run,
  config: PretrainingConfig,
  { model, pretraining }: OpenModel,
  group: Group,
): Promise<PretrainingImages> {
  if (config.pretrainingWeight === 0) return { source: noPretraining, inputs: {} }
  const { trainDataDir, seed } = config
  if (trainDataDir === null) {
    const source = pretraining ?? noPretraining()
    return { source, inputs: { 'pre-training images': sourceInput(source, sampled) } }
  }
  const cacheFile = run.path(latentsName)
  run.path(partsName)
  const { source, count } = await openTrainingImages({ ...config, trainDataDir }, model, { seed, cacheFile, group })
  return { source, inputs: { 'training images': sourceInput(source, count) } }
}

function noPretraining(): never {
  throw new ConfigError({
    where: '--pretraining-weight',
    expected: 'pre-training images in --train-data-dir, or 0',
    received: 'a positive weight and no images',
    remedy: 'give a folder of captioned images with --train-data-dir, or train with --pretraining-weight 0',
  })
}
