/**
 * The last few states of a training in its folder, so that one that is damaged costs some steps and not the run:
 * `checkpoint.safetensors` is the newest, `checkpoint-000040.safetensors` an earlier one, of step 40. A file is whole
 * before it takes the place of another, so that there is a newest one at any time.
 */
import { existsSync, linkSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { checked } from '../checked.ts'
import { FileError, FormatError } from '../errors.ts'
import { writing } from '../files.ts'
import { readSafetensorsHeader } from './safetensors.ts'
import { readTrainingState, writeTrainingState, type TrainingState } from './training-state.ts'

/** Config field of every stage that trains. */
export const checkpointsKeptField = {
  checkpointsKept: z
    .int()
    .positive()
    .max(1000)
    .default(2)
    .describe(
      'Checkpoints that an unfinished run keeps; where the newest one is damaged, --resume goes on from the one before.',
    ),
}

/** What is added to the numbers of a state. */
const Own = z.object({
  /** Steps done. */
  step: z.int().nonnegative().default(0),
  /** Whether it is worth going on from, as far as its training could tell. */
  isSound: z.boolean().default(true),
})

/** A file with what it says of its state. */
interface Checkpoint extends z.infer<typeof Own> {
  readonly file: string
}

export class Checkpoints {
  readonly #file: string
  readonly #kept: number
  /** Of the state that this process has read or written last. */
  #newest: Checkpoint | undefined
  #damaged: string[] = []

  /** @param file of the newest state @param kept how many at the most, the newest one included */
  constructor(file: string, kept: number) {
    this.#file = file
    this.#kept = kept
  }

  /** All that are there, the newest one first. */
  get files(): readonly string[] {
    const earlier = this.#earlier().map(({ file }) => file)
    return existsSync(this.#file) ? [this.#file, ...earlier] : earlier
  }

  /**
   * The newest state that can be read.
   *
   * @param tell hears of each file that cannot, where there is an earlier one that can
   * @returns undefined where there is none; its tensors belong to the scope in force
   * @throws {FormatError | FileError} there are some, and none can be read
   */
  read(tell: (warning: string) => void): TrainingState | undefined {
    const files = this.files
    if (files.length === 0) return undefined
    const lost = files[0] === this.#file ? [] : [`${this.#file}: expected the newest checkpoint, received no such file`]
    let first: unknown
    for (const file of files) {
      try {
        const state = readTrainingState(file)
        this.#newest = { ...ownOf(file, state.numbers), file }
        for (const each of lost) tell(`${each}; going on from ${basename(file)}, of step ${this.#newest.step}`)
        return state
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof FileError)) throw error
        first ??= error
        lost.push(`${error.where}: expected ${error.expected}, received ${error.received}`)
        this.#damaged.push(file)
      }
    }
    throw first
  }

  /**
   * Writes a state, then removes what is damaged and the oldest ones. The last one that is sound stays beside those that
   * came after it.
   *
   * @throws {FileError} the disk is full; those before are still there
   * @throws {DivergenceError} a number is not finite; nothing is written then
   */
  write(step: number, { tensors, numbers }: TrainingState, isSound = true): void {
    const before = this.#newest
    const isNeeded = this.#kept > 1 || (!isSound && before?.isSound)
    if (isNeeded && before?.file === this.#file && before.step < step) {
      const earlier = this.#fileOf(before.step)
      rmSync(earlier, { force: true })
      writing(earlier, () => linkSync(this.#file, earlier))
    }
    writeTrainingState(this.#file, { tensors, numbers: { ...numbers, step, isSound } })
    this.#newest = { file: this.#file, step, isSound }
    for (const file of this.#damaged.splice(0)) if (file !== this.#file) rmSync(file, { force: true })
    const earlier = this.#earlier().filter((one) => {
      if (one.step >= step) rmSync(one.file, { force: true })
      return one.step < step
    })
    const kept = earlier.slice(0, this.#kept - 1)
    const good = isSound ? undefined : earlier.find(({ file }) => headerOf(file)?.isSound)
    for (const one of earlier) if (!kept.includes(one) && one !== good) rmSync(one.file, { force: true })
  }

  /** The newest one that is sound, by the headers of the files. */
  get lastSound(): Checkpoint | undefined {
    return this.files.map(headerOf).find((one) => one?.isSound)
  }

  /** Makes an earlier one the newest: those after it go. */
  goBackTo({ file, step }: Checkpoint): void {
    if (file === this.#file) return
    for (const one of this.#earlier()) if (one.step > step) rmSync(one.file, { force: true })
    writing(file, () => renameSync(file, this.#file))
  }

  remove(): void {
    for (const file of this.files) rmSync(file, { force: true })
    this.#newest = undefined
  }

  get #stem(): string {
    return basename(this.#file, '.safetensors')
  }

  #fileOf(step: number): string {
    return join(dirname(this.#file), `${this.#stem}-${String(step).padStart(6, '0')}.safetensors`)
  }

  /** The newest of them first. */
  #earlier(): { readonly file: string; readonly step: number }[] {
    const folder = dirname(this.#file)
    if (!existsSync(folder)) return []
    const start = `${this.#stem}-`
    const steps = readdirSync(folder)
      .filter((name) => name.startsWith(start) && /^\d+\.safetensors$/.test(name.slice(start.length)))
      .map((name) => Number.parseInt(name.slice(start.length), 10))
    return steps.sort((a, b) => b - a).map((step) => ({ step, file: this.#fileOf(step) }))
  }
}

const ownOf = (file: string, numbers: unknown) =>
  checked(Own, numbers, `${file} state`, 'was this state saved by another version of Attune? begin again')

/** Undefined where it cannot be read, or is gone meanwhile. */
function headerOf(file: string): Checkpoint | undefined {
  try {
    const { metadata } = readSafetensorsHeader(file)
    return { ...ownOf(file, JSON.parse(metadata.numbers)), file }
  } catch {
    return undefined
  }
}
