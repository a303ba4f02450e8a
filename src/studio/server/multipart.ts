/** The parts of a multipart/form-data body (RFC 7578, with the names that browsers write), as they come. */
import { refuse } from './failures.ts'

export interface Part {
  readonly name: string
  /** As it was sent, which may be a path; undefined for a field. */
  readonly file: string | undefined
  /** To be read to its end before the next part is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

const mostHeadBytes = 16_384
const mostBlanks = 100

/** What separates parts, as the content type tells it. @throws {StudioError} another type */
export function boundaryOf(contentType: string | null): string {
  const [, quoted, plain] = /^multipart\/form-data;.*?\bboundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType ?? '') ?? [] // prettier-ignore
  const boundary = quoted ?? plain
  if (boundary !== undefined) return boundary
  throw refuse(415, 'media-type', {
    where: 'body',
    expected: 'multipart/form-data',
    received: 'something else',
    remedy: 'send a form with a file',
  })
}

/** @throws {StudioError} it ends too early, or is no form */
export async function* partsOf(pieces: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const source = new Source(pieces)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  for await (const _preamble of source.until(delimiter));
  while (await source.hasPart()) {
    const head = await source.head()
    const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1]
    const name = disposition === undefined ? undefined : parameterOf(disposition, 'name')
    if (disposition === undefined || name === undefined) throw noForm('a part without a name')
    yield { name, file: parameterOf(disposition, 'filename'), content: source.until(delimiter) }
  }
  await source.rest()
}

/** Quotes and line ends are written as browsers do: `%22`, `%0D%0A`. */
function parameterOf(disposition: string, name: string): string | undefined {
  const written = new RegExp(`(?:^|[;\\s])${name}="([^"]*)"`, 'i').exec(disposition)?.[1]
  return written?.replaceAll(/%(22|0D|0A)/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
}

/** Bytes that have come and were not taken yet: a piece and the length of a delimiter at most. */
class Source {
  readonly #pieces: AsyncIterator<Uint8Array>
  // The first delimiter has no line end before it.
  #held: Buffer = Buffer.from('\r\n')

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** Everything before the delimiter, which is taken too. */
  async *until(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const place = this.#held.indexOf(delimiter)
      const safe = place === -1 ? this.#held.length - delimiter.length + 1 : place
      if (safe > 0) {
        const taken = this.#held.subarray(0, safe)
        this.#held = this.#held.subarray(safe)
        yield taken
      }
      if (place !== -1) {
        this.#held = this.#held.subarray(delimiter.length)
        return
      }
      await this.#more()
    }
  }

  /** What follows a delimiter: the end of its line, before which there may be blanks, or the two hyphens of the last one. */
  async hasPart(): Promise<boolean> {
    for (let blanks = 0; ; blanks++) {
      while (this.#held.length < blanks + 2) await this.#more()
      const next = this.#held.toString('latin1', blanks, blanks + 2)
      if (blanks === 0 && next === '--') return false
      if (next === '\r\n') {
        // Kept: a head without lines ends at once.
        this.#held = this.#held.subarray(blanks)
        return true
      }
      if (!/^[ \t]/.test(next) || blanks === mostBlanks) throw noForm('a line that is not the end of a part')
    }
  }

  /** The lines before the content of a part. */
  async head(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n\r\n')
      if (end !== -1) {
        const head = this.#held.toString('utf8', 0, end)
        this.#held = this.#held.subarray(end + 4)
        return head
      }
      if (this.#held.length > mostHeadBytes) throw noForm('a part without an end of its head')
      await this.#more()
    }
  }

  /** What follows the last part says nothing. */
  async rest(): Promise<void> {
    while ((await this.#pieces.next()).done !== true);
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#pieces.next()
    if (done === true) throw noForm('one that ends too early')
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value])
  }
}

const noForm = (received: string) =>
  refuse(400, 'format', {
    where: 'body',
    expected: 'a form, as its content type says',
    received,
    remedy: 'send it again, or mend the program that sends it',
  })
