/** Images on disk as clean states of a model, encoded once. */
import { Disposables } from '../disposables.ts'
import { FormatError } from '../errors.ts'
import { mapStates, type CleanStates, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, tensor, zeros } from '../tensor/create.ts'
import { alone, gatherValues, type Group } from '../tensor/group.ts'
import { endIfAsked, holdEnd } from '../tensor/orderly-end.ts'
import type { PartFiles } from '../tensor/part-files.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
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

/** Images that lie one behind another, of which some could be read. */
interface Part {
  /** Places of those among the files, and what was measured of them. */
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
  const sizeOf = (place: number) => Math.min(files.length, place + partSize) - place
  const bar = progress(label, files.length, 'images')
  using _end = holdEnd()

  // A part lies where its files begin; where not all of these could be read, there are rows of nothing behind it.
  const found = new Map<number, Part>()
  for (const place of group.rank === 0 && parts !== undefined ? places : []) {
    const known = readPart(parts!, place, states)
    if (known !== undefined) found.set(place, known)
  }
  const [known] = gatherValues(group, [...found])
  for (const [place, part] of known) {
    using _scope = tensorScope()
    found.set(place, part)
    group.broadcast(allOf(states).map((all) => all.slice(0, place, place + part.rows.length)))
    bar.skip(sizeOf(place))
  }
  const lacking = places.filter((place) => !found.has(place))
  for (let first = 0; first < lacking.length; first += group.size) {
    endIfAsked(group, label)
    using _scope = tensorScope()
    const round = lacking.slice(first, first + group.size)
    const own = round.at(group.rank)
    const encoded =
      own === undefined
        ? nothingOf(model)
        : await encodePart(model, files.slice(own, own + sizeOf(own)), own, {
            ...{ read, measure },
            onBatch: (count) => bar.advance(count),
          })
    const { states: ownStates, ...ownPart } = encoded
    const gathered = mapStates(ownStates, (own) => group.gather(own))
    let row = 0
    for (const [rank, part] of gatherValues(group, ownPart).slice(0, round.length).entries()) {
      const [place, from] = [round[rank], row]
      row += part.rows.length
      const ofPart = mapStates(gathered, (all) => all.slice(0, from, row))
      copyInto(states, place, ofPart)
      found.set(place, part)
      if (rank !== group.rank) bar.advance(sizeOf(place))
      if (group.rank === 0) parts?.write(place, fileOf(ofPart, part))
    }
  }
  bar.done()
  const whole = places.map((place) => found.get(place)!)
  const rows = whole.flatMap((part) => part.rows)
  return {
    states: mapStates(states, (all) => unscoped(() => withoutGaps(all, places, whole, files.length))),
    rows,
    measured: whole.flatMap((part) => part.measured),
  }
}

/** The rows of parts without those of nothing behind them. */
function withoutGaps(all: Tensor, places: readonly number[], parts: readonly Part[], count: number): Tensor {
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

/** @param place of the first one among all files @returns states that belong to the scope in force */
async function encodePart<File>(
  model: GenerativeModel,
  files: readonly File[],
  place: number,
  { read, measure, onBatch }: PartReading<File>,
): Promise<Part & { readonly states: CleanStates }> {
  const { batchSize } = model.defaults
  const made = [nothingOf(model).states]
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
  return { states: { x0: joined(({ x0 }) => x0), earlier }, rows, measured }
}

/** No image at all. */
function nothingOf({ stages, policyStage }: GenerativeModel): Part & { readonly states: CleanStates } {
  const none = ({ stateShape }: ModelStage) => zeros([0, ...stateShape])
  const states = { x0: none(stages[policyStage]), earlier: stages.slice(0, policyStage).map(none) }
  return { states, rows: [], measured: [] }
}

const allOf = ({ x0, earlier }: CleanStates) => [x0, ...earlier]

/** A part as it lies on the disk. */
const fileOf = (states: CleanStates, { rows, measured }: Part) =>
  new Map([
    ...namedStates(states),
    ['rows', tensor(Float64Array.from(rows))],
    ['measured', tensor(Float64Array.from(measured))],
  ] as const)

/** Copies the states of a part to where its files begin; undefined where there is no such part. */
function readPart(parts: PartFiles, place: number, into: CleanStates): Part | undefined {
  using _scope = tensorScope()
  const part = parts.read(place)
  if (part === undefined) return undefined
  const [rows, measured] = ['rows', 'measured'].map((name) => part.get(name)!.toArray())
  copyInto(into, place, statesNamed(part)!)
  return { rows, measured }
}

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
