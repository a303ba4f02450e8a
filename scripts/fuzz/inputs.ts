/**
 * Inputs for readers of files, each made from a sound one by a seed: the same seed makes the same input. Half of them keep
 * the form of the file, so that what is wrong lies deep in it; the others break it anywhere.
 */
import { crc32 } from 'node:zlib'

export type Form = 'text' | 'lines' | 'json' | 'bytes' | 'safetensors' | 'png'

/** Mulberry32. */
class Dice {
  #state: number

  constructor(...seeds: readonly number[]) {
    this.#state = seeds.reduce((state, seed) => Math.imul(state ^ (seed + 0x9e3779b9), 0x85ebca6b) >>> 0, 1)
  }

  /** In [0, 1). */
  real(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(count: number): number {
    return Math.floor(this.real() * count)
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  chance(share: number): boolean {
    return this.real() < share
  }
}

const strangeTexts = [
  '',
  ' ',
  '\0',
  'NaN',
  '-1',
  '1e308',
  '__proto__',
  'constructor',
  'toString',
  '../../escape',
  '/etc/passwd',
  '..\\escape',
  'C:\\escape',
  'images/../../escape.png',
  '=1+1',
  '\ud800',
  '\udc00\ud800',
  '\ufeff',
  '\u2028',
  '\u202e',
  'é'.normalize('NFD').repeat(50),
  '👩‍👩‍👧‍👦'.repeat(20),
  '"',
  "'",
  ',',
  ';',
  '\t',
  '\r',
  '[',
  '{"a":1}',
  '<script>',
  '${a}',
  '%s%n',
  '2026-01-01',
  '9999-12-31T23:59:59.999Z',
  '-271821-04-20T00:00:00.000Z',
  'x'.repeat(300),
  '([a-z_0-9.]+)+!',
  '(a*)*b',
  '\uffff',
]
const strangeNumbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  255,
  256,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e308,
  -1e308,
  5e-324,
]

/** Something that stands where another value should: now and then large. */
function strangeValue(dice: Dice, depth = 0): unknown {
  switch (dice.below(depth > 2 ? 8 : 11)) {
    case 0:
      return null
    case 1:
      return dice.chance(0.5)
    case 2:
    case 3:
    case 4:
      return dice.one(strangeNumbers)
    case 5:
    case 6:
      return dice.one(strangeTexts)
    case 7:
      return depth === 0 && dice.chance(0.05) ? longText(dice) : dice.one(strangeTexts)
    case 8:
      return Array.from({ length: depth === 0 && dice.chance(0.02) ? 5000 : dice.below(4) }, () =>
        strangeValue(dice, depth + 1),
      )
    case 9:
      return Object.fromEntries(
        Array.from({ length: dice.below(4) }, () => [dice.one(strangeTexts), strangeValue(dice, depth + 1)]),
      )
    default:
      return nested(depth === 0 && dice.chance(0.1) ? 400 : 20)
  }
}

function longText(dice: Dice): string {
  const text = dice.one(strangeTexts)
  return text.repeat(Math.ceil((1 + dice.below(100_000)) / Math.max(1, text.length)))
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

type Tree = Record<string, unknown> | unknown[]
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

const isSmall = (value: unknown) => (JSON.stringify(value) ?? '').length < 300

/** Changes one place of a value: any is as likely as another. */
function changedValue(value: unknown, dice: Dice): unknown {
  const places: [tree: Tree, key: string][] = []
  const collect = (tree: unknown): void => {
    if (!isTree(tree) || places.length > 5000) return
    for (const key of Object.keys(tree)) {
      places.push([tree, key])
      collect((tree as Record<string, unknown>)[key])
    }
  }
  const whole = structuredClone(value)
  collect(whole)
  if (places.length === 0 || dice.chance(0.02)) return strangeValue(dice)
  const [tree, key] = dice.one(places)
  const fields = tree as Record<string, unknown>
  const put = (name: string, content: unknown) =>
    Object.defineProperty(tree, name, { value: content, enumerable: true, writable: true, configurable: true })
  switch (dice.below(9)) {
    case 0:
      if (Array.isArray(tree)) tree.splice(Number(key), 1)
      else Reflect.deleteProperty(tree, key)
      break
    case 1:
      if (Array.isArray(tree)) tree.splice(Number(key), 0, strangeValue(dice))
      else put(dice.one(strangeTexts), strangeValue(dice))
      break
    case 2:
      if (Array.isArray(tree) && dice.chance(0.05) && isSmall(tree[0])) tree.push(...Array<unknown>(3000).fill(tree[0]))
      else if (Array.isArray(tree)) tree.push(...tree.slice(0, 20))
      else put(dice.one(strangeTexts), fields[key])
      break
    case 3: {
      const [other, name] = dice.one(places)
      put(key, structuredClone((other as Record<string, unknown>)[name]))
      break
    }
    case 4:
      if (typeof fields[key] === 'string') put(key, changedText(fields[key], dice))
      else put(key, strangeValue(dice))
      break
    case 5:
      if (typeof fields[key] === 'number') put(key, fields[key] * dice.one([-1, 0, 2, 1e9, 1e300]) + dice.below(3))
      else put(key, strangeValue(dice))
      break
    default:
      put(key, strangeValue(dice))
  }
  return whole
}

function changedJson(text: string, dice: Dice): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return changedText(text, dice)
  }
  for (let i = 0; i <= dice.below(3); i++) value = changedValue(value, dice)
  const written = JSON.stringify(value, undefined, dice.chance(0.2) ? 1 : undefined) ?? ''
  if (dice.chance(0.9)) return written
  // What JSON.stringify cannot write: keys twice, numbers that are none, depth beyond any stack.
  switch (dice.below(4)) {
    case 0:
      return written.replace('{', '{"__proto__":{"polluted":1},')
    case 1:
      return written.replace(/\{("[^"]*":)/, '{$1null,$1')
    case 2:
      return written.replace(/(?<=:)\d+/, dice.one(['NaN', 'Infinity', '1e999', '-1e999', '01', '9'.repeat(400)]))
    default:
      return '[{"a":'.repeat(dice.one([100, 20_000])) + written
  }
}

function changedText(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1)
  const to = Math.min(text.length, at + 1 + dice.below(dice.chance(0.5) ? 3 : 40))
  switch (dice.below(10)) {
    case 0:
      return text.slice(0, at) + text.slice(to)
    case 1:
      return text.slice(0, at) + dice.one(strangeTexts) + text.slice(at)
    case 2:
      return text.slice(0, at) + dice.one(strangeTexts) + text.slice(to)
    case 3:
      return text.slice(0, at)
    case 4: {
      const times = dice.chance(0.03) ? 20_000 : 2 + dice.below(20)
      return text.slice(0, to) + text.slice(at, to).repeat(times) + text.slice(to)
    }
    case 5:
      return text.replace(/\d+(\.\d+)?/g, (number) => (dice.chance(0.2) ? String(dice.one(strangeNumbers)) : number))
    case 6:
      return text.replaceAll('\n', dice.one(['\r\n', '\r', '', '\n\n', '\u2028']))
    case 7:
      return text.replace(/[,;:"']/g, (sign) => (dice.chance(0.1) ? dice.one([',', ';', '"', '\t', ':', '\n']) : sign))
    case 8:
      return dice.chance(0.05)
        ? dice.one(strangeTexts.filter((one) => one.length < 3)).repeat(100_000)
        : `\ufeff${text}`
    default:
      return text.split('\n').sort(() => dice.real() - 0.5).join('\n') // prettier-ignore
  }
}

function changedLines(text: string, dice: Dice): string {
  const lines = text.split('\n')
  const at = dice.below(lines.length)
  switch (dice.below(5)) {
    case 0:
      return [...lines, lines[at]].join('\n')
    case 1:
      return lines.toSpliced(at, 1).join('\n')
    default:
      return lines.with(at, changedJson(lines[at], dice)).join('\n')
  }
}

function changedBytes(bytes: Buffer, other: Uint8Array, dice: Dice): Buffer {
  let changed = Buffer.from(bytes)
  for (let i = 0; i <= dice.below(4); i++) {
    const at = dice.below(changed.length)
    const length = Math.min(changed.length - at, 1 + dice.below(16))
    switch (dice.below(8)) {
      case 0:
        if (changed.length > 0) changed[at] ^= 1 << dice.below(8)
        break
      case 1:
        if (changed.length > 0) changed[at] = dice.one([0, 1, 0x7f, 0x80, 0xff])
        break
      case 2:
        changed = changed.subarray(0, at)
        break
      case 3:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + length)])
        break
      case 4:
        changed = Buffer.concat([changed.subarray(0, at + length), changed.subarray(at)])
        break
      case 5:
        changed = Buffer.concat([changed.subarray(0, at), Buffer.from(other.subarray(dice.below(other.length)))])
        break
      case 6:
        if (at + 4 <= changed.length) changed.writeUInt32LE(dice.one([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]), at)
        break
      default:
        if (at + 4 <= changed.length) changed.writeUInt32BE(dice.one([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]), at)
    }
  }
  return changed
}

/** The header of a safetensors file changed, with its right length. */
function changedSafetensors(bytes: Buffer, dice: Dice): Buffer {
  const length = Number(bytes.readBigUInt64LE())
  const header = Buffer.from(changedJson(bytes.toString('utf8', 8, 8 + length), dice))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([prefix, header, bytes.subarray(8 + length)])
}

/** One chunk of a PNG changed, with its right checksum. */
function changedPng(bytes: Buffer, dice: Dice): Buffer {
  const chunks: Buffer[] = []
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    chunks.push(bytes.subarray(at + 4, at + 8 + length))
    at += 12 + length
  }
  if (chunks.length === 0) return bytes
  const place = dice.below(chunks.length)
  const chunk = Buffer.from(chunks[place])
  if (dice.chance(0.5) && chunk.length >= 8) chunk.writeUInt32BE(dice.one([0, 1, 65535, 2 ** 20, 2 ** 31 - 1]), 4)
  else chunk[dice.below(chunk.length)] ^= 1 << dice.below(8)
  const all = dice.chance(0.1) ? chunks.toSpliced(place, 0, chunk) : chunks.with(place, chunk)
  const written = all.flatMap((one) => {
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(one.length - 4)
    frame.writeUInt32BE(crc32(one), 4)
    return [frame.subarray(0, 4), one, frame.subarray(4)]
  })
  return Buffer.concat([bytes.subarray(0, 8), ...written])
}

/** The input of a number, for a reader of this name. */
export function inputOf(
  { name, form }: { readonly name: string; readonly form: Form },
  sound: readonly Uint8Array[],
  seed: number,
  number: number,
): Uint8Array {
  const dice = new Dice(crc32(name), seed, number)
  const given = Buffer.from(dice.one(sound))
  const other = dice.one(sound)
  const text = () => given.toString('utf8')
  const isAnywhere = dice.chance(form === 'bytes' ? 1 : 0.25)
  if (isAnywhere) return changedBytes(given, other, dice)
  switch (form) {
    case 'text':
      return Buffer.from(changedText(text(), dice))
    case 'lines':
      return Buffer.from(dice.chance(0.2) ? changedText(text(), dice) : changedLines(text(), dice))
    case 'json':
      return Buffer.from(dice.chance(0.1) ? changedText(text(), dice) : changedJson(text(), dice))
    case 'safetensors':
      return changedSafetensors(given, dice)
    case 'png':
      return changedPng(given, dice)
    default:
      return changedBytes(given, other, dice)
  }
}
