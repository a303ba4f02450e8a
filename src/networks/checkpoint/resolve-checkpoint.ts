/** From the name of a checkpoint to its folder. Nothing here reaches the network. */
import { statSync } from 'node:fs'
import { FileError } from '../../errors.ts'
import { cachedRevisions, cachedSnapshot, hubCache } from './hub-cache.ts'
import { parseHubName, type HubName } from './hub-name.ts'
import { isPickle, pickleFileError } from './pickle.ts'

/**
 * The folder of a checkpoint.
 *
 * @param name an existing folder; or `owner/name` or `owner/name@revision`, which are sought in the Hugging Face cache
 * @throws {FileError} neither is there, or the name is that of a file
 */
export function resolveCheckpoint(name: string): string {
  const found = statSync(name, { throwIfNoEntry: false })
  if (found?.isDirectory()) return name
  if (found !== undefined) throw fileError(name)
  const hubName = parseHubName(name)
  if (hubName === undefined) {
    throw new FileError({
      where: name,
      expected: 'a folder in diffusers’ layout, or owner/name of a model on the Hugging Face hub',
      received: 'no such folder',
      remedy: 'check the path',
    })
  }
  return cachedSnapshot(hubName) ?? notFound(name, hubName)
}

function notFound(where: string, { name, revision }: HubName): never {
  const known = cachedRevisions(name)
  const inCache = known.length === 0 ? 'and none in the cache' : `and in the cache only ${known.join(', ')} of it`
  throw new FileError({
    where,
    expected: `a folder, or revision ${revision} of a model in the Hugging Face cache ${hubCache()}`,
    received: `no such folder, ${inCache}`,
    remedy: `download it: attune model fetch ${name}${revision === 'main' ? '' : ` --revision ${revision}`}`,
  })
}

function fileError(file: string): FileError {
  if (isPickle(file)) return pickleFileError(file)
  return new FileError({
    where: file,
    expected: 'a folder in the layout of diffusers or transformers',
    received: 'a file',
    remedy: 'name the folder, or a model in one file as *.safetensors',
  })
}
