/** What a file is that was taken for something else: told by its first bytes, with what to do about it. */
import { closeSync, openSync, readSync } from 'node:fs'

/** The two last parts of a complaint about a file. */
interface FileKind {
  readonly received: string
  readonly remedy: string
}

const again = 'download the file again, and look at its size'
const runsCode = 'which runs any code that it holds when it is read'
const safeVariant = `take the safetensors variant, or, where you trust it, convert it in Python: save_file(torch.load(file, weights_only=True), …)`

const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/\S+\s/
const page = /^\s*<(!doctype\b|html\b|head\b|body\b|\?xml\b)/i

/**
 * The kind of a file by how it begins, where it is one that often stands under another's name: a pointer of git-lfs, a web
 * page, an archive, a pickle, another format of weights, or nothing at all.
 *
 * @param start the first bytes, a few hundred
 */
export function otherFileKind(start: Uint8Array): FileKind | undefined {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.length)
  const beginsWith = (...first: readonly number[]) => first.every((byte, i) => bytes[i] === byte)
  if (bytes.length === 0) return { received: 'an empty file', remedy: again }
  const text = bytes.toString('latin1')
  if (pointer.test(text)) {
    const [, size] = /\nsize (\d+)/.exec(text) ?? []
    const standsFor = size === undefined ? 'the file itself' : `the file itself, of ${size} bytes`
    return {
      received: `a git-lfs pointer, a few lines that stand for ${standsFor}`,
      remedy: 'fetch the files that such pointers stand for: git lfs pull, in the folder of the repository',
    }
  }
  if (page.test(text)) {
    const remedy = 'an error or log-in page was saved under this name: download the file again from its own address'
    return { received: 'a web page', remedy }
  }
  if (beginsWith(0x50, 0x4b, 0x03, 0x04)) {
    return { received: `a zip archive, as PyTorch writes them: a pickle inside, ${runsCode}`, remedy: safeVariant }
  }
  // 0x80 and the protocol are also how a short safetensors header's length can begin, whose next bytes are zeros.
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5 && bytes[2] !== 0) {
    return { received: `a pickle, ${runsCode}`, remedy: safeVariant }
  }
  if (beginsWith(0x1f, 0x8b)) return { received: 'a gzip archive', remedy: 'unpack it first' }
  if (text.startsWith('GGUF')) return { received: 'a GGUF file', remedy: 'take the safetensors variant' }
  if (text.startsWith('\x89HDF')) return { received: 'an HDF5 file', remedy: 'take the safetensors variant' }
  return undefined
}

/** As {@link otherFileKind}, of a file that should hold bytes: a text, such as the answer of a server, is another kind. */
export function otherBinaryKind(start: Uint8Array): FileKind | undefined {
  const kind = otherFileKind(start)
  const text = Buffer.from(start).toString('latin1')
  if (kind !== undefined || !/^[\t\n\r\x20-\x7e]{8,}$/.test(text)) return kind
  return { received: `a text: ${text.trim().slice(0, 120)}`, remedy: again }
}

/** {@link otherBinaryKind} of a file on disk; undefined where it cannot be read. */
export function kindOnDisk(file: string): FileKind | undefined {
  try {
    const descriptor = openSync(file, 'r')
    try {
      const bytes = new Uint8Array(512)
      return otherBinaryKind(bytes.subarray(0, readSync(descriptor, bytes)))
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
}
