/** `images upload`: pictures of one's own with their prompts, to be judged like those that a policy drew. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { readCaptionedImages } from '../images/image-folder.ts'
import { LeftOut } from '../images/left-out.ts'
import { defaultModel } from '../model-names.ts'
import type { ProgressStream } from '../progress.ts'
import { categoryOf, parsePrompt } from '../prompts/templates.ts'
import type { PromptVocabulary } from '../prompts/vocabulary.ts'
import { addOwnImages, type AddedImages } from './formats/own-images.ts'
import { expectSize } from './formats/own-picture.ts'
import { resumeField } from '../run.ts'
import { addToFeedback } from './store/feedback-file.ts'

export const UploadConfig = z.strictObject({
  feedback: z.string().min(1).describe('Feedback store: a SQLite file, or postgres://….'),
  folder: z
    .string()
    .min(1)
    .describe(
      'PNG, JPEG and WebP files with their prompts: a folder with a metadata.jsonl or metadata.csv, or such a list.',
    ),
  model: z
    .string()
    .min(1)
    .default(defaultModel)
    .describe(
      'The model that the prompts are for. What one asks for is read in the words of the embedded one, shapes.',
    ),
  imageColumn: z.string().min(1).default('file_name').describe('Column of the list with the paths, relative to it.'),
  captionColumn: z.string().min(1).default('text').describe('Column of the list with the prompts.'),
  resume: resumeField.describe('Begins an unfinished upload of the same settings again, in its folder.'),
  out: z.string().min(1).describe('Run folder to write: a copy of each image.'),
})
export type UploadConfig = z.infer<typeof UploadConfig>

/**
 * Makes the images of a list known to a store. Rows and files that cannot be used are left out and named.
 *
 * @param vocabularyOf the words of a model, by which it is read from a prompt what it asks for
 * @throws {FormatError} the list is broken as a whole, or nothing of it can be used
 */
export async function uploadImages(
  { feedback, folder, resume, out, model, ...columns }: UploadConfig,
  vocabularyOf: (model: string) => PromptVocabulary | undefined = () => undefined,
  stderr: ProgressStream = process.stderr,
): Promise<AddedImages> {
  const vocabulary = vocabularyOf(model)
  const leftOut = new LeftOut('images')
  const listed = await readCaptionedImages(folder, columns, leftOut)
  leftOut.tell(stderr)
  return await addToFeedback(feedback, async (store) => {
    const images = listed.map(({ file, caption, bytes }) => {
      const attributes = vocabulary && parsePrompt(caption, vocabulary)
      return {
        text: caption,
        ...(attributes !== undefined && { attributes, category: categoryOf(attributes) }),
        name: basename(file),
        bytes: () => readPicture(file, bytes),
      }
    })
    const added = await addOwnImages(store, out, images, { folder, model, ...columns }, resume)
    for (const { file, reason } of added.broken) stderr.write(`images: left out ${file}: ${reason}\n`)
    if (added.added + added.known > 0) return added
    throw new FormatError({
      where: folder,
      expected: 'at least one image with a prompt',
      received: listed.length + leftOut.count === 0 ? 'an empty list' : 'none that can be used',
      remedy: 'mend what is named above, or give another folder',
    })
  })
}

async function readPicture(file: string, bytes: number): Promise<Uint8Array> {
  expectSize(bytes, basename(file))
  return new Uint8Array(await readFile(file))
}
