/** Features for the tests of measures. */
import { readFileSync } from 'node:fs'
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Two sets of features with what the code of the papers finds in them; `test/fixtures/measures.py` makes them. */
export interface MeasuredFeatures {
  readonly a: number[][]
  readonly b: number[][]
  readonly k: number
  readonly kernel: { readonly unpaired?: number; readonly paired?: number }
  readonly neighbours: Record<'precision' | 'recall' | 'density' | 'coverage', number>
  readonly vendi: readonly [a: number, b: number]
}

export const measuredFeatures = JSON.parse(
  readFileSync(new URL('../../test/fixtures/measures.json', import.meta.url), 'utf8'),
) as MeasuredFeatures[]

export const rows = (values: readonly (readonly number[])[]): Tensor =>
  tensor(Float64Array.from(values.flat()), [values.length, values[0].length])
