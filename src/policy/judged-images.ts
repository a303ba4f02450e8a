/** Pairs of images of which people preferred one, as a training sees them: x_0 of each image, kept in the run until it is done. */
import { existsSync } from 'node:fs'
import { FileError } from '../errors.ts'
import { readCroppedPicture } from '../images/cropped-picture.ts'
import { encodeFiles } from '../images/encode.ts'
import { readEncodedImages, readForAll, writeEncodedImages } from '../images/encoded-images.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import { random } from '../random.ts'
import { preferencesOf } from '../reward/examples/preferences.ts'
import { readExamples, type StoredImageFile } from '../reward/examples/read-examples.ts'
import type { Comparison } from '../reward/examples/reward-examples.ts'
import type { Run } from '../run.ts'
import type { Group } from '../tensor/group.ts'
import { PartFiles } from '../tensor/part-files.ts'

const encodedName = 'judged.safetensors'
const partsName = 'judged-parts'
/** Files that go with the end of the run. */
export const judgedImagesScratch = [encodedName, partsName]

/** What people prefer among the images of a store; images of the pairs are places in the list of files. */
export interface StoredPairs {
  readonly pairs: readonly Comparison[]
  readonly images: readonly StoredImageFile[]
}

/**
 * Says how many prompts it leaves out.
 *
 * @param canRead whether the model knows the words of a prompt
 * @throws {FileError | FormatError} there is no such store, or an image is missing
 */
export async function readPairs(store: string, canRead?: (text: string) => boolean): Promise<StoredPairs> {
  const { examples, judged, unreadable } = await readExamples(store, canRead)
  if (unreadable > 0) {
    process.stderr.write(`note: images of ${unreadable} prompts are left out, whose words the model does not know\n`)
  }
  const pairs = preferencesOf(examples)
  const used = [...new Set(pairs.flatMap(({ better, worse }) => [better, worse]))].sort((a, b) => a - b)
  const placeOf = new Map(used.map((image, place) => [image, place]))
  const images = used.map((image) => judged[image])
  const missing = images.find(({ file }) => !existsSync(file))
  if (missing !== undefined) {
    throw new FileError({
      where: missing.file,
      expected: 'an image that people have judged',
      received: 'no such file',
      remedy: 'restore it, or keep the feedback store beside the folders of its images',
    })
  }
  return {
    pairs: pairs.map((pair) => ({ ...pair, better: placeOf.get(pair.better)!, worse: placeOf.get(pair.worse)! })),
    images,
  }
}

/**
 * x_0 of every image, cut to the model's size around its middle; what an earlier process of this run has encoded is read.
 *
 * @param key   of images and model
 * @param group its processes share the work, and the first one writes
 * @returns     [N, …] each on the CPU
 * @throws {FormatError} an image cannot be read
 */
export async function judgedImages(
  run: Run,
  model: GenerativeModel,
  images: readonly StoredImageFile[],
  key: string,
  group: Group,
): Promise<CleanStates> {
  const file = run.path(encodedName)
  const parts = new PartFiles(run.path(partsName), key)
  const known = readForAll(group, model, () => {
    const read = run.resumed ? readEncodedImages(file, key) : undefined
    return read && { states: read.states, numbers: read.rows }
  })
  if (known !== undefined) return known.states
  const cropping = { ...model.imageSize, centerCrop: true, randomFlip: false }
  const read = (batch: readonly StoredImageFile[]) =>
    Promise.all(batch.map((image) => readCroppedPicture(image.file, cropping, random(0))))
  const encoded = await encodeFiles(model, images, read, { label: 'judged images', parts, group })
  if (group.rank === 0) {
    writeEncodedImages(file, key, encoded)
    parts.remove()
  }
  return encoded.states
}
