/** A Stable Diffusion checkpoint, a folder or a single file: its networks and schedule, checked, with nothing loaded yet. */
import { statSync } from 'node:fs'
import { ConfigError } from '../../errors.ts'
import { readScheduler, type NoiseSetup } from '../../diffusion/scheduler-config.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { resolveCheckpoint } from '../checkpoint/resolve-checkpoint.ts'
import type { ImageSize, Sampling } from '../generative-model.ts'
import type { CheckpointParts } from './checked-parts.ts'
import type { CheckpointOptions } from './checkpoint-fields.ts'
import { folderParts } from './folder-parts.ts'
import { samplingDefaults } from './sampling-defaults.ts'
import { openAutoencoder, singleFileParts } from './single-file.ts'

export interface CheckedCheckpoint extends CheckpointParts {
  readonly noise: NoiseSetup
  /** Of the images that it was trained on. */
  readonly imageSize: ImageSize
  readonly sampling: Sampling
  /** SHA-256 of the weights that take part in a prediction; of a single file, of the whole. */
  readonly sha256: () => string
}

/**
 * Reads the configurations and the headers of the weights of all parts.
 *
 * @param name a folder, a .safetensors file, or owner/name in the Hugging Face cache
 * @throws {FileError} a part is missing
 * @throws {FormatError} names file and field or key: a class that is not supported, weights that do not fit their
 * configuration, parts that do not fit each other
 * @throws {ConfigError} what has to be said of a single file, because nothing in it tells
 */
export function checkCheckpoint(name: string, options: CheckpointOptions = {}): CheckedCheckpoint {
  const parts = isSingleFile(name) ? singleFileParts(name, options) : inFolder(resolveCheckpoint(name), options)
  const { pipeline, unet, vae, towers, scheduler } = parts
  const isXl = pipeline === 'StableDiffusionXLPipeline'
  const noise = readScheduler(
    {
      ...scheduler.json,
      // What StableDiffusionPipeline sets right in the files of old checkpoints.
      ...(!isXl && { clip_sample: false, steps_offset: 1 }),
      ...(options.predictionType && { prediction_type: options.predictionType }),
    },
    scheduler.where,
  )
  const { sampling, note } = samplingDefaults([name, parts.formerName ?? ''], unet.config, noise)
  const [latentHeight, latentWidth] = unet.config.sampleSize ?? (isXl ? [128, 128] : [64, 64])
  const { factor } = vae.config
  const files = [...unet.network.found.files, ...towers.flatMap((tower) => tower.network.found.files)]
  return {
    ...parts,
    noise,
    sampling,
    notes: [noise.note, note, ...parts.notes].filter((one) => one !== undefined),
    imageSize: { width: latentWidth * factor, height: latentHeight * factor },
    sha256: () => hashWeights([...new Set(files)]),
  }
}

/** Whether the name is that of a file with all parts in it. */
export function isSingleFile(name: string): boolean {
  return /\.safetensors$/i.test(name) && statSync(name, { throwIfNoEntry: false })?.isFile() === true
}

function inFolder(folder: string, { vae, modelConfig }: CheckpointOptions): CheckpointParts {
  if (modelConfig) {
    throw new ConfigError({
      where: '--model-config',
      expected: 'a single file as --model',
      received: folder,
      remedy: 'leave it out: the folder has a configuration of its own',
    })
  }
  return folderParts(folder, vae ? (own) => openAutoencoder(vae, own.scalingFactor) : undefined)
}
