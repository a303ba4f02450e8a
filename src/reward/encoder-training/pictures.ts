/** Pictures of a training that shows each of them many times. */
import type { Picture } from '../../images/png.ts'

/** Bytes of pixels that are kept between their turns: small pictures all, large ones as many as fit. */
const mostKept = 2 ** 28

/** Reads pictures when their turn comes. */
export class Pictures {
  readonly #read: (image: number) => Promise<Picture>
  readonly #kept = new Map<number, Picture>()
  #bytes = 0

  /** @param read an image by its place */
  constructor(read: (image: number) => Promise<Picture>) {
    this.#read = read
  }

  /** @throws {FormatError} one cannot be read */
  async of(images: readonly number[]): Promise<(image: number) => Picture> {
    const distinct = [...new Set(images)]
    const read = await Promise.all(
      distinct.map(async (image) => [image, this.#kept.get(image) ?? (await this.#read(image))] as const),
    )
    for (const [image, picture] of read) {
      if (this.#kept.has(image) || this.#bytes + picture.bytes.length > mostKept) continue
      this.#kept.set(image, picture)
      this.#bytes += picture.bytes.length
    }
    const all = new Map(read)
    return (image) => all.get(image)!
  }
}
