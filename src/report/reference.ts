/** Images that fidelity is measured against. */
import { statSync } from 'node:fs'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { FileError } from '../errors.ts'
import type { Picture } from '../images/png.ts'
import { readDrawn } from './draw.ts'

/**
 * Drawn images of a report as they are, or the JPEG, PNG and WebP files of a folder in the order of their names, resized
 * and cropped around the centre to one size; the first two thousand at most. Files that are no images are left out.
 *
 * @throws {FileError} nothing there, or no image in the folder
 */
export async function readReference(
  source: string,
  { width, height }: Pick<Picture, 'width' | 'height'>,
): Promise<readonly Picture[]> {
  if (source.endsWith('.safetensors')) return readDrawn(source).pictures
  const files = isFolder(source) ? globSync('**/*.{jpg,jpeg,png,webp,JPG,JPEG,PNG,WEBP}', { cwd: source }).sort() : []
  const pictures: Picture[] = []
  for (let from = 0; from < files.length && pictures.length < mostPictures; from += atOnce) {
    const batch = files.slice(from, from + atOnce)
    const read = await Promise.all(batch.map((file) => fitted(join(source, file), width, height)))
    pictures.push(...read.filter((picture) => picture !== undefined))
  }
  if (pictures.length > 0) return pictures
  throw new FileError({
    where: source,
    expected: 'a folder with JPEG, PNG or WebP images',
    received: isFolder(source) ? `${files.length} files of these kinds, none readable` : 'no such folder',
    remedy: 'give a folder of images like those that the model should draw',
  })
}

const mostPictures = 2000
const atOnce = 50
const isFolder = (source: string) => statSync(source, { throwIfNoEntry: false })?.isDirectory() === true

async function fitted(file: string, width: number, height: number): Promise<Picture | undefined> {
  try {
    const image = sharp(file).rotate().flatten({ background: '#fff' }).resize(width, height, { fit: 'cover' })
    return { bytes: new Uint8Array(await image.toColourspace('srgb').raw().toBuffer()), width, height }
  } catch {
    return undefined
  }
}
