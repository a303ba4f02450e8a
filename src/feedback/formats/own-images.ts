/** Images that people bring: uploads, and what comes with the judgments of other tools. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { FormatError } from '../../errors.ts'
import { writeFileAtomic, writing } from '../../files.ts'
import type { ImageRecord, Prompt } from '../../records.ts'
import { startRun } from '../../run.ts'
import type { FeedbackStore } from '../store.ts'
import { ownPicture } from './own-picture.ts'

/** With its prompt, of which only the text is needed. */
export interface OwnImage extends Pick<Prompt, 'text'>, Partial<Omit<Prompt, 'text'>> {
  /** Of the file, as its owner knows it. */
  readonly name: string
  /** PNG, JPEG or WebP; read when it is the image's turn. */
  readonly bytes: Uint8Array | (() => Promise<Uint8Array>)
  /** What drew it, where that is known. */
  readonly model?: string
}

export interface AddedImages {
  /** Of each image that was given: its id, or undefined where it is broken. */
  readonly ids: readonly (string | undefined)[]
  readonly added: number
  /** Were in the store before, or twice among those given. */
  readonly known: number
  readonly broken: readonly { readonly file: string; readonly reason: string }[]
}

const longestText = 10_000

/**
 * Makes images known to the store: a copy of each as a PNG, in a finished run folder as `images generate` makes them.
 * Where no image is new, there is no folder. What cannot be read is left out and named.
 *
 * @param folder of the run to write
 * @param config recorded as the settings of the run
 * @throws {RunInUseError | FileError} the folder is in use or cannot be written; the store is as it was
 */
export async function addOwnImages(
  store: FeedbackStore,
  folder: string,
  images: readonly OwnImage[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<AddedImages> {
  const known = new Set((await store.images()).map(({ record }) => record.id))
  const before = known.size
  const broken: { file: string; reason: string }[] = []
  const records: ImageRecord[] = []
  using run = startRun({ folder, stage: 'images upload', config })
  writing(folder, () => mkdirSync(run.path('images')))
  const ids: (string | undefined)[] = []
  for (const image of images) {
    try {
      const { record, png } = await ownImage(image, records.length)
      ids.push(record.id)
      if (known.has(record.id)) continue
      known.add(record.id)
      writing(run.path(record.file), () => writeFileSync(run.path(record.file), png))
      records.push(record)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      ids.push(undefined)
      broken.push({ file: image.name, reason: reasonOf(error) })
    }
  }
  const added = known.size - before
  if (added > 0) {
    writeFileAtomic(run.path('images.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
    run.finish({ images: added, broken: broken.length })
    await store.addImages(records, folder)
  }
  return { ids, added, known: images.length - added - broken.length, broken }
}

async function ownImage(
  { text, id, category = 'other', attributes, name, bytes: given, model }: OwnImage,
  index: number,
): Promise<{ record: ImageRecord; png: Uint8Array }> {
  if (text.trim() === '' || text.length > longestText || text.includes('\0') || !text.isWellFormed()) {
    throw new FormatError({
      where: name,
      expected: `a prompt of 1 to ${longestText} whole characters without NUL`,
      received: text.trim() === '' ? 'nothing' : text.length > longestText ? `${text.length} characters` : 'others',
      remedy: 'correct the prompt',
    })
  }
  const bytes = typeof given === 'function' ? await given() : given
  const png = await ownPicture(bytes, name)
  const record: ImageRecord = {
    id: sha256(`${text}\0`, bytes).slice(0, 16),
    prompt: id ?? `own-${sha256(text).slice(0, 12)}`,
    text,
    category,
    ...(attributes === undefined ? {} : { attributes }),
    file: `images/${String(index).padStart(6, '0')}.png`,
    sha256: sha256(png),
    seed: 0,
    index,
    policy: 'uploaded',
    source: { name, sha256: sha256(bytes), ...(model === undefined ? {} : { model }) },
  }
  return { record, png }
}

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

const reasonOf = ({ expected, received, remedy }: FormatError) =>
  `expected ${expected}, received ${received} — ${remedy}`
