/** What the studio is sent, read in a process of its own, which `imports.ts` starts. */
import { readFile } from 'node:fs/promises'
import { findingByPath } from '../feedback/formats/foreign-json.ts'
import { addOwnImages, type AddedImages } from '../feedback/formats/own-images.ts'
import type { ImportFormatName } from '../feedback/formats/formats.ts'
import { openFeedback } from '../feedback/store/store.ts'
import { importFeedback, type ImportCounts } from '../feedback/transfer.ts'
import { serveLimited } from '../limited-process.ts'
import type { Prompt } from '../records.ts'

/** A file of judgments, with the pictures that came along. */
export interface JudgmentsTask {
  readonly file: string
  readonly format: ImportFormatName
  readonly rater: string
  /** Of the file, as its owner knows it. */
  readonly name: string
  /** Pictures on disk by the names under which they came. */
  readonly pictures: readonly (readonly [name: string, file: string])[]
}

/** Pictures on disk with their prompts. */
export interface PicturesTask {
  readonly images: readonly (Prompt & { readonly name: string; readonly file: string })[]
}

export type ImportTask = (JudgmentsTask | PicturesTask) & {
  /** A SQLite file, or `postgres://…`. */
  readonly feedback: string
  /** Run folder to write, where there are new images. */
  readonly folder: string
}

serveLimited(async (task: ImportTask): Promise<ImportCounts | AddedImages> => {
  await using store = await openFeedback(task.feedback)
  if ('images' in task) {
    const images = task.images.map(({ file, ...image }) => ({
      ...image,
      bytes: async () => new Uint8Array(await readFile(file)),
    }))
    return await addOwnImages(store, task.folder, images)
  }
  const { file, format, rater, name, folder } = task
  const pictures = new Map(task.pictures)
  return await importFeedback(store, file, {
    format,
    rater,
    name,
    folder,
    // Only what was sent along is looked at.
    findFile: findingByPath((sent) => pictures.get(sent)),
  })
})
