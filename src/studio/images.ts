/** The images of the store by their ids: where they lie, how large they are, and smaller copies of them. */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { FormatError, StudioError } from '../errors.ts'
import type { StoredImage } from '../feedback/store/known-rows.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import { mostPixels } from '../images/foreign-picture.ts'
import { pngFault } from '../images/png-file.ts'
import type { ImageRef } from './schemas/basics.ts'

export class ImageShelf {
  readonly #store: FeedbackStore
  readonly #refs = new Map<string, ImageRef>()
  /** Of each image how its file was when it was found to be whole. */
  readonly #whole = new Map<string, string>()
  #byId = new Map<string, StoredImage>()
  /** Each ends when a picture that is being made smaller is done. */
  readonly #turns: Promise<void>[] = [Promise.resolve(), Promise.resolve()]
  /** The list that `#byId` was made from. */
  #listed: readonly StoredImage[] | undefined

  constructor(store: FeedbackStore) {
    this.#store = store
  }

  /** @throws {StudioError} no such image */
  async find(id: string): Promise<StoredImage> {
    if (!this.#byId.has(id)) await this.#readList()
    return this.#byId.get(id) ?? notFound()
  }

  async #readList(): Promise<void> {
    const images = await this.#store.images()
    if (images !== this.#listed) this.#byId = new Map(images.map((image) => [image.record.id, image]))
    this.#listed = images
  }

  /** Its absolute file. One that is not where it was may lie elsewhere since some process has deleted a run. @throws {StudioError} as {@link ref} */
  async #fileOf(id: string): Promise<string> {
    const known = await this.find(id)
    try {
      return fileOf(known)
    } catch (error) {
      await this.#readList()
      const now = await this.find(id)
      if (now === known) throw error
      return fileOf(now)
    }
  }

  /** Its size is read from the file once. @throws {StudioError} no such image, or its file is gone */
  async ref(id: string): Promise<ImageRef> {
    const file = await this.#fileOf(id)
    const known = this.#refs.get(id)
    if (known !== undefined) return known
    const ref = { id, ...readable(() => pngSize(file)) }
    this.#refs.set(id, ref)
    return ref
  }

  /** Undefined where {@link ref} would throw: a picture that is gone is no reason to show none of the others. */
  async refIfThere(id: string): Promise<ImageRef | undefined> {
    return await ifThere(() => this.ref(id))
  }

  /**
   * {@link ref} of an image that somebody is to judge: a browser shows a part of a torn file as if it were all of it.
   *
   * @throws {StudioError} as {@link ref}, or a part of its file is damaged or missing
   */
  async wholeRef(id: string): Promise<ImageRef> {
    const ref = await this.ref(id)
    const file = await this.#fileOf(id)
    if (this.#whole.get(id) !== stampOf(file)) await this.#inTurn(() => this.#wholeBytes(id, file))
    return ref
  }

  /** Undefined where {@link wholeRef} would throw. */
  async wholeRefIfThere(id: string): Promise<ImageRef | undefined> {
    return await ifThere(() => this.wholeRef(id))
  }

  /** @throws {StudioError} as {@link wholeRef} */
  wholeRefs(ids: readonly string[]): Promise<ImageRef[]> {
    return Promise.all(ids.map((id) => this.wholeRef(id)))
  }

  /** The record and the absolute file of an image. @throws {StudioError} as {@link wholeRef} */
  async wholeFile(id: string): Promise<{ readonly record: StoredImage['record']; readonly file: string }> {
    await this.wholeRef(id)
    const file = await this.#fileOf(id)
    return { record: (await this.find(id)).record, file }
  }

  /** The file, or a copy of it of at most `size` pixels a side. @throws {StudioError} as {@link wholeRef} */
  async bytes(id: string, size?: number): Promise<Uint8Array> {
    const file = await this.#fileOf(id)
    const { width, height } = await this.ref(id)
    if (size === undefined || Math.max(width, height) <= size) return await this.#wholeBytes(id, file)
    return await this.#inTurn(async () => {
      const { default: sharp } = await import('sharp')
      const smaller = sharp(await this.#wholeBytes(id, file))
        .resize(size, size, { fit: 'inside' })
        .png()
      return await smaller.toBuffer().catch(notFound)
    })
  }

  async #wholeBytes(id: string, file: string): Promise<Uint8Array> {
    const stamp = stampOf(file)
    const bytes = await readFile(file).catch(notFound)
    if (this.#whole.get(id) === stamp) return bytes
    if (pngFault(bytes) !== undefined) notFound()
    this.#whole.set(id, stamp)
    return bytes
  }

  /** So many large pictures at once are in memory, however many are asked for. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.shift() ?? Promise.resolve()
    const done = Promise.withResolvers<void>()
    this.#turns.push(done.promise)
    await turn
    try {
      return await work()
    } finally {
      done.resolve()
    }
  }
}

/** A record comes from a file of ours or from an import: it never leads out of its folder. */
function fileOf({ folder, record }: StoredImage): string {
  const [inside, file] = readable(() => [realpathSync(folder), realpathSync(join(folder, record.file))])
  const isFile = readable(() => statSync(file)).isFile()
  return isFile && file.startsWith(inside + sep) ? file : notFound()
}

/** Changes whenever the file does. */
function stampOf(file: string): string {
  const { mtimeMs, size } = readable(() => statSync(file))
  return `${file} ${mtimeMs} ${size}`
}

async function ifThere(find: () => Promise<ImageRef>): Promise<ImageRef | undefined> {
  try {
    return await find()
  } catch (error) {
    if (error instanceof StudioError) return undefined
    throw error
  }
}

/** A file that is torn, or none, is as good as gone. */
function readable<T>(read: () => T): T {
  try {
    return read()
  } catch {
    return notFound()
  }
}

function notFound(): never {
  throw new StudioError(404, 'not-found', {
    where: 'image',
    expected: 'an image of this studio',
    received: 'an unknown id, or one whose file is gone',
    remedy: 'reload the page',
  })
}

const pngHeader = '89504e470d0a1a0a'

/** Width and height from the first chunk of a PNG file. @throws {FormatError} it is none, or too large to be shown */
function pngSize(file: string): { width: number; height: number } {
  const bytes = Buffer.alloc(24)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(descriptor)
  }
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const isShown = width > 0 && height > 0 && width * height <= mostPixels
  if (bytes.toString('hex', 0, 8) === pngHeader && isShown) return { width, height }
  throw new FormatError({
    where: 'image',
    expected: 'a PNG file',
    received: 'another one',
    remedy: 'draw the image again',
  })
}
