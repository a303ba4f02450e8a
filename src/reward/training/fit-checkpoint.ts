/** The state of one fit of a run in a file, for a process that goes on. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { FormatError } from '../../errors.ts'
import { writing } from '../../files.ts'
import { readTrainingState, writeTrainingState, type TrainingState } from '../../tensor/training-state.ts'

export class FitCheckpoint {
  readonly #file: string
  readonly #key: string
  readonly #onWrite: () => void

  /**
   * @param key     a hash of all that the fit depends on: the state of another key is as good as none
   * @param onWrite hears of each state that is on the disk
   */
  constructor(file: string, key: string, onWrite: () => void = () => undefined) {
    this.#file = file
    this.#key = key
    this.#onWrite = onWrite
  }

  /** Undefined where it is not there, damaged, or of another key. Its tensors belong to the scope in force. */
  read(): TrainingState | undefined {
    if (!existsSync(this.#file)) return undefined
    try {
      const state = readTrainingState(this.#file)
      return state.numbers.key === this.#key ? state : undefined
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      return undefined
    }
  }

  /** @throws {FileError} the disk is full */
  write({ tensors, numbers }: TrainingState): void {
    writing(this.#file, () => mkdirSync(dirname(this.#file), { recursive: true }))
    writeTrainingState(this.#file, { tensors, numbers: { ...numbers, key: this.#key } })
    this.#onWrite()
  }
}
