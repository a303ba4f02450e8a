/** Frozen embeddings of images and texts, computed once. */
import { Disposables } from '../../disposables.ts'
import { DivergenceError } from '../../errors.ts'
import { pixelsOf, type Picture } from '../../images/png.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { progress } from '../../progress.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { cat, tensor } from '../../tensor/create.ts'
import { alone, type Group } from '../../tensor/group.ts'
import type { PartFiles } from '../../tensor/part-files.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import { makeParts } from '../../tensor/shared-parts.ts'
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
 * @param group  its processes share the work; each has all in the end
 * @throws {DivergenceError} an embedding is not finite
 * @throws {StoppedError} a process of the group was asked to end
 */
export async function embed<T>(
  encoder: ImageTextEncoder,
  images: readonly T[],
  read: (image: T) => Promise<Picture>,
  texts: readonly string[],
  parts?: PartFiles,
  group: Group = alone,
): Promise<Embedded> {
  using owned = new Disposables()
  const distinct = [...new Set(texts)]
  const embeddedTexts = owned.use(await embedTexts(encoder, distinct, group))
  const embeddedImages = owned.use(await embedImages(encoder, images, read, group, parts))
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
  group: Group,
  files?: PartFiles,
): Promise<Tensor> {
  const bar = progress('embedding', images.length, 'images')
  const imagesFrom = (place: number) => images.slice(place, place + imagesAPart)
  using rows = new Rows(images.length, imagesAPart)
  await makeParts(rows.places, {
    ...{ group, label: 'embedding of images' },
    ...(files && { files }),
    make: async (place) =>
      new Map([['images', await embedPart(encoder, imagesFrom(place), read, (n) => bar.advance(n))]]),
    take(place, part, by) {
      rows.put(place, part.get('images')!)
      if (by === 'earlier') bar.skip(imagesFrom(place).length)
      if (by === 'another') bar.advance(imagesFrom(place).length)
    },
  })
  bar.done()
  return rows.joined()
}

async function embedPart<T>(
  encoder: ImageTextEncoder,
  images: readonly T[],
  read: (image: T) => Promise<Picture>,
  onCount: (count: number) => void,
): Promise<Tensor> {
  const parts: Tensor[] = []
  let waiting: Picture[] = []
  for (let from = 0; from < images.length; from += imagesRead) {
    waiting.push(...(await Promise.all(images.slice(from, from + imagesRead).map(read))))
    const batches = pictureBatches(waiting)
    // The last batch may grow by what is read next.
    waiting = from + imagesRead < images.length ? batches.pop()! : []
    for (const batch of batches) {
      parts.push(finiteRows(encoder, () => encoder.embedImages(pixelsOf(batch))))
      onCount(batch.length)
    }
  }
  return cat(parts)
}

async function embedTexts(encoder: ImageTextEncoder, texts: readonly string[], group: Group): Promise<Tensor> {
  const bar = progress('embedding', texts.length, 'texts')
  const textsFrom = (place: number) => texts.slice(place, place + textBatch)
  using rows = new Rows(texts.length, textBatch)
  await makeParts(rows.places, {
    ...{ group, label: 'embedding of texts' },
    make: (place) => new Map([['texts', finiteRows(encoder, () => encoder.embedTexts(textsFrom(place)))]]),
    take(place, part) {
      rows.put(place, part.get('texts')!)
      bar.advance(textsFrom(place).length)
    },
  })
  bar.done()
  return rows.joined()
}

/** Embeddings, on the CPU; they belong to the scope in force. @throws {DivergenceError} one is not finite */
function finiteRows({ name }: ImageTextEncoder, make: () => Tensor): Tensor {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const made = make().to('cpu')
  const broken = made.isfinite().logicalNot().to('float32').sum().item()
  if (broken === 0) return scope.keep(made)
  throw new DivergenceError({
    where: `embeddings of ${name}`,
    expected: 'finite numbers',
    received: `${broken} that are not`,
    remedy: 'compute in full precision with --mixed-precision no, or check the weights',
  })
}

/** Rows of embeddings as they come, in parts of one length. They outlive the scopes in which they are made. */
class Rows implements Disposable {
  /** Where the parts begin. */
  readonly places: readonly number[]
  readonly #parts = new Map<number, Tensor>()

  constructor(count: number, length: number) {
    this.places = Array.from({ length: Math.ceil(count / length) }, (_, part) => part * length)
  }

  put(place: number, rows: Tensor): void {
    this.#parts.set(
      place,
      unscoped(() => rows.clone()),
    )
  }

  joined(): Tensor {
    return unscoped(() => cat(this.places.map((place) => this.#parts.get(place)!)))
  }

  [Symbol.dispose](): void {
    for (const part of this.#parts.values()) part.dispose()
  }
}
