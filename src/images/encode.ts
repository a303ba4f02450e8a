/** Images on disk as clean states of a model, encoded once. */
import { Disposables } from '../disposables.ts'
import { FormatError } from '../errors.ts'
import { mapStates, type CleanStates, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensor, zeros } from '../tensor/create.ts'
import type { PartFiles } from '../tensor/part-files.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import { namedStates, statesNamed } from './named-states.ts'
import { pixelsOf, type Picture } from './png.ts'

/** N images that could be read and encoded. */
export interface Encoded {
  /** [N, …] each on the CPU, float32; they belong to the caller. */
  readonly states: CleanStates
  /** Their places among the files. */
  readonly rows: readonly number[]
  /** What was measured of each; empty where nothing is. */
  readonly measured: readonly number[]
}

export interface EncodeOptions<File> {
  readonly label?: string
  /** One number of each picture. */
  readonly measure?: (pictures: readonly Picture[], files: readonly File[]) => readonly number[]
  /** What an earlier process has encoded there is not encoded again. They stay, for the caller to remove. */
  readonly parts?: PartFiles
}

/** About so many images are lost where a process is killed. */
const imagesAPart = 64

/**
 * Reads and encodes images in batches, so that no more than one batch of pictures is in memory.
 *
 * @param files paths, or whatever `read` finds an image by
 * @param read  pictures of some of the files, all of the model's size; undefined where one cannot be read
 * @throws {FormatError} pictures of another size
 * @throws {FileError} a part cannot be written
 */
export async function encodeFiles<File>(
  model: GenerativeModel,
  files: readonly File[],
  read: (files: readonly File[]) => Promise<readonly (Picture | undefined)[]>,
  { label = 'encoding', measure, parts }: EncodeOptions<File> = {},
): Promise<Encoded> {
  const { batchSize } = model.defaults
  const partSize = parts === undefined ? batchSize : batchSize * Math.ceil(imagesAPart / batchSize)
  const { stages, policyStage } = model
  using made = new Disposables()
  const room = ({ stateShape }: ModelStage) => made.use(unscoped(() => zeros([files.length, ...stateShape])))
  const states: CleanStates = { x0: room(stages[policyStage]), earlier: stages.slice(0, policyStage).map(room) }
  const rows: number[] = []
  const measured: number[] = []
  const bar = progress(label, files.length, 'images')
  for (let begin = 0; begin < files.length; begin += partSize) {
    const end = Math.min(files.length, begin + partSize)
    const first = rows.length
    const known = parts && readPart(parts, begin, states, first)
    if (known !== undefined) {
      rows.push(...known.rows)
      measured.push(...known.measured)
      bar.skip(end - begin)
      continue
    }
    for (let from = begin; from < end; from += batchSize) {
      const batch = files.slice(from, Math.min(end, from + batchSize))
      const found = await read(batch)
      const present = [...batch.keys()].filter((i) => found[i] !== undefined)
      const pictures = present.map((i) => found[i]!)
      if (pictures.length > 0) encodeInto(states, rows.length, model, pictures)
      measured.push(...(measure?.(pictures, present.map((i) => batch[i])) ?? [])) // prettier-ignore
      rows.push(...present.map((i) => from + i))
      bar.advance(batch.length)
    }
    using _scope = tensorScope()
    parts?.write(
      begin,
      new Map([
        ...namedStates(mapStates(states, (all) => all.slice(0, first, rows.length))),
        ['rows', tensor(Float64Array.from(rows.slice(first)))],
        ['measured', tensor(Float64Array.from(measured.slice(first)))],
      ]),
    )
  }
  bar.done()
  const ofRows = mapStates(states, (all) => unscoped(() => all.slice(0, 0, rows.length)))
  return { states: ofRows, rows, measured }
}

/** Copies the states of a part into the rows from `first` on; undefined where there is no such part. */
function readPart(
  parts: PartFiles,
  place: number,
  into: CleanStates,
  first: number,
): Pick<Encoded, 'rows' | 'measured'> | undefined {
  using _scope = tensorScope()
  const part = parts.read(place)
  if (part === undefined) return undefined
  const [rows, measured] = ['rows', 'measured'].map((name) => part.get(name)!)
  copyInto(into, first, statesNamed(part)!)
  return { rows: rows.toArray(), measured: measured.toArray() }
}

function copyInto(into: CleanStates, from: number, states: CleanStates): void {
  const [own, given] = [into, states].map(({ x0, earlier }) => [x0, ...earlier])
  own.forEach((all, i) => {
    const count = given[i].shape[0]
    if (count > 0) all.slice(0, from, from + count).copy_(given[i])
  })
}

/** Writes the clean states of pictures into the rows from `from` on. @throws {FormatError} they are not of the model's size */
function encodeInto(states: CleanStates, from: number, model: GenerativeModel, pictures: readonly Picture[]): void {
  const [{ width, height }] = pictures
  const { imageSize } = model
  if (width !== imageSize.width || height !== imageSize.height) {
    throw new FormatError({
      where: 'images to encode',
      expected: `${imageSize.width} × ${imageSize.height} pixels, as the model draws them here`,
      received: `${width} × ${height}`,
      remedy: 'give the --resolution that they were drawn at',
    })
  }
  using _scope = tensorScope()
  using _noGrad = noGrad()
  copyInto(states, from, model.encode(pixelsOf(pictures).to(model.device)))
}
