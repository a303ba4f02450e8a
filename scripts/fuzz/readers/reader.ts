/** What a reader is to the trials, and what the descriptions of them share. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeText } from '../../../src/files.ts'
import type { Form } from '../inputs.ts'

export interface Reader {
  readonly name: string
  readonly form: Form
  readonly sound: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** @param folder to work in; returns what reads one input */
  readonly open: (folder: string) => ReadInput | Promise<ReadInput>
}
type ReadInput = (bytes: Uint8Array) => unknown

const fixtures = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url))
export const fixture = (name: string) => readFileSync(join(fixtures, name))
export const sd1 = join(fixtures, 'stable-diffusion/sd1')
export const json = (...values: unknown[]) => values.map((value) => Buffer.from(JSON.stringify(value)))
export const texts = (...values: string[]) => values.map((value) => Buffer.from(value))
export const textOf = (bytes: Uint8Array) => decodeText('input', bytes)

/** Reads the input from a file of this name in the folder. */
export const asFile =
  (name: string, read: (file: string, folder: string) => unknown): Reader['open'] =>
  (folder) =>
  (bytes) => {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
    return read(file, folder)
  }

export const at = '2026-01-02T03:04:05.678Z'
export const image = (index: number) => `${index}`.repeat(16)
export const records = [1, 2, 3].map((index) => ({
  id: image(index),
  prompt: `p${index}`,
  text: `a cat ${index}`,
  category: 'other',
  file: `images/${index}.png`,
  sha256: 'a'.repeat(64),
  seed: 1,
  index,
  policy: 'pretrained',
}))
