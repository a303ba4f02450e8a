/** The weights of a network in a folder that diffusers or transformers wrote: found and checked by their headers alone. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { FileError, FormatError } from '../../errors.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { readSafetensorsHeader } from '../../tensor/safetensors.ts'
import { readConfig } from './component-config.ts'
import { isPickle, pickleFolderError } from './pickle.ts'
import { preferredForm, weightForms, type WeightStem, type WeightVariant } from './weight-names.ts'

/** A tensor as the header of its file describes it. */
export interface WeightEntry {
  readonly file: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** The tensor of the file that it is made from, if not the one of its own name and shape. */
  readonly from?: TensorSource
}

export interface TensorSource {
  readonly key: string
  /** Of three matrices below each other, the one to take: 0, 1 or 2. */
  readonly third?: number
  readonly transposed?: boolean
}

export interface FoundWeights {
  /** By key. */
  readonly entries: ReadonlyMap<string, WeightEntry>
  /** The safetensors files. */
  readonly files: readonly string[]
  /** What all tensors take as they are stored. */
  readonly bytes: number
  /** The precision in the files' names, where the plain ones are missing. */
  readonly variant?: WeightVariant
}

const remedy = 'the download is incomplete or damaged; fetch the checkpoint again'

/**
 * Finds `<stem>.safetensors`, or `<stem>.safetensors.index.json` with its shards, or, where only these are there, the
 * same in fp32, fp16 or bf16 (`<stem>.fp16.safetensors`). Reads headers only.
 *
 * @throws {FileError} no such weights, only pickles, or a missing shard
 * @throws {FormatError} names file and key: a broken index, a truncated file, an index and shards that contradict each
 * other
 */
export function findWeights(folder: string, stem: WeightStem): FoundWeights {
  const names = namesIn(folder)
  const form = preferredForm(weightForms(names, stem))
  if (form === undefined) throw nothingFound(folder, stem, names)
  const { variant, whole, index } = form
  const found = whole === undefined ? readShards(folder, index!) : readFiles([join(folder, whole)])
  return variant === undefined ? found : { ...found, variant }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    const received = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such folder' : (cause as Error).message
    throw new FileError({ where: folder, expected: 'a folder with weights', received, remedy, cause })
  }
}

function nothingFound(folder: string, stem: WeightStem, names: readonly string[]): FileError {
  const shards = [...weightForms(names, stem).values()].flatMap((form) => form.shards)
  const pickles = names.filter(isPickle)
  if (shards.length === 0 && pickles.length > 0) return pickleFolderError(folder, stem, pickles)
  return new FileError({
    where: folder,
    expected: `${stem}.safetensors, or ${stem}.safetensors.index.json with its shards`,
    received: shards.length > 0 ? `the shard ${shards[0]} without an index` : 'no weights of this name',
    remedy,
  })
}

const Index = z.object({
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/, 'a file’s name')),
})

function readShards(folder: string, index: string): FoundWeights {
  const where = join(folder, index)
  const { weight_map: shardOf } = readConfig(folder, index, Index)
  const shards = new Map(Object.entries(shardOf).map(([key, shard]) => [shard, key]))
  for (const [shard, key] of shards) {
    if (existsSync(join(folder, shard))) continue
    throw new FileError({ where: `${where} ${key}`, expected: `the shard ${shard}`, received: 'no such file', remedy })
  }
  const found = readFiles([...shards.keys()].sort().map((shard) => join(folder, shard)))
  for (const [key, shard] of Object.entries(shardOf)) {
    const file = found.entries.get(key)?.file
    if (file === join(folder, shard)) continue
    throw new FormatError({
      where: `${where} ${key}`,
      expected: `this tensor in ${shard}`,
      received: file === undefined ? 'a shard without it' : `it in ${basename(file)}`,
      remedy,
    })
  }
  return found
}

/** All tensors of one file. @throws {FileError | FormatError} see {@link findWeights} */
export const weightsOfFile = (file: string): FoundWeights => readFiles([file])

function readFiles(files: readonly string[]): FoundWeights {
  const entries = new Map<string, WeightEntry>()
  let bytes = 0
  for (const file of files) {
    for (const [key, { dtype, shape, begin, end }] of readSafetensorsHeader(file).entries) {
      const other = entries.get(key)?.file
      if (other !== undefined) {
        const received = `another in ${basename(other)}`
        throw new FormatError({ where: `${file} ${key}`, expected: 'one tensor of this name', received, remedy })
      }
      entries.set(key, { file, dtype, shape })
      bytes += end - begin
    }
  }
  return { entries, files, bytes }
}
