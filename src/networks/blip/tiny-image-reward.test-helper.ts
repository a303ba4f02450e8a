/** The tiny ImageReward of `test/fixtures/image-reward`, whose weights follow from their names. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tensor } from '../../tensor/create.ts'
import { writeSafetensors } from '../../tensor/safetensors.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export const tinyFixtures = fileURLToPath(new URL('../../../test/fixtures/image-reward/', import.meta.url))

/** Its tensors in the layout of the published copy. They belong to the scope in force. */
export function tinyImageReward(): Map<string, Tensor> {
  const shapes = JSON.parse(readFileSync(join(tinyFixtures, 'tensors.json'), 'utf8')) as Record<string, number[]>
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, tensor(numbers(name, shape), shape)]))
}

/** Lays its weights and its vocabulary into a folder. */
export function writeTinyImageReward(folder: string, tensors = tinyImageReward()): string {
  mkdirSync(folder, { recursive: true })
  writeSafetensors(join(folder, 'model.safetensors'), tensors)
  cpSync(join(tinyFixtures, 'vocab.txt'), join(folder, 'vocab.txt'))
  return folder
}

/** As `numbers` and what makes parameters of them in make_fixtures.py. */
function numbers(name: string, shape: readonly number[]): number[] {
  const count = shape.reduce((product, size) => product * size, 1)
  const seed = Buffer.from(name).reduce((hash, letter) => Math.imul(hash, 31) + letter, 0)
  const values = Array.from({ length: count }, (_, i) => hashed(Math.imul(i, 0x9e3779b9) + seed))
  if (/norm/i.test(name) && name.endsWith('weight')) return values.map((u) => 1 + 0.2 * u)
  if (shape.length === 1) return values.map((u) => 0.2 * u)
  if (shape.length === 3 || name.includes('embeddings')) return values
  const fanIn = count / shape[0]
  return values.map((u) => 1.5 * u * Math.sqrt(3 / fanIn))
}

/** Between −1 and 1. */
function hashed(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1
}
