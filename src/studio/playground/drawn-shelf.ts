/** Images that a playground has drawn lately, in memory: what nobody keeps goes as others come. */
import type { DrawnImage } from './lines.ts'

export interface DrawnPicture extends Pick<DrawnImage, 'record' | 'width' | 'height'> {
  readonly png: Buffer
}

const mostBytes = 192 * 2 ** 20
const mostPictures = 600

export class DrawnShelf {
  /** The newest come last. */
  readonly #pictures = new Map<string, DrawnPicture>()
  #bytes = 0

  add({ record, png, width, height }: DrawnImage): DrawnPicture {
    const picture = { record, png: Buffer.from(png, 'base64'), width, height }
    this.#remove(record.id)
    this.#pictures.set(record.id, picture)
    this.#bytes += picture.png.length
    for (const id of this.#pictures.keys()) {
      if (this.#pictures.size <= 1 || (this.#bytes <= mostBytes && this.#pictures.size <= mostPictures)) break
      this.#remove(id)
    }
    return picture
  }

  get(id: string): DrawnPicture | undefined {
    return this.#pictures.get(id)
  }

  #remove(id: string): void {
    this.#bytes -= this.#pictures.get(id)?.png.length ?? 0
    this.#pictures.delete(id)
  }
}
