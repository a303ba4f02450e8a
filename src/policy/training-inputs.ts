/** SHA-256 of what a training run depends on beside its settings, so that it goes on from the same only. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { hashOfJson } from '../content-hash.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import { cachedSnapshot } from '../networks/checkpoint/hub-cache.ts'
import { parseHubName } from '../networks/checkpoint/hub-name.ts'
import { hashWeights } from '../networks/checkpoint/hash-weights.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { gatherValues, shareOf, type Group } from '../tensor/group.ts'
import { tensorScope } from '../tensor/scope.ts'

/** Of the content of one file. @throws {FileError} */
export const fileInput = (file: string): string => hashWeights([file])

/**
 * Of a model: the weights of its predictions, which it has hashed itself, and of a checkpoint in a folder its autoencoder,
 * its tokenizers and all its configurations.
 *
 * @param name as it was opened
 */
export function modelInput(name: string, { sha256 }: GenerativeModel): string {
  const folder = folderOf(name)
  if (folder === undefined) return sha256
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(({ parentPath, name: file }) => join(parentPath, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => ({ file, place: relative(folder, file).replaceAll('\\', '/') }))
    .filter(
      ({ place }) => /^([^/]+\/)?[^/]+\.(json|txt|model)$/.test(place) || /^vae\/[^/]+\.(safetensors|bin)$/.test(place),
    )
    .sort((a, b) => (a.place < b.place ? -1 : 1))
  return hashOfJson([sha256, ...files.map(({ file, place }) => [place, fileInput(file)])])
}

function folderOf(name: string): string | undefined {
  const found = statSync(name, { throwIfNoEntry: false })
  if (found !== undefined) return found.isDirectory() ? name : undefined
  const hubName = parseHubName(name)
  return hubName && cachedSnapshot(hubName)
}

/** A picture on the disk with its prompt. */
interface PromptedFile {
  readonly text: string
  readonly file: string
}

/** Of pictures and prompts, as they are on the disk now; each process of a group reads its share. @throws {FileError} */
export function imagesInput(images: readonly PromptedFile[], group: Group): string {
  const { from, to } = shareOf(group, images.length)
  const own = images.slice(from, to).map(({ file }) => createHash('sha256').update(readFileSync(file)).digest('hex'))
  const hashes = gatherValues(group, own).flat()
  return hashOfJson(images.map(({ text }, i) => [text, hashes[i]]))
}

const atOnce = 64

/** Of the first images of a source of pre-training images, with their captions. */
export function sourceInput(source: PretrainingSource, count: number): string {
  const hash = createHash('sha256')
  for (let from = 0; from < count; from += atOnce) {
    using _scope = tensorScope()
    const { x0, earlier, captions } = source(from, Math.min(atOnce, count - from))
    for (const state of [x0, ...earlier]) hash.update(new Uint8Array(state.contiguous().toBytes()))
    hash.update(JSON.stringify(captions))
  }
  return hash.digest('hex')
}
