/** The states of one fit of a run in files, for a process that goes on. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { FormatError } from '../../errors.ts'
import { writing } from '../../files.ts'
import { Checkpoints } from '../../tensor/checkpoints.ts'
import type { TrainingState } from '../../tensor/training-state.ts'

interface FitCheckpointOptions {
  /** A hash of all that the fit depends on: states of another key are as good as none. */
  readonly key: string
  /** How many states are kept at the most. */
  readonly kept: number
  /** Hears of each state that is on the disk. */
  readonly onWrite?: () => void
}

export class FitCheckpoint {
  readonly #file: string
  readonly #checkpoints: Checkpoints
  readonly #key: string
  readonly #onWrite: (() => void) | undefined

  /** @param file of the newest state */
  constructor(file: string, { key, kept, onWrite }: FitCheckpointOptions) {
    this.#file = file
    this.#checkpoints = new Checkpoints(file, kept)
    this.#key = key
    this.#onWrite = onWrite
  }

  /** Undefined where none is there, whole and of this key; what is damaged is told. Its tensors belong to the scope in force. */
  read(): TrainingState | undefined {
    try {
      const state = this.#checkpoints.read(tell)
      if (state === undefined || state.numbers.key === this.#key) return state
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      tell(`${error.where}: expected ${error.expected}, received ${error.received}; this fit begins again`)
    }
    this.#checkpoints.remove()
    return undefined
  }

  /** @param update how many were done @throws {FileError} the disk is full */
  write(update: number, { tensors, numbers }: TrainingState): void {
    writing(this.#file, () => mkdirSync(dirname(this.#file), { recursive: true }))
    this.#checkpoints.write(update, { tensors, numbers: { ...numbers, key: this.#key } })
    this.#onWrite?.()
  }
}

const tell = (warning: string) => process.stderr.write(`warning: ${warning}\n`)
