/** All that changes while a stage trains, as one record that is saved and loaded whole. */
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { checked, expectFiniteNumbers } from '../checked.ts'
import { FormatError } from '../errors.ts'
import { expectFinite } from './finite.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import type { Tensor } from './tensor.ts'

export interface TrainingState {
  readonly tensors: ReadonlyMap<string, Tensor>
  /** Counters and running numbers; must survive JSON. */
  readonly numbers: Readonly<Record<string, unknown>>
}

const format = 'attune-training-state-2'

/**
 * Writes a state with a checksum of all of it.
 *
 * @throws {DivergenceError} a number of it is not finite; nothing is written then
 * @throws {FileError}
 */
export function writeTrainingState(file: string, { tensors, numbers }: TrainingState): void {
  expectFinite(file, tensors)
  expectFiniteNumbers(file, numbers)
  const text = JSON.stringify(numbers)
  writeSafetensors(file, tensors, { format, numbers: text, sha256: digestOf(tensors, text) })
}

/**
 * @throws {FileError} there is no such file
 * @throws {FormatError} another kind of file, or one that is not as it was written
 */
export function readTrainingState(file: string): TrainingState {
  const { tensors, metadata } = readSafetensors(file)
  const refuse = (where: string, expected: string, received: string) =>
    new FormatError({
      where: `${file} ${where}`.trim(),
      expected,
      received,
      remedy: 'restore this file from a copy, or begin again in another folder',
    })
  if (metadata.format !== format) throw refuse('format', format, metadata.format ?? 'nothing')
  const text = metadata.numbers ?? ''
  if (metadata.sha256 !== digestOf(tensors, text)) {
    throw refuse('', 'a checkpoint as it was written', 'one whose checksum does not fit: the file is damaged')
  }
  try {
    return { tensors, numbers: JSON.parse(text) as Record<string, unknown> }
  } catch (cause) {
    throw refuse('numbers', 'JSON', (cause as Error).message)
  }
}

/** SHA-256 over the numbers and over name, type, shape and elements of every tensor. */
function digestOf(tensors: ReadonlyMap<string, Tensor>, numbers: string): string {
  const hash = createHash('sha256').update(`${numbers}\n`)
  for (const [name, one] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${JSON.stringify([name, one.dtype, one.shape])}\n`).update(new Uint8Array(one.toBytes()))
  }
  return hash.digest('hex')
}

/**
 * The numbers of a state, checked.
 *
 * @param owner whose state it is: `dpok`
 * @throws {FormatError} names the number that is missing or makes no sense
 */
export function numbersOf<S extends z.ZodType>(owner: string, schema: S, { numbers }: TrainingState): z.output<S> {
  return checked(schema, numbers, `${owner} state`, 'was this state saved by another version of Attune? begin again')
}

/** Of a state that is whole, and not of this training. @param where whose state it is */
export const ofAnotherRun = (where: string, expected: string, received: string): FormatError =>
  new FormatError({ where, expected, received, remedy: 'was this state saved for another run?' })

/** @param unit what is counted: `updates` @throws {FormatError} more have been done than the training has */
export function expectWithin(owner: string, done: number, total: number, unit: string): void {
  if (done <= total) return
  throw ofAnotherRun(`${owner} state`, `one of at most ${total} ${unit}`, `one of ${done}`)
}

/** Prefixes the names of a part's tensors: `optimiser.exp_avg.…`. */
export function under(prefix: string, tensors: ReadonlyMap<string, Tensor>): [string, Tensor][] {
  return [...tensors].map(([name, tensor]) => [`${prefix}.${name}`, tensor])
}

/** The tensors below a prefix, without it. */
export function below(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const start = `${prefix}.`
  return new Map(
    [...tensors].filter(([name]) => name.startsWith(start)).map(([name, tensor]) => [name.slice(start.length), tensor]),
  )
}
