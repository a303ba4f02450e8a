/**
 * Weights on disk in the safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON
 * header, raw elements. Written in the order of the reference implementation, so the bytes are equal to its own.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { FileError, FormatError } from '../errors.ts'
import { kindOnDisk } from '../file-kind.ts'
import { sync, writing } from '../files.ts'
import { tensor } from './create.ts'
import { elementSize, type Dtype } from './dtype.ts'
import { headerFault, headerLimits, repeatedKey } from './header-scan.ts'
import type { Tensor } from './tensor.ts'

// In the order of the reference implementation's enum: what stands lower comes first in a file.
const formatNames = new Map<Dtype, string>([
  ['bool', 'BOOL'],
  ['uint8', 'U8'],
  ['int8', 'I8'],
  ['int16', 'I16'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['int32', 'I32'],
  ['float32', 'F32'],
  ['float64', 'F64'],
  ['int64', 'I64'],
])
const dtypesByName = new Map([...formatNames].map(([dtype, name]) => [name, dtype]))
const ranks = new Map([...formatNames.keys()].map((dtype, rank) => [dtype, rank]))

const longestTransfer = 2 ** 30

/** One tensor of a file: `begin` and `end` are bytes from the start of the elements. */
export interface SafetensorsEntry {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  /** In the order of the file. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  /** Where the elements begin, in bytes from the start of the file. */
  readonly start: number
}

/**
 * Writes tensors whole or not at all: under another name first, renamed when they are on the disk. Needs memory for a
 * copy of the largest tensor only. The same tensors and metadata give the same bytes.
 * @throws {FileError} the disk is full, or the folder cannot be written
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): void {
  const ordered = [...tensors].sort(
    ([a, tensorA], [b, tensorB]) =>
      ranks.get(tensorB.dtype)! - ranks.get(tensorA.dtype)! || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`
  writing(file, () => {
    try {
      const descriptor = openSync(partial, 'wx')
      try {
        writeAll(descriptor, headerBytes(ordered, metadata))
        for (const [, one] of ordered) writeAll(descriptor, new Uint8Array(one.toBytes()))
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      renameSync(partial, file)
      sync(dirname(file))
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  })
}

function headerBytes(ordered: readonly (readonly [string, Tensor])[], metadata?: Readonly<Record<string, string>>) {
  const names = Object.keys(metadata ?? {}).sort()
  const fields: string[] = []
  if (metadata !== undefined && names.length > 0) {
    fields.push(`"__metadata__":${JSON.stringify(Object.fromEntries(names.map((name) => [name, metadata[name]])))}`)
  }
  let begin = 0
  for (const [name, { dtype, shape, numel }] of ordered) {
    const end = begin + numel * elementSize(dtype)
    const entry = { dtype: formatNames.get(dtype), shape, data_offsets: [begin, end] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    begin = end
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  const bytes = Buffer.alloc(8 + length, ' ')
  bytes.writeBigUInt64LE(BigInt(length))
  json.copy(bytes, 8)
  return bytes
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, longestTransfer))
  }
}

/**
 * Reads tensors one by one onto the CPU. Nothing is read before the whole header has been found sound.
 * @param only picks tensors by name; all without it
 * @throws {FileError} no such file
 * @throws {FormatError} naming file and tensor: truncated, overlapping, sizes that contradict each other, …
 */
export function readSafetensors(
  file: string,
  { only = () => true }: { readonly only?: (name: string) => boolean } = {},
): { tensors: Map<string, Tensor>; metadata: Readonly<Record<string, string>> } {
  const tensors = new Map<string, Tensor>()
  const { metadata } = eachSafetensor(file, (name, read) => {
    if (only(name)) tensors.set(name, read())
  })
  return { tensors, metadata }
}

/**
 * Goes through the tensors in the order of the file; `read`, which is called within `visit` or not at all, makes the
 * tensor on the CPU. One buffer serves all, so beyond what is made this takes the memory of the largest tensor.
 * @throws as `readSafetensors`
 */
export function eachSafetensor(file: string, visit: (name: string, read: () => Tensor) => void): SafetensorsHeader {
  return reading(file, (descriptor) => {
    const header = readHeader(file, descriptor)
    const { entries, start } = header
    let buffer = new Uint8Array(0)
    for (const [name, { dtype, shape, begin, end }] of entries) {
      visit(name, () => {
        if (buffer.length < end - begin) buffer = new Uint8Array(end - begin)
        const bytes = buffer.subarray(0, end - begin)
        readInto(bytes, file, descriptor, start + begin)
        return tensor(bytes, shape, dtype)
      })
    }
    return header
  })
}

/**
 * The header alone: what a file holds, without its elements.
 * @throws {FileError}
 * @throws {FormatError}
 */
export function readSafetensorsHeader(file: string): SafetensorsHeader {
  return reading(file, (descriptor) => readHeader(file, descriptor))
}

function reading<T>(file: string, read: (descriptor: number) => T): T {
  const unreadable = (received: string, cause?: unknown) =>
    new FileError({ where: file, expected: 'a readable safetensors file', received, remedy: 'check the path', cause })
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (cause) {
    throw unreadable((cause as Error).message, cause)
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw unreadable('something that is not a file')
    return read(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function readExactly(file: string, descriptor: number, from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  readInto(bytes, file, descriptor, from)
  return bytes
}

function readInto(bytes: Uint8Array, file: string, descriptor: number, from: number): void {
  const { length } = bytes
  for (let done = 0; done < length;) {
    const count = readSync(descriptor, bytes, done, Math.min(length - done, longestTransfer), from + done)
    if (count === 0) throw broken(file, `${length} bytes from byte ${from}`, `the end after ${done}`)
    done += count
  }
}

function broken(where: string, expected: string, received: string): FormatError {
  const remedy = 'the file is damaged or was not copied whole; fetch or write it again'
  return new FormatError({ where, expected, received, remedy })
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
})

function readHeader(file: string, descriptor: number): SafetensorsHeader {
  try {
    return soundHeader(file, descriptor)
  } catch (cause) {
    // Of a file that is something else altogether, what its header lacks tells nothing.
    const kind = cause instanceof FormatError ? kindOnDisk(file) : undefined
    if (kind === undefined) throw cause
    throw new FormatError({ where: file, expected: 'a safetensors file', ...kind, cause })
  }
}

function soundHeader(file: string, descriptor: number): SafetensorsHeader {
  const size = fstatSync(descriptor).size
  if (size < 8) throw broken(file, 'at least 8 bytes', `${size}`)
  const prefix = readExactly(file, descriptor, 0, 8)
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true))
  if (length > headerLimits.bytes)
    throw broken(file, `a header of at most ${headerLimits.bytes} bytes`, `a length of ${length}`)
  if (8 + length > size) throw broken(file, `a header of ${length} bytes`, `a file of ${size} bytes`)
  const json = parseHeader(file, readExactly(file, descriptor, 8, length))

  let metadata: Readonly<Record<string, string>> = {}
  const unordered: [string, SafetensorsEntry][] = []
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') metadata = parseMetadata(file, value)
    else unordered.push([name, parseEntry(`${file} ${name}`, value)])
  }
  const ordered = unordered.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let end = 0
  for (const [name, entry] of ordered) {
    if (entry.begin !== end) throw broken(`${file} ${name}`, `elements from byte ${end}`, `from byte ${entry.begin}`)
    end = entry.end
  }
  const start = 8 + length
  if (start + end !== size) {
    const received = start + end > size ? `${size}, a download or copy that broke off` : `${size}`
    throw broken(file, `${start + end} bytes, as the header says`, received)
  }
  return { metadata, entries: new Map(ordered), start }
}

function parseEntry(where: string, value: unknown): SafetensorsEntry {
  const parsed = entrySchema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]
    throw broken(where, 'dtype, shape and data_offsets in whole numbers ≥ 0', `${path.join('.')}: ${message}`)
  }
  const { shape, data_offsets: offsets } = parsed.data
  const [begin, end] = offsets
  const dtype = dtypesByName.get(parsed.data.dtype)
  if (dtype === undefined) {
    throw new FormatError({
      where,
      expected: `one of the element types ${[...dtypesByName.keys()].join(', ')}`,
      received: parsed.data.dtype,
      remedy: 'convert the tensor to one of these first',
    })
  }
  const bytes = shape.reduce((product, one) => product * one, elementSize(dtype))
  if (end - begin !== bytes) {
    throw broken(where, `${bytes} bytes for ${dtype} [${shape.join(', ')}]`, `${end - begin}`)
  }
  return { dtype, shape, begin, end }
}

function parseMetadata(file: string, value: unknown): Readonly<Record<string, string>> {
  const parsed = z.record(z.string(), z.string()).safeParse(value)
  if (!parsed.success) throw broken(`${file} __metadata__`, 'text by name', parsed.error.issues[0].message)
  return parsed.data
}

function parseHeader(file: string, bytes: Uint8Array): Record<string, unknown> {
  const where = `${file} header`
  const fault = headerFault(bytes)
  if (fault !== undefined) throw broken(where, fault.expected, fault.received)
  let text: string
  let json: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    json = JSON.parse(text)
  } catch (cause) {
    throw broken(where, 'JSON', (cause as Error).message)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw broken(where, 'a JSON object', 'another value')
  const twice = repeatedKey(text)
  if (twice !== undefined) throw broken(`${file} ${twice}`, 'one entry of this name', 'two')
  return json as Record<string, unknown>
}
