/**
 * Reading what a request brings: piece by piece, never more than its route allows, and never for as long as a caller likes.
 * Who calls has been told by then.
 */
import { refuse, tooMany } from './failures.ts'

/** How long a body may take. */
export interface Patience {
  /** For the first bytes, and for any body however small. */
  readonly startMs: number
  /** Beyond that: as slow as this on average. */
  readonly bytesPerSecond: number
}
/** Nobody knows how fast others send: ask again soon. */
const usualWaitSeconds = 5
export const usualPatience: Patience = { startMs: 30_000, bytesPerSecond: 20_000 }

/** What one request holds of a {@link Budget}, until it is disposed. */
interface Hold extends Disposable {
  /** @throws {StudioError} more than there may be at once */
  take(bytes: number): void
}

/** Bytes of all requests together that have arrived and are still needed: JSON in memory, files on the disk. */
export class Budget {
  readonly #most: number
  readonly #mostEach: number
  readonly #taken = new Map<string, number>()
  #all = 0

  /** @param mostEach of one caller */
  constructor({ most, mostEach }: { most: number; mostEach: number }) {
    this.#most = most
    this.#mostEach = mostEach
  }

  hold(caller: string): Hold {
    let held = 0
    return {
      take: (bytes) => {
        const own = (this.#taken.get(caller) ?? 0) + bytes
        if (own > this.#mostEach || this.#all + bytes > this.#most) throw this.#refusal()
        this.#taken.set(caller, own)
        this.#all += bytes
        held += bytes
      },
      [Symbol.dispose]: () => {
        const own = (this.#taken.get(caller) ?? 0) - held
        if (own > 0) this.#taken.set(caller, own)
        else this.#taken.delete(caller)
        this.#all -= held
        held = 0
      },
    }
  }

  #refusal() {
    return tooMany(
      {
        where: 'body',
        expected: `at most ${sizeOf(this.#mostEach)} of one caller at once, and ${sizeOf(this.#most)} of all`,
        received: 'more',
        remedy: 'wait until what is being sent has arrived',
      },
      usualWaitSeconds,
    )
  }
}

export interface Reading {
  /** Most bytes. */
  readonly limit: number
  readonly hold: Hold
  readonly patience: Patience
}

/**
 * The pieces of a body as they come, counted.
 *
 * @throws {StudioError} too large, too slow, or broken off
 */
export async function* piecesOf(
  request: Pick<Request, 'body' | 'headers'>,
  { limit, hold, patience }: Reading,
): AsyncGenerator<Uint8Array> {
  // Before the body is touched: of one that nobody has, the server itself takes what still comes.
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
  const { body } = request
  if (body === null) return
  const reader = body.getReader()
  const began = Date.now()
  let bytes = 0
  let isWhole = false
  try {
    for (;;) {
      const left = began + patience.startMs + (1000 * bytes) / patience.bytesPerSecond - Date.now()
      const { done, value } = await inTime(reader, left)
      if (done) {
        isWhole = true
        return
      }
      if (bytes + value.length > limit) throw tooLarge(limit)
      hold.take(value.length)
      bytes += value.length
      yield value
    }
  } finally {
    // Not waited for: it ends when the connection does.
    if (!isWhole) void passOver(reader).catch(() => undefined)
  }
}

/** More than this of a body that was refused is not taken, and its connection ends. */
const mostPassedOver = 1e6

/** Takes what little is left of a body that was refused, so that the next request of its connection is read from its beginning. */
async function passOver(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes < mostPassedOver;) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.length
  }
  await reader.cancel()
}

/** A body as text. @throws {StudioError} as {@link piecesOf}, or it is no UTF-8 */
export async function textOf(request: Pick<Request, 'body' | 'headers'>, reading: Reading): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of piecesOf(request, reading)) pieces.push(piece)
  return new TextDecoder().decode(Buffer.concat(pieces))
}

async function inTime(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  leftMs: number,
): Promise<Awaited<ReturnType<typeof reader.read>>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), Math.max(0, leftMs))
  })
  try {
    return await Promise.race([reader.read().catch(brokenOff), late])
  } finally {
    clearTimeout(timer)
  }
}

function brokenOff(cause: unknown): never {
  throw refuse(400, 'format', {
    where: 'body',
    expected: 'a whole one',
    received: 'one that broke off',
    remedy: 'send it again',
    cause,
  })
}

const tooSlow = () =>
  refuse(408, 'too-slow', {
    where: 'body',
    expected: 'one that arrives in time',
    received: 'one that stands still',
    remedy: 'send it again over a better connection',
  })

export const tooLarge = (limit: number) =>
  refuse(413, 'too-large', {
    where: 'body',
    expected: `at most ${sizeOf(limit)}`,
    received: 'more',
    remedy: 'send less at once',
  })

export const sizeOf = (bytes: number) =>
  bytes < 1e6 ? `${Math.floor(bytes / 1000)} kB` : `${Math.floor(bytes / 1e6)} MB`
