/**
 * Images with captions of a user's own as pre-training data, for the β term of reward-weighted training.
 *
 * Departures from diffusers' text-to-image examples:
 * 1. An image is encoded once, so its crop and its flip stay the same in every pass over the images.
 * 2. It is encoded as the mean of the autoencoder's posterior, not as a new sample of it for every update.
 * 3. Crop and flip depend on the seed and on the place of the image in its list, not on what was read before it.
 * 4. Images that cannot be read are left out and named.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { FormatError } from '../errors.ts'
import { mapStates, type CleanStates, type GenerativeModel } from '../networks/generative-model.ts'
import type { ProgressStream } from '../progress.ts'
import { random } from '../random.ts'
import { trainingImageStreams as streams } from '../streams.ts'
import { tensor } from '../tensor/create.ts'
import { alone, gatherValues, type Group } from '../tensor/group.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { readCroppedPicture } from './cropped-picture.ts'
import { encodeFiles } from './encode.ts'
import { readEncodedImages, readForAll, writeEncodedImages, type EncodedImages } from './encoded-images.ts'
import { readCaptionedImages, type CaptionedImage } from './image-folder.ts'
import { LeftOut } from './left-out.ts'
import type { PretrainingSource } from './open-model.ts'

/** Config fields of a stage that trains on a user's own images, in diffusers' words. */
export const trainingImagesFields = {
  trainDataDir: optionalText.describe(
    'Captioned images for the pre-training loss: a folder with a metadata.jsonl or metadata.csv, or such a list itself; the model’s own without it.',
  ),
  imageColumn: z.string().min(1).default('file_name').describe('Column of the list with the paths, relative to it.'),
  captionColumn: z.string().min(1).default('text').describe('Column of the list with the captions.'),
  maxTrainSamples: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Takes so many of the images, chosen by the seed; all without it.'),
  centerCrop: z.boolean().default(false).describe('Cuts out the middle of an image, not a random part of it.'),
  randomFlip: z.boolean().default(false).describe('Mirrors half of the images.'),
}
type TrainingImages = z.infer<z.ZodObject<typeof trainingImagesFields>> & { readonly trainDataDir: string }

export interface TrainingImagesOptions {
  /** Of the choice, the crops, the flips and the order of the images. */
  readonly seed: number
  /**
   * Safetensors file for the encoded images; read where it is of these images and settings, else written anew. Until it
   * is whole, its parts lie in a folder of this name with `.parts` behind it.
   */
  readonly cacheFile: string
  /** Where what is left out is named. */
  readonly stderr?: ProgressStream
  /** Its processes share the encoding, and the first one writes. */
  readonly group?: Group
}

/** Images that are trained on, over and over. */
export interface OpenTrainingImages {
  /** Places from 0 on, without end: place p is of pass ⌊p / count⌋; its tensors belong to the scope in force. */
  readonly source: PretrainingSource
  readonly count: number
}

/**
 * Encodes the images, or reads what an earlier process has encoded. Every pass over them has its own order, which depends
 * on the seed and the number of the pass. Holds one batch of pictures at a time, and the clean states on the CPU, float32.
 *
 * @throws {FileError | ConfigError} no such folder or list, or a list of another format; the cache cannot be written
 * @throws {FormatError} the list is broken as a whole, or no image of it can be used
 */
export async function openTrainingImages(
  config: TrainingImages,
  model: GenerativeModel,
  { seed, cacheFile, stderr = process.stderr, group = alone }: TrainingImagesOptions,
): Promise<OpenTrainingImages> {
  const leftOut = new LeftOut('training images')
  const listed = await readCaptionedImages(config.trainDataDir, config, leftOut)
  leftOut.tell(stderr)
  const chosen = chosenOf(listed, config.maxTrainSamples, seed)
  const key = keyOf(chosen, config, model, seed)
  const known = readForAll(group, model, () => {
    const read = readEncodedImages(cacheFile, key)
    return read && { states: read.states, numbers: read.rows }
  })
  const parts = new PartFiles(`${cacheFile}.parts`, key)
  const encoded =
    known === undefined
      ? await encodeImages(chosen, config, model, seed, leftOut, { parts, group })
      : { states: known.states, rows: known.numbers }
  leftOut.gather((own) => gatherValues(group, own))
  leftOut.tell(stderr)
  if (encoded.rows.length === 0) {
    throw new FormatError({
      where: `--train-data-dir ${config.trainDataDir}`,
      expected: 'at least one image with a caption',
      received: leftOut.count === 0 ? 'an empty list' : `${leftOut.count} rows, none of which can be used`,
      remedy: 'mend what is named above, or give another folder',
    })
  }
  if (group.rank === 0) {
    if (known === undefined) writeEncodedImages(cacheFile, key, encoded)
    parts.remove()
  }
  const captions = encoded.rows.map((row) => chosen[row].caption)
  return { source: endless(encoded.states, captions, seed), count: captions.length }
}

function chosenOf(listed: readonly CaptionedImage[], most: number | null, seed: number): readonly CaptionedImage[] {
  if (most === null || listed.length <= most) return listed
  const chosen = random(...streams.choice(seed))
    .shuffle(listed)
    .slice(0, most)
  return chosen.sort((a, b) => a.index - b.index)
}

async function encodeImages(
  chosen: readonly CaptionedImage[],
  { centerCrop, randomFlip }: TrainingImages,
  model: GenerativeModel,
  seed: number,
  leftOut: LeftOut,
  { parts, group }: { readonly parts: PartFiles; readonly group: Group },
): Promise<EncodedImages> {
  const cropping = { ...model.imageSize, centerCrop, randomFlip }
  const read = ({ file, index }: CaptionedImage) =>
    leftOut.attempt(() => readCroppedPicture(file, cropping, random(...streams.crop(seed, index))))
  const options = { label: 'training images', parts, group }
  return await encodeFiles(model, chosen, (batch) => Promise.all(batch.map(read)), options)
}

/** All that the states depend on; captions are read from the list every time. */
function keyOf(
  chosen: readonly CaptionedImage[],
  config: TrainingImages,
  model: GenerativeModel,
  seed: number,
): string {
  const { centerCrop, randomFlip } = config
  const { sha256, stages, policyStage, imageSize, weights } = model
  const shapes = stages.slice(0, policyStage + 1).map(({ stateShape }) => stateShape)
  const files = chosen.map(({ file, index, bytes, modifiedMs }) => [file, index, bytes, modifiedMs])
  const all = [sha256, weights.dtype, shapes, imageSize, centerCrop, randomFlip, seed, files]
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

function endless(states: CleanStates, captions: readonly string[], seed: number): PretrainingSource {
  const places = [...captions.keys()]
  let pass = -1
  let order: readonly number[] = []
  const rowAt = (place: number) => {
    const wanted = Math.floor(place / places.length)
    if (wanted !== pass) order = random(...streams.order(seed, (pass = wanted))).shuffle(places)
    return order[place % places.length]
  }
  return (from, count) => {
    const rows = Array.from({ length: count }, (_, i) => rowAt(from + i))
    using index = tensor(rows, [count], 'int64')
    return { ...mapStates(states, (all) => all.indexSelect(0, index)), captions: rows.map((row) => captions[row]) }
  }
}
