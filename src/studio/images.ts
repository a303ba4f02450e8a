/** The images of the store by their ids: where they lie, how large they are, and smaller copies of them. */
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { FormatError, StudioError } from '../errors.ts'
import type { StoredImage } from '../feedback/store/known-rows.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import { mostPixels } from '../images/foreign-picture.ts'
import { pngFault } from '../images/png-file.ts'
import type { ImageRef } from './schemas/basics.ts'

/** Bytes of a file that is read at once: to have it read beside costs more than it takes. */
const mostAtOnce = 100_000

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

  /** Where it lies. One that is not where it was may lie elsewhere since some process has deleted a run. @throws {StudioError} as {@link ref} */
  async #placeOf(id: string): Promise<Place> {
    const known = await this.find(id)
    try {
      return placeOf(known)
    } catch (error) {
      await this.#readList()
      const now = await this.find(id)
      if (now === known) throw error
      return placeOf(now)
    }
  }

  /** Its size is read from the file once. @throws {StudioError} no such image, or its file is gone */
  async ref(id: string): Promise<ImageRef> {
    const { file } = await this.#placeOf(id)
    return this.#refs.get(id) ?? this.#noted(id, pngHead(file))
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
    const place = await this.#placeOf(id)
    if (this.#whole.get(id) !== place.stamp) {
      if (place.size <= mostAtOnce) await this.#wholeBytes(id, place)
      else await this.#inTurn(() => this.#wholeBytes(id, place))
    }
    return this.#refs.get(id) ?? this.#noted(id, pngHead(place.file))
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
    const { file } = await this.#placeOf(id)
    return { record: (await this.find(id)).record, file }
  }

  /** The file, or a copy of it of at most `size` pixels a side. @throws {StudioError} as {@link wholeRef} */
  async bytes(id: string, size?: number): Promise<Uint8Array> {
    const place = await this.#placeOf(id)
    const { width, height } = await this.ref(id)
    if (size === undefined || Math.max(width, height) <= size) return await this.#wholeBytes(id, place)
    return await this.#inTurn(async () => {
      const { default: sharp } = await import('sharp')
      const smaller = sharp(await this.#wholeBytes(id, place))
        .resize(size, size, { fit: 'inside' })
        .png()
      return await smaller.toBuffer().catch(notFound)
    })
  }

  async #wholeBytes(id: string, { file, stamp, size }: Place): Promise<Uint8Array> {
    const bytes = size <= mostAtOnce ? readable(() => readFileSync(file)) : await readFile(file).catch(notFound)
    if (this.#whole.get(id) === stamp) return bytes
    if (pngFault(bytes) !== undefined) notFound()
    if (!this.#refs.has(id)) this.#noted(id, bytes)
    this.#whole.set(id, stamp)
    return bytes
  }

  #noted(id: string, head: Buffer): ImageRef {
    const ref = { id, ...readable(() => pngSize(head)) }
    this.#refs.set(id, ref)
    return ref
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

interface Place {
  /** Without links on the way. */
  readonly file: string
  /** Bytes. */
  readonly size: number
  /** Changes whenever the file does. */
  readonly stamp: string
}

/** A record comes from a file of ours or from an import: it never leads out of its folder. */
function placeOf({ folder, record }: StoredImage): Place {
  const [inside, file] = readable(() => [folder, join(folder, record.file)].map((path) => realpathSync.native(path)))
  const facts = readable(() => statSync(file))
  if (!facts.isFile() || !file.startsWith(inside + sep)) return notFound()
  return { file, size: facts.size, stamp: `${file} ${facts.mtimeMs} ${facts.size}` }
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

/** The beginning of a file, up to its width and height. */
function pngHead(file: string): Buffer {
  const head = Buffer.alloc(24)
  const descriptor = readable(() => openSync(file, 'r'))
  try {
    readable(() => readSync(descriptor, head, 0, head.length, 0))
  } finally {
    closeSync(descriptor)
  }
  return head
}

/** Width and height from the first chunk of a PNG file. @throws {FormatError} it is none, or too large to be shown */
function pngSize(head: Buffer): { width: number; height: number } {
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)]
  const isShown = width > 0 && height > 0 && width * height <= mostPixels
  if (head.toString('hex', 0, 8) === pngHeader && isShown) return { width, height }
  throw new FormatError({
    where: 'image',
    expected: 'a PNG file',
    received: 'another one',
    remedy: 'draw the image again',
  })
}
