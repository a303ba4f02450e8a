/** All that changes while a stage trains, as one record that is saved and loaded whole. */
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import type { Tensor } from './tensor.ts'

export interface TrainingState {
  readonly tensors: ReadonlyMap<string, Tensor>
  /** Counters and running numbers; must survive JSON. */
  readonly numbers: Readonly<Record<string, unknown>>
}

/** @throws {FileError} */
export function writeTrainingState(file: string, { tensors, numbers }: TrainingState): void {
  writeSafetensors(file, tensors, { format: 'attune-training-state-1', numbers: JSON.stringify(numbers) })
}

/** @throws {FileError} @throws {FormatError} */
export function readTrainingState(file: string): TrainingState {
  const { tensors, metadata } = readSafetensors(file)
  return { tensors, numbers: JSON.parse(metadata.numbers ?? '{}') as Record<string, unknown> }
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
