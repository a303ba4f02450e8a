/** Encoded images on disk, so that a resumed run need not encode them again. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import type { CleanStates, GenerativeModel, ModelStage } from '../networks/generative-model.ts'
import { tensor, zeros } from '../tensor/create.ts'
import { gatherValues, type Group } from '../tensor/group.ts'
import { unscoped } from '../tensor/scope.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'
import { namedStates, statesNamed } from './named-states.ts'

export interface EncodedImages {
  /** [N, …] each, float32 on the CPU; they belong to whoever made or read them. */
  readonly states: CleanStates
  /** N places in the list of the images: those that could be read. */
  readonly rows: readonly number[]
}

/**
 * Nothing where the file is not there, was written with another key, or is broken.
 *
 * @param key a hash of all that the states depend on
 */
export function readEncodedImages(file: string, key: string): EncodedImages | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { tensors, numbers } = unscoped(() => readTrainingState(file))
    const states = statesNamed(tensors)
    const rows = tensors.get('rows')
    if (numbers.key === key && states !== undefined && rows !== undefined) {
      using _rows = rows
      return { states, rows: rows.toArray() }
    }
    for (const tensor of tensors.values()) tensor.dispose()
    return undefined
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

/** States with a number of each: its place in a list, or its score. */
interface Numbered {
  readonly states: CleanStates
  readonly numbers: readonly number[]
}

/**
 * What the first process of a group reads, in all of them.
 *
 * @param read nothing where there is nothing to read; called in the first process alone
 */
export function readForAll(
  group: Group,
  { stages, policyStage }: GenerativeModel,
  read: () => Numbered | undefined,
): Numbered | undefined {
  const own = group.rank === 0 ? read() : undefined
  const [numbers] = gatherValues(group, own?.numbers ?? null)
  if (numbers === null) return undefined
  const room = ({ stateShape }: ModelStage) => unscoped(() => zeros([numbers.length, ...stateShape]))
  const states = own?.states ?? { x0: room(stages[policyStage]), earlier: stages.slice(0, policyStage).map(room) }
  group.broadcast([states.x0, ...states.earlier])
  return { states, numbers }
}

/** @throws {DivergenceError} states that are not finite @throws {FileError} the disk is full, or the folder cannot be written */
export function writeEncodedImages(file: string, key: string, { states, rows }: EncodedImages): void {
  using kept = unscoped(() => tensor(rows, [rows.length], 'int64'))
  const tensors = new Map([...namedStates(states), ['rows', kept] as const])
  writeTrainingState(file, { tensors, numbers: { key } })
}
