/** Images on disk as clean states of a model, encoded once. */
import { Disposables } from '../disposables.ts'
import { FormatError } from '../errors.ts'
import { mapStates, type CleanStates, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, tensor, zeros } from '../tensor/create.ts'
import { alone, type Group } from '../tensor/group.ts'
import type { PartFiles } from '../tensor/part-files.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import { makeParts, type Part } from '../tensor/shared-parts.ts'
import type { Tensor } from '../tensor/tensor.ts'
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
  /** Its processes encode a part each at a time, and the first one writes them; each has all in the end. */
  readonly group?: Group
}

/** About so many images are lost where a process is killed. */
const imagesAPart = 64

/** Of images that lie one behind another: those that could be read, by their places, and what was measured of them. */
interface Found {
  readonly rows: readonly number[]
  readonly measured: readonly number[]
}

/**
 * Reads and encodes images in batches, so that no more than a part of the pictures is in memory.
 *
 * @param files paths, or whatever `read` finds an image by
 * @param read  pictures of some of the files, all of the model's size; undefined where one cannot be read
 * @throws {FormatError} pictures of another size
 * @throws {FileError} a part cannot be written
 * @throws {StoppedError} this process was asked to end
 */
export async function encodeFiles<File>(
  model: GenerativeModel,
  files: readonly File[],
  read: (files: readonly File[]) => Promise<readonly (Picture | undefined)[]>,
  { label = 'encoding', measure, parts, group = alone }: EncodeOptions<File> = {},
): Promise<Encoded> {
  const { batchSize } = model.defaults
  const partSize = parts === undefined ? batchSize : batchSize * Math.ceil(imagesAPart / batchSize)
  const { stages, policyStage } = model
  using made = new Disposables()
  const room = ({ stateShape }: ModelStage) => made.use(unscoped(() => zeros([files.length, ...stateShape])))
  const states: CleanStates = { x0: room(stages[policyStage]), earlier: stages.slice(0, policyStage).map(room) }
  const places = Array.from({ length: Math.ceil(files.length / partSize) }, (_, part) => part * partSize)
  const filesFrom = (place: number) => files.slice(place, place + partSize)
  const bar = progress(label, files.length, 'images')
  // A part lies where its files begin; where not all of these could be read, there are rows of nothing behind it.
  const found = new Map<number, Found>()
  await makeParts(places, {
    ...{ group, label },
    ...(parts && { files: parts }),
    make: (place) =>
      encodePart(model, filesFrom(place), place, { read, measure, onBatch: (count) => bar.advance(count) }),
    take(place, part, by) {
      const [rows, measured] = ['rows', 'measured'].map((name) => part.get(name)!.toArray())
      found.set(place, { rows, measured })
      copyInto(states, place, statesNamed(part)!)
      if (by === 'earlier') bar.skip(filesFrom(place).length)
      if (by === 'another') bar.advance(filesFrom(place).length)
    },
  })
  bar.done()
  const whole = places.map((place) => found.get(place)!)
  return {
    states: mapStates(states, (all) => unscoped(() => withoutGaps(all, places, whole, files.length))),
    rows: whole.flatMap(({ rows }) => rows),
    measured: whole.flatMap(({ measured }) => measured),
  }
}

/** The rows of parts without those of nothing behind them. */
function withoutGaps(all: Tensor, places: readonly number[], parts: readonly Found[], count: number): Tensor {
  const rows = parts.flatMap((part, i) => part.rows.map((_, row) => places[i] + row))
  if (rows.length === count) return all.slice(0, 0, count)
  using index = tensor(rows, [rows.length], 'int64')
  return all.indexSelect(0, index)
}

interface PartReading<File> {
  readonly read: (files: readonly File[]) => Promise<readonly (Picture | undefined)[]>
  readonly measure: EncodeOptions<File>['measure']
  readonly onBatch: (count: number) => void
}

/**
 * @param place of the first one among all files
 * @returns     a part as it lies on the disk: states by their names, `rows` and `measured`
 */
async function encodePart<File>(
  model: GenerativeModel,
  files: readonly File[],
  place: number,
  { read, measure, onBatch }: PartReading<File>,
): Promise<Part> {
  const { batchSize } = model.defaults
  const made = [noStates(model)]
  const rows: number[] = []
  const measured: number[] = []
  for (let from = 0; from < files.length; from += batchSize) {
    const batch = files.slice(from, from + batchSize)
    const found = await read(batch)
    const present = [...batch.keys()].filter((i) => found[i] !== undefined)
    const pictures = present.map((i) => found[i]!)
    if (pictures.length > 0) made.push(encodePictures(model, pictures))
    measured.push(...(measure?.(pictures, present.map((i) => batch[i])) ?? [])) // prettier-ignore
    rows.push(...present.map((i) => place + from + i))
    onBatch(batch.length)
  }
  const joined = (pick: (states: CleanStates) => Tensor) => cat(made.map(pick))
  const earlier = made[0].earlier.map((_, stage) => joined((states) => states.earlier[stage]))
  return new Map([
    ...namedStates({ x0: joined(({ x0 }) => x0), earlier }),
    ['rows', tensor(Float64Array.from(rows))],
    ['measured', tensor(Float64Array.from(measured))],
  ])
}

/** Of no image at all. */
function noStates({ stages, policyStage }: GenerativeModel): CleanStates {
  const none = ({ stateShape }: ModelStage) => zeros([0, ...stateShape])
  return { x0: none(stages[policyStage]), earlier: stages.slice(0, policyStage).map(none) }
}

const allOf = ({ x0, earlier }: CleanStates) => [x0, ...earlier]

function copyInto(into: CleanStates, from: number, states: CleanStates): void {
  const given = allOf(states)
  allOf(into).forEach((all, i) => {
    const count = given[i].shape[0]
    if (count > 0) all.slice(0, from, from + count).copy_(given[i])
  })
}

/** Clean states of pictures, on the CPU; they belong to the scope in force. @throws {FormatError} they are not of the model's size */
function encodePictures(model: GenerativeModel, pictures: readonly Picture[]): CleanStates {
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
  using scope = tensorScope()
  using _noGrad = noGrad()
  return mapStates(model.encode(pixelsOf(pictures).to(model.device)), (states) =>
    scope.keep(states.to('cpu').to('float32')),
  )
}
