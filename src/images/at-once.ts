/**
 * How many images are computed at once: as many as the memory that is free can hold, where nobody says it. Results do not
 * depend on it beyond rounding. On a CPU the model's own number is taken wherever it fits, so that the same command gives the
 * same bytes on a machine that has more or less to do; on a GPU as many as fit, up to where more are no faster.
 */
import { OutOfMemoryError, TensorError } from '../errors.ts'
import { flagName } from '../config.ts'
import type { Memory } from '../host-memory.ts'
import { tellNote } from '../notes.ts'
import { placeOfThis } from '../place-in-group.ts'
import type { Run } from '../run.ts'
import { gatherValues, type Group } from '../tensor/group.ts'
import { memoryOf, releaseMemory } from '../tensor/memory.ts'
import { tensorScope } from '../tensor/scope.ts'

/** A setting that says how many of something are computed at once. */
export interface AtOnce {
  readonly field: string
  /** What is counted: `images drawn`. */
  readonly what: string
  /** What the settings say. */
  readonly given: number | undefined
  /** On a CPU. */
  readonly usual: number
  /** More would be no faster. */
  readonly most: number
  /** How many there are for this process in all: more at once take no more. */
  readonly all: number
  /**
   * What is held at the most beside what is loaded, for so many at once.
   * @param checkpoints whether gradients are checkpointed
   */
  bytes(count: number, checkpoints: boolean): number
  /** The value of the setting for so many at once; the number itself without it. */
  settingFor?(count: number): number
}

/** Where and for whom it is chosen. */
export interface Room {
  /** The command: `policy dpok`. */
  readonly stage: string
  readonly device: string
  /** Of gradients: undefined where none are taken. */
  readonly checkpoints?: boolean
  readonly group: Group
  /** Of a device that is not here; what is free now without it. */
  readonly memory?: Memory
}

/**
 * Kernels need memory beside their operands, and what is freed is not always of use to what comes next: a choice leaves
 * room for it. What is refused does not fit even without.
 */
const margin = { factor: 1.15, bytes: 5e8 }
const withMargin = (bytes: number) => margin.factor * bytes + margin.bytes
/** Of free bytes, what a choice may take. */
export const withoutMargin = (free: number): number => (free - margin.bytes) / margin.factor

/**
 * The numbers of these settings: those given, else chosen. All processes of a group get the same.
 *
 * @returns counts, in the order of the settings
 * @throws {OutOfMemoryError} what is given, or a single one, needs more than is free: says what would fit
 */
export function chooseAtOnce(settings: readonly AtOnce[], room: Room): number[] {
  const memory = room.memory ?? roomOf(room.device)
  const limited = settings.map(ofAll)
  const own = limited.map((setting) => countOf(setting, limited, memory, room))
  const all = gatherValues(room.group, own)
  const counts = settings.map((_, place) => Math.min(...all.map((of) => of[place])))
  if (memory !== undefined && limited.some(({ given, usual }, place) => counts[place] !== (given ?? usual))) {
    const chosen = limited.map((setting, place) => `${flagOf(setting, counts[place])} (${shownBytes(setting.bytes(counts[place], room.checkpoints ?? false))})`) // prettier-ignore
    tellNote(`${room.stage}: ${chosen.join(', ')}, of ${freeIn(memory)}`)
  }
  return counts
}

/**
 * What would be chosen where so much is free, whatever is free here.
 *
 * @param isOnCpu where the usual number is the most
 * @returns counts, in the order of the settings; undefined where not even one at a time fits with room to spare
 */
export function chosenWithin(
  settings: readonly AtOnce[],
  free: number,
  { isOnCpu, checkpoints }: { readonly isOnCpu: boolean; readonly checkpoints: boolean },
): number[] | undefined {
  const counts = settings.map(ofAll).map(({ bytes, usual, most }) => {
    const needs = (count: number) => withMargin(bytes(count, checkpoints))
    if (isOnCpu && needs(usual) <= free) return usual
    return mostThatFits(needs, free, isOnCpu ? usual : most)
  })
  return counts.includes(0) ? undefined : counts
}

/** What these take at the most beside what is loaded, with the room that a choice leaves. */
export const heldWith = (settings: readonly AtOnce[], counts: readonly number[], checkpoints: boolean): number =>
  withMargin(Math.max(...settings.map(ofAll).map(({ bytes }, place) => bytes(counts[place], checkpoints))))

/** No more than there are. */
function ofAll(setting: AtOnce): AtOnce {
  const { most, all } = setting
  const bytes = (count: number, checkpoints: boolean) => setting.bytes(Math.min(count, all), checkpoints)
  return { ...setting, most: Math.min(most, all), bytes }
}

/** Of this process: others of its group on this machine take as much of its memory. */
function roomOf(device: string): Memory | undefined {
  const memory = memoryOf(device)
  const { localSize } = placeOfThis()
  return device !== 'cpu' ? memory : memory && { ...memory, free: memory.free / localSize }
}

function countOf(setting: AtOnce, all: readonly AtOnce[], memory: Memory | undefined, room: Room): number {
  const { given, usual, most } = setting
  const { device, checkpoints = false } = room
  if (memory === undefined) return given ?? usual
  if (!isForetold(setting, checkpoints)) return given ?? usual
  const needs = (count: number) => setting.bytes(count, checkpoints)
  if (given !== undefined) {
    if (needs(given) > memory.free) throw tooLarge(setting, given, all, memory, room)
    return given
  }
  if (device === 'cpu' && needs(usual) <= memory.free) return usual
  const fits = mostThatFits((count) => withMargin(needs(count)), memory.free, device === 'cpu' ? usual : most)
  if (fits > 0) return fits
  if (needs(1) > memory.free) throw tooLarge(setting, 1, all, memory, room)
  return 1
}

/** Not where a model calls an operator of which libtorch knows no shapes: then nothing is chosen or refused. */
function isForetold({ bytes }: AtOnce, checkpoints: boolean): boolean {
  try {
    bytes(1, checkpoints)
    return true
  } catch (error) {
    if (error instanceof TensorError) return false
    throw error
  }
}

/** The most of `most`, of 1, 2, 4, … up to it, that needs no more than is free; 0 where not even one does. */
function mostThatFits(needs: (count: number) => number, free: number, most: number): number {
  let fits = 0
  for (let count = 1; needs(count) <= free; count = Math.min(2 * count, most)) {
    fits = count
    if (count === most) break
  }
  return fits
}

/**
 * A lack of memory in work of a run, told with what would fit. The run stays, and what is free is given back.
 *
 * @param settings of what was computed at once, made anew: half of what they say is tried at the most
 * @returns the error itself where it is another one
 */
export function asOutOfMemory(
  error: unknown,
  run: Pick<Run, 'keep'>,
  room: Room,
  settings: () => readonly AtOnce[],
): unknown {
  if (!(error instanceof OutOfMemoryError) || isTold(error)) return error
  run.keep()
  releaseMemory(room.device)
  return asTold(error, room, settings)
}

function asTold(error: OutOfMemoryError, room: Room, settings: () => readonly AtOnce[]): OutOfMemoryError {
  using _scope = tensorScope()
  const tried = settings()
  const memory = roomOf(room.device)
  const less = tried.map((setting) => ({
    ...setting,
    most: Math.max(1, Math.floor(Math.min(setting.given ?? setting.usual, setting.all) / 2)),
  }))
  const now = tried.map((setting) => flagOf(setting, setting.given ?? setting.usual)).join(' ')
  const fits =
    memory === undefined
      ? 'a lower --batch-size needs less'
      : wouldFit(less, memory, room.checkpoints, 'begin anew with')
  return told(
    new OutOfMemoryError({
      where: `${room.stage} on ${room.device}`,
      expected: `enough memory${now === '' ? '' : ` for ${now}`}`,
      received: `${error.where}: ${error.received}`,
      remedy: `the run is kept, go on with --resume: ${fits}`,
      cause: error,
    }),
  )
}

/** Errors that say what would fit. */
const tellings = new WeakSet<OutOfMemoryError>()
const isTold = (error: OutOfMemoryError) => tellings.has(error)
function told(error: OutOfMemoryError): OutOfMemoryError {
  tellings.add(error)
  return error
}

function tooLarge(
  setting: AtOnce,
  count: number,
  all: readonly AtOnce[],
  memory: Memory,
  { stage, device, checkpoints }: Room,
): OutOfMemoryError {
  const needed = setting.bytes(count, checkpoints ?? false)
  return told(
    new OutOfMemoryError({
      where: `${stage} on ${device}`,
      expected: `${shownBytes(needed)} for ${count} ${setting.what} at once, beside what is loaded`,
      received: freeIn(memory),
      remedy: wouldFit(all, memory, checkpoints),
    }),
  )
}

/**
 * Flags with which a stage would fit into what is free, computed; for remedies.
 * @param otherwise what to do for settings that a run cannot change
 */
function wouldFit(
  settings: readonly AtOnce[],
  { free }: Memory,
  checkpoints: boolean | undefined,
  otherwise = 'use',
): string {
  const ways = checkpoints === undefined ? [false] : checkpoints ? [true] : [false, true]
  const found = ways.flatMap((way) => {
    const counts = settings.map(({ bytes, most }) => mostThatFits((count) => withMargin(bytes(count, way)), free, most))
    if (counts.includes(0)) return []
    const flags = [
      ...settings.map((setting, place) => flagOf(setting, counts[place])),
      ...(way && checkpoints !== true ? ['--gradient-checkpointing'] : []),
    ]
    const needed = Math.max(...settings.map(({ bytes }, place) => bytes(counts[place], way)))
    return [`${flags.join(' ')} (${shownBytes(needed)})`]
  })
  const smaller = `${otherwise} a smaller --resolution, --mixed-precision bf16 or a device with more memory`
  if (found.length === 0) return `not even one at a time fits: ${smaller}`
  return `${found.join(', or ')} would fit; or ${smaller}`
}

const flagOf = ({ field, settingFor = (count) => count }: AtOnce, count: number) =>
  `${flagName(field)} ${settingFor(count)}`

const freeIn = ({ free, total, limit }: Memory) => `${shownBytes(free)} free of the ${shownBytes(total)} of ${limit}`

/** In units of 10⁹ or 10⁶ bytes. */
export const shownBytes = (bytes: number): string =>
  bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 1)} GB`
