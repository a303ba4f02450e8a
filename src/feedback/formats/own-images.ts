/** Images that people bring: uploads, and what comes with the judgments of other tools. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Disposables } from '../../disposables.ts'
import { FormatError, type Complaint } from '../../errors.ts'
import { sync, writeFileAtomic, writing } from '../../files.ts'
import { imageListName } from '../../images/image-run.ts'
import type { ImageRecord, Judgment, Prompt } from '../../records.ts'
import { configName, manifestName } from '../../run-folder.ts'
import { startRun, type Run } from '../../run.ts'
import type { ImagesOfFolder } from '../store/image-writes.ts'
import type { FeedbackStore } from '../store/store.ts'
import { ownPicture } from './own-picture.ts'

/** With its prompt, of which only the text is needed. */
export interface OwnImage extends Pick<Prompt, 'text'>, Partial<Omit<Prompt, 'text'>> {
  /** Of the file, as its owner knows it. */
  readonly name: string
  /** PNG, JPEG or WebP; read when it is the image's turn. Undefined, or a promise of it, where there is no file. */
  readonly bytes: Uint8Array | (() => Promise<Uint8Array | undefined>)
  /** What drew it, where that is known. */
  readonly model?: string
  /**
   * The image of the store that an export says it is. It is that one where prompt and picture agree: bytes of this
   * SHA-256, or the image's own file, or no file at all; or whatever the bytes are, where `sha256` is there but undefined.
   */
  readonly stated?: { readonly id: string; readonly sha256?: string | undefined }
}

/** What became of the images that were brought. */
export interface AddedImages {
  /** Of each image that was given: its id, or undefined where it is broken. */
  readonly ids: readonly (string | undefined)[]
  readonly added: number
  /** Were in the store before, or twice among those given. */
  readonly known: number
  readonly broken: readonly { readonly file: string; readonly reason: string }[]
}

const longestText = 10_000

/** What is wrong with a prompt, if anything. */
export function promptFault(text: string): Pick<Complaint, 'expected' | 'received' | 'remedy'> | undefined {
  const expected = `a prompt of 1 to ${longestText} whole characters without NUL`
  const fault = (received: string) => ({ expected, received, remedy: 'correct the prompt' })
  if (text.trim() === '') return fault('an empty one')
  if (text.length > longestText) return fault(`${text.length} characters`)
  if (text.includes('\0')) return fault('one with a NUL')
  return text.isWellFormed() ? undefined : fault('one with half a character')
}

/**
 * Makes images known to the store: a copy of each as a PNG, in a finished run folder as `images generate` makes them.
 * Where no image is new, there is no folder. What cannot be read is left out and named. An image is known by its prompt
 * and its bytes, whatever it is called.
 *
 * @param folder of the run to write
 * @param config recorded as the settings of the run
 * @param resume begin again where an earlier process broke off, and left such a run of these settings unfinished
 * @throws {RunInUseError | FileError} the folder is in use or cannot be written; the store is as it was
 */
export async function addOwnImages(
  store: FeedbackStore,
  folder: string,
  images: readonly OwnImage[],
  config: Readonly<Record<string, unknown>> = {},
  resume = false,
): Promise<AddedImages> {
  const { judgments: _none, ...added } = await bringImages(store, folder, images, { config, resume })
  return added
}

/**
 * {@link addOwnImages} with the judgments about them: all or nothing. Where there are no judgments, no image is added.
 * What an earlier call left in the folder when its process ended is written anew.
 *
 * @param drawn images of other runs that become known too
 * @param judgmentsOf the judgments, by the ids of the images that were given
 * @throws {FormatError | UnknownRecordError} a judgment is refused; the store is as it was, and there is no folder
 */
export async function addJudgedImages(
  store: FeedbackStore,
  folder: string,
  images: readonly OwnImage[],
  drawn: readonly ImagesOfFolder[],
  judgmentsOf: (ids: AddedImages['ids']) => readonly Judgment[],
): Promise<AddedImages & { readonly judgments: number }> {
  return await bringImages(store, folder, images, { config: {}, resume: true }, { drawn, judgmentsOf })
}

async function bringImages(
  store: FeedbackStore,
  folder: string,
  images: readonly OwnImage[],
  { config, resume }: { readonly config: Readonly<Record<string, unknown>>; readonly resume: boolean },
  judged?: {
    readonly drawn: readonly ImagesOfFolder[]
    readonly judgmentsOf: (ids: AddedImages['ids']) => readonly Judgment[]
  },
): Promise<AddedImages & { readonly judgments: number }> {
  const others = judged?.drawn.flatMap(({ records }) => records) ?? []
  const known = [...(await store.images()).map(({ record }) => record), ...others]
  const stored = new Map(known.map((record) => [record.id, record]))
  const seen = new Map<string, Seen>([...stored.keys()].map((id) => [id, { id }]))
  const records: ImageRecord[] = []
  using begun = new Disposables()
  let run: Run | undefined
  const runOf = (): Run => {
    if (run !== undefined) return run
    const fresh = begun.use(startRun({ folder, stage: 'images upload', config, resume }))
    writing(folder, () => mkdirSync(fresh.path('images'), { recursive: true }))
    return (run = fresh)
  }
  if (judged === undefined) runOf()
  const bring = async (image: OwnImage): Promise<Seen> => {
    const bytes = typeof image.bytes === 'function' ? await image.bytes() : image.bytes
    const id = statedId(image, bytes, stored) ?? contentId(image.text, bytes)
    const before = seen.get(id)
    if (before !== undefined) return before
    const outcome = await attempt(async () => {
      const { record, png } = await ownImage(image, id, bytes, records.length)
      const file = runOf().path(record.file)
      writing(file, () => writeFileSync(file, png, { flush: true }))
      records.push(record)
      return { id }
    })
    if (bytes !== undefined) seen.set(id, outcome)
    return outcome
  }
  const found: Seen[] = []
  for (const image of images) found.push(await attempt(() => bring(image)))
  const ids = found.map((one) => ('id' in one ? one.id : undefined))
  const broken = found.flatMap((one, i) => ('id' in one ? [] : [{ file: images[i].name, reason: one.reason }]))
  const judgments = judged?.judgmentsOf(ids)
  const isKept = judgments === undefined || judgments.length > 0
  const [own, drawn] = isKept ? [records, judged?.drawn ?? []] : [[], []]
  if (own.length > 0) {
    removeOthers(runOf().path('images'), own)
    sync(runOf().path('images'))
    writeFileAtomic(runOf().path(imageListName), own.map((record) => `${JSON.stringify(record)}\n`).join(''))
    runOf().finish({ images: own.length, broken: broken.length })
  }
  const addition = { images: [...drawn, { records: own, folder }], judgments: judgments ?? [] }
  const { judgments: fresh } = await store.add(addition).catch((error: unknown) => {
    if (own.length > 0) removeRun(folder)
    throw error
  })
  return { ids, added: own.length, known: images.length - own.length - broken.length, broken, judgments: fresh }
}

/** An image that can be had, or why it cannot. */
type Seen = { readonly id: string } | { readonly reason: string }

/** Copies that a process which broke off has made of what is not brought any more. */
function removeOthers(folder: string, records: readonly ImageRecord[]): void {
  const own = new Set(records.map(({ file }) => basename(file)))
  const others = readdirSync(folder).filter((name) => /^\d{6}\.png$/.test(name) && !own.has(name))
  for (const name of others) rmSync(join(folder, name))
}

/** Of this call alone: the folder was new or empty before. */
function removeRun(folder: string): void {
  for (const name of [manifestName, imageListName, 'images', configName]) {
    rmSync(join(folder, name), { recursive: true, force: true })
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

function statedId(
  { text, stated }: OwnImage,
  bytes: Uint8Array | undefined,
  images: ReadonlyMap<string, ImageRecord>,
): string | undefined {
  const record = stated && images.get(stated.id)
  if (stated === undefined || record?.text !== text) return undefined
  const isUnsaid = 'sha256' in stated && stated.sha256 === undefined
  if (bytes === undefined || isUnsaid) return record.id
  return [record.sha256, stated.sha256].includes(sha256(bytes)) ? record.id : undefined
}

const contentId = (text: string, bytes: Uint8Array = new Uint8Array()) => sha256(`${text}\0`, bytes).slice(0, 16)

async function attempt(bring: () => Promise<Seen>): Promise<Seen> {
  try {
    return await bring()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { reason: reasonOf(error) }
  }
}

async function ownImage(
  { text, id: prompt, category = 'other', attributes, name, model }: OwnImage,
  id: string,
  bytes: Uint8Array | undefined,
  index: number,
): Promise<{ record: ImageRecord; png: Uint8Array }> {
  const fault = promptFault(text)
  if (fault !== undefined) throw new FormatError({ where: name, ...fault })
  if (bytes === undefined) {
    throw new FormatError({
      where: name,
      expected: 'an image beside the file of judgments',
      received: 'none of this name',
      remedy: 'put it there, or name the folder that it is in',
    })
  }
  const png = await ownPicture(bytes, name)
  const record: ImageRecord = {
    id,
    prompt: prompt ?? `own-${sha256(text).slice(0, 12)}`,
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
