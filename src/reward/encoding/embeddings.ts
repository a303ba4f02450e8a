/** Frozen embeddings of images and texts, computed once. */
import { Disposables } from '../../disposables.ts'
import { DivergenceError } from '../../errors.ts'
import { pixelsOf, type Picture } from '../../images/png.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { progress } from '../../progress.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { cat, tensor } from '../../tensor/create.ts'
import type { PartFiles } from '../../tensor/part-files.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { pictureBatches } from './picture-batches.ts'

/** On the CPU. Belongs to the caller, who disposes it. */
export interface Embedded extends Disposable {
  /** Of the images in their order: unit vectors [N, d]. */
  readonly images: Tensor
  /** Of the distinct texts: unit vectors [M, d]. */
  readonly texts: Tensor
  /** Row of a text. */
  readonly rowOf: ReadonlyMap<string, number>
}

/** Rows of images [B, d], which may repeat. */
export const imageRows = ({ images }: Embedded, index: readonly number[]): Tensor => rows(images, index)

/** Rows of texts [B, d], which may repeat; all of them were embedded. */
export const textRows = ({ texts, rowOf }: Embedded, of: readonly string[]): Tensor =>
  rows(
    texts,
    of.map((text) => rowOf.get(text)!),
  )

const rows = (all: Tensor, index: readonly number[]) => all.indexSelect(0, tensor(index, [index.length], 'int64'))

const imagesRead = 32
const imagesAPart = 256
const textBatch = 256

/**
 * Embeds images, which may have different sizes, and texts. Images are read when their turn comes, so that a few batches
 * of them are in memory at once.
 *
 * @param images what `read` takes, such as files; at least one
 * @param texts  at least one; may be repeated
 * @param parts  where the rows of images are kept for a process that goes on
 * @throws {DivergenceError} an embedding is not finite
 */
export async function embed<T>(
  encoder: ImageTextEncoder,
  images: readonly T[],
  read: (image: T) => Promise<Picture>,
  texts: readonly string[],
  parts?: PartFiles,
): Promise<Embedded> {
  using owned = new Disposables()
  const distinct = [...new Set(texts)]
  const embeddedTexts = owned.use(embedTexts(encoder, distinct))
  const embeddedImages = owned.use(await embedImages(encoder, images, read, parts))
  const kept = owned.move()
  return {
    images: embeddedImages,
    texts: embeddedTexts,
    rowOf: new Map(distinct.map((text, row) => [text, row])),
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  }
}

async function embedImages<T>(
  encoder: ImageTextEncoder,
  images: readonly T[],
  read: (image: T) => Promise<Picture>,
  kept?: PartFiles,
): Promise<Tensor> {
  using parts = new Parts(encoder)
  const bar = progress('embedding', images.length, 'images')
  for (let from = 0; from < images.length; from += imagesAPart) {
    const some = images.slice(from, from + imagesAPart)
    const known = unscoped(() => kept?.read(from)?.get('images'))
    if (known !== undefined) {
      parts.add(() => known)
      bar.skip(some.length)
      continue
    }
    using rows = await embedPart(encoder, some, read, (count) => bar.advance(count))
    parts.add(() => rows.clone())
    kept?.write(from, new Map([['images', rows]]))
  }
  bar.done()
  return parts.joined()
}

async function embedPart<T>(
  encoder: ImageTextEncoder,
  images: readonly T[],
  read: (image: T) => Promise<Picture>,
  onCount: (count: number) => void,
): Promise<Tensor> {
  using parts = new Parts(encoder)
  let waiting: Picture[] = []
  for (let from = 0; from < images.length; from += imagesRead) {
    waiting.push(...(await Promise.all(images.slice(from, from + imagesRead).map(read))))
    const batches = pictureBatches(waiting)
    // The last batch may grow by what is read next.
    waiting = from + imagesRead < images.length ? batches.pop()! : []
    for (const batch of batches) {
      parts.add(() => encoder.embedImages(pixelsOf(batch)))
      onCount(batch.length)
    }
  }
  return parts.joined()
}

function embedTexts(encoder: ImageTextEncoder, texts: readonly string[]): Tensor {
  using parts = new Parts(encoder)
  const bar = progress('embedding', texts.length, 'texts')
  for (let from = 0; from < texts.length; from += textBatch) {
    const batch = texts.slice(from, from + textBatch)
    parts.add(() => encoder.embedTexts(batch))
    bar.advance(batch.length)
  }
  bar.done()
  return parts.joined()
}

/** Rows of embeddings that are still to be joined. They outlive the scopes in which they are made. */
class Parts implements Disposable {
  readonly #name: string
  readonly #parts: Tensor[] = []

  constructor({ name }: ImageTextEncoder) {
    this.#name = name
  }

  add(make: () => Tensor): void {
    this.#parts.push(unscoped(() => this.#finite(make)))
  }

  #finite(make: () => Tensor): Tensor {
    using scope = tensorScope()
    using _noGrad = noGrad()
    const made = make().to('cpu')
    const broken = made.isfinite().logicalNot().to('float32').sum().item()
    if (broken === 0) return scope.keep(made)
    throw new DivergenceError({
      where: `embeddings of ${this.#name}`,
      expected: 'finite numbers',
      received: `${broken} that are not`,
      remedy: 'compute in full precision with --mixed-precision no, or check the weights',
    })
  }

  joined(): Tensor {
    return unscoped(() => cat(this.#parts))
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts) part.dispose()
  }
}
