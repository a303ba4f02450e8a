/** The weights of a network that lies alone, under whatever name: a file, or a folder with it. */
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FileError } from '../../errors.ts'
import { findWeights, weightsOfFile, type FoundWeights } from './find-weights.ts'
import { isPickle, pickleFileError } from './pickle.ts'
import { resolveCheckpoint } from './resolve-checkpoint.ts'

/**
 * @param name a .safetensors file, a folder, or owner/name in the Hugging Face cache
 * @returns the weights, and the folder where what belongs to them would lie
 * @throws {FileError} nothing there, a pickle, or several files of which none is the model's
 * @throws {FormatError} a file that is not whole
 */
export function locateWeights(name: string): { readonly folder: string; readonly found: FoundWeights } {
  const isFile = statSync(name, { throwIfNoEntry: false })?.isFile() === true
  if (isFile && isPickle(name)) throw pickleFileError(name)
  if (isFile) return { folder: dirname(name), found: weightsOfFile(name) }
  const folder = resolveCheckpoint(name)
  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'))
  // What is no model of transformers has a name of its own.
  const isNamed = files.some((file) => file.startsWith('model'))
  if (isNamed || files.length === 0) return { folder, found: findWeights(folder, 'model') }
  if (files.length === 1) return { folder, found: weightsOfFile(join(folder, files[0])) }
  throw new FileError({
    where: folder,
    expected: 'model.safetensors, or one .safetensors file',
    received: files.sort().join(', '),
    remedy: 'name the file itself',
  })
}
