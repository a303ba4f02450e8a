/** The file of a stored image. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FileError } from '../../errors.ts'
import type { StoredImage } from '../store.ts'

/** @throws {FileError} it is gone */
export function imageFile({ record, folder }: StoredImage): Uint8Array {
  try {
    return readFileSync(join(folder, record.file))
  } catch (cause) {
    throw new FileError({
      where: `image ${record.id} (${record.file})`,
      expected: 'a file in the folder that it was drawn into',
      received: (cause as NodeJS.ErrnoException).code ?? 'none',
      remedy: 'restore the folder, or import its images from where they are now',
      cause,
    })
  }
}
