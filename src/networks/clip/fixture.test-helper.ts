/** The tiny checkpoints of `test/fixtures/stable-diffusion`, and what transformers computes with them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Dtype } from '../../tensor/dtype.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Weights } from '../weights.ts'

export const fixtures = fileURLToPath(new URL('../../../test/fixtures/stable-diffusion/', import.meta.url))

export const readJson = (file: string): unknown => JSON.parse(readFileSync(join(fixtures, file), 'utf8'))

/** Expected numbers by name, e.g. of `expected-sd1.safetensors`. Belongs to the scope in force. */
export function expectedOf(name: string): (key: string) => Tensor {
  const { tensors } = readSafetensors(join(fixtures, `expected-${name}.safetensors`))
  return (key) => {
    const found = tensors.get(key)
    assert.ok(found !== undefined, `no ${key} in expected-${name}`)
    return found
  }
}

/** The weights of one component, computing in a type. */
export function weightsOf(folder: string, dtype: Dtype = 'float32'): Weights {
  const { tensors } = readSafetensors(join(fixtures, folder, 'model.safetensors'))
  return Weights.of(new Map([...tensors].map(([key, each]) => [key, each.to(dtype)])), { dtype })
}

/** The same names and shapes without elements. */
export function hollow(weights: Weights): Weights {
  return Weights.of(new Map([...weights.tensors()].map(([key, each]) => [key, each.to('meta')])))
}

/** Largest absolute difference. */
export function distance(actual: Tensor, expected: Tensor): number {
  assert.deepEqual(actual.shape, expected.shape)
  return actual.to('float32').sub(expected.to('float32')).abs().flatten().amax(0).item()
}

export function assertNear(actual: Tensor, expected: Tensor, tolerance: number): void {
  const far = distance(actual, expected)
  assert.ok(far <= tolerance, `${far} > ${tolerance}`)
}
