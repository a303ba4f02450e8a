/**
 * TensorBoard's event files: framed protobuf messages, of which only the few that hold scalars are written. A run that is
 * resumed gets another file, and TensorBoard shows all files of a folder as one run.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { writing } from './files.ts'

const namePattern = /^events\.out\.tfevents\.(\d{10,})\.(\d{4,})\.attune$/
/** TensorBoard reads the files of a folder in the order of their names, so the seconds never go back. */
const namedAs = (seconds: number, count: number) =>
  `events.out.tfevents.${seconds}.${String(count).padStart(4, '0')}.attune`

/** The name of a new event file beside others; without the name of the machine, which is nobody's business. */
export function eventFileName(beside: readonly string[], at: Date): string {
  const earlier = beside.flatMap((name) => {
    const found = namePattern.exec(name)
    return found === null ? [] : [Number(found[1])]
  })
  return namedAs(Math.max(Math.floor(at.getTime() / 1000), ...earlier), earlier.length)
}

/**
 * Begins an event file.
 *
 * @param restartStep where the run goes on from: TensorBoard then drops what earlier files say of this step and later ones
 * @throws {FileError} the file cannot be written
 */
export function startEventFile(file: string, at: Date, restartStep?: number): void {
  const restart = restartStep === undefined ? [] : [eventRecord({ at, step: restartStep, restart: true })]
  const records = [eventRecord({ at, fileVersion: 'brain.Event:2' }), ...restart]
  writing(file, () => writeFileSync(file, Buffer.concat(records)))
}

/**
 * Appends the numbers of a row, as scalars under their names; what is no number is left out.
 *
 * @throws {FileError} the file cannot be written
 */
export function appendScalars(file: string, at: Date, step: number, row: Readonly<Record<string, unknown>>): void {
  const scalars = Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  if (scalars.length > 0) writing(file, () => appendFileSync(file, eventRecord({ at, step, scalars })))
}

/** What Attune says in an event; see `event.proto` and `summary.proto` of TensorBoard. */
interface TrainingEvent {
  readonly at: Date
  readonly step?: number
  readonly fileVersion?: string
  readonly scalars?: readonly (readonly [tag: string, value: number])[]
  /** `SessionLog.START` */
  readonly restart?: boolean
}

/** An event as a record of the file: length, its checksum, message, its checksum; all little-endian. */
export function eventRecord({ at, step = 0, fileVersion, scalars, restart = false }: TrainingEvent): Buffer {
  const message = Buffer.concat([
    field(1, fixed64(at.getTime() / 1000)),
    ...(step === 0 ? [] : [field(2, varint(step))]),
    ...(fileVersion === undefined ? [] : [field(3, Buffer.from(fileVersion))]),
    ...(scalars === undefined
      ? []
      : [field(5, Buffer.concat(scalars.map((scalar) => field(1, summaryValue(scalar)))))]),
    ...(restart ? [field(7, field(1, varint(1)))] : []),
  ])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(message.length))
  return Buffer.concat([length, checksum(length), message, checksum(message)])
}

const summaryValue = ([tag, value]: readonly [string, number]) =>
  Buffer.concat([field(1, Buffer.from(tag)), field(2, fixed32(value))])

/** A number of a message that is not told by its length. */
interface Scalar {
  /** Wire type: 0 varint, 1 eight bytes, 5 four bytes. */
  readonly wire: 0 | 1 | 5
  readonly bytes: Buffer
}

/** A field of a protobuf message; bytes stand for texts and for messages within. */
function field(number: number, value: Buffer | Scalar): Buffer {
  if (!Buffer.isBuffer(value)) return Buffer.concat([Buffer.of((number << 3) | value.wire), value.bytes])
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(value.length).bytes, value])
}

function varint(value: number): Scalar {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return { wire: 0, bytes: Buffer.of(...bytes, rest) }
}

function fixed64(value: number): Scalar {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return { wire: 1, bytes }
}

function fixed32(value: number): Scalar {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return { wire: 5, bytes }
}

/** Of every byte: the remainder by the polynomial of Castagnoli, bits reversed. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1
  return rest
})

/** CRC-32C of bytes (RFC 3720, appendix B.4), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ remainders[(crc ^ byte) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}

/** The masked CRC-32C of TensorFlow's records: rotated and shifted, so that checksums of checksums stay good. */
function checksum(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes)
  const masked = Buffer.alloc(4)
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0)
  return masked
}
