/** Images that fidelity is measured against. */
import { globSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileError, FormatError } from '../errors.ts'
import { openPicture } from '../images/foreign-picture.ts'
import { LeftOut } from '../images/left-out.ts'
import type { Picture } from '../images/png.ts'
import type { ProgressStream } from '../progress.ts'
import { readDrawn } from './draw.ts'

/**
 * Drawn images of a report as they are, or the JPEG, PNG and WebP files of a folder in the order of their names, resized
 * and cropped around the centre to one size; the first two thousand at most. Files that are no images are left out.
 *
 * @param leftOut notes the files that are no images
 * @throws {FileError} nothing there, or no image in the folder
 */
export async function readReference(
  source: string,
  { width, height }: Pick<Picture, 'width' | 'height'>,
  leftOut: LeftOut = new LeftOut('reference images'),
): Promise<readonly Picture[]> {
  if (source.endsWith('.safetensors')) return readDrawn(source).pictures
  const files = isFolder(source) ? globSync('**/*.{jpg,jpeg,png,webp,JPG,JPEG,PNG,WEBP}', { cwd: source }).sort() : []
  const pictures: Picture[] = []
  for (let from = 0; from < files.length && pictures.length < mostPictures; from += atOnce) {
    const batch = files.slice(from, from + atOnce)
    const read = await Promise.all(
      batch.map((file) => leftOut.attempt(() => fitted(join(source, file), width, height))),
    )
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
/** Of files that may each be large. */
const atOnce = 8
const isFolder = (source: string) => statSync(source, { throwIfNoEntry: false })?.isDirectory() === true

/** @throws {FormatError} it is no image */
async function fitted(file: string, width: number, height: number): Promise<Picture> {
  try {
    const { image } = await openPicture(await readFile(file), file)
    const fitting = image.autoOrient().flatten({ background: '#fff' }).resize(width, height, { fit: 'cover' })
    return { bytes: new Uint8Array(await fitting.toColourspace('srgb').raw().toBuffer()), width, height }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause
    throw new FormatError({
      where: file,
      expected: 'a readable image',
      received: (cause as Error).message.split('\n')[0],
      remedy: 'restore the file, or take it out of the folder',
      cause,
    })
  }
}

/**
 * Reads the images of a folder once, before any is drawn: says which are broken.
 *
 * @param least how many there have to be
 * @returns how many there are
 * @throws {FileError} no such folder, or too few images in it
 */
export async function checkReference(source: string, least: number, stderr?: ProgressStream): Promise<number> {
  const leftOut = new LeftOut('reference images')
  const { length } = await readReference(source, { width: 8, height: 8 }, leftOut)
  leftOut.tell(stderr)
  if (length >= least) return length
  throw new FileError({
    where: `--reference-images ${source}`,
    expected: `at least ${least} images, two for each part of the interval`,
    received: String(length),
    remedy: 'add more images like those that the model should draw',
  })
}
