/** The file of a stored image. */
import { placeInside } from '../../files.ts'
import { readPngFile } from '../../images/png-file.ts'
import type { StoredImage } from '../store/known-rows.ts'

/**
 * Its bytes, which are those of a PNG.
 *
 * @throws {FileError} it is gone
 * @throws {FormatError} it lies outside of its folder, or is no PNG
 */
export function imageFile({ record, folder }: StoredImage): Uint8Array {
  const where = `image ${record.id} (${record.file})`
  return readPngFile(placeInside(folder, record.file, where), where)
}
