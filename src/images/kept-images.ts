/** What an earlier process has drawn into a run folder, as far as it is whole. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FormatError } from '../errors.ts'
import { writeFileAtomic } from '../files.ts'
import type { ProgressStream } from '../progress.ts'
import type { ImageRecord } from '../records.ts'
import { sha256 } from '../sha256.ts'
import { readImageRecord } from './image-run.ts'

const mostNamed = 3

/**
 * The records of a list whose images lie there as they were drawn, by their index. The list keeps these alone; what else
 * it named, or could not name, is told, and has to be drawn again. Half a line at the end is what a killed process leaves.
 *
 * @param list     `images.jsonl`; may be missing
 * @param isWanted of a record: whether the run asks for this image
 */
export function keptImages(
  list: string,
  isWanted: (record: ImageRecord) => boolean,
  stderr: ProgressStream = process.stderr,
): Map<number, ImageRecord> {
  const kept = new Map<number, ImageRecord>()
  if (!existsSync(list)) return kept
  const text = readFileSync(list, 'utf8')
  const lines = text.split('\n')
  lines.pop()
  const lost: string[] = []
  lines.forEach((line, place) => {
    const where = `${list}:${place + 1}`
    const record = recordOf(line, dirname(list), where)
    if (record === undefined || !isWanted(record) || kept.has(record.index)) lost.push(where)
    else if (isWhole(record, dirname(list))) kept.set(record.index, record)
    else lost.push(record.file)
  })
  writeList(list, kept, text)
  if (lost.length > 0) {
    const named = lost.slice(0, mostNamed).join(', ') + (lost.length > mostNamed ? ' …' : '')
    stderr.write(`note: ${lost.length} of ${lines.length} images are broken or gone and drawn again: ${named}\n`)
  }
  return kept
}

/** Lists records in the order of their index, where the list does not say the same already. */
export function writeList(list: string, records: ReadonlyMap<number, ImageRecord>, present: string): void {
  const sorted = [...records.values()].sort((a, b) => a.index - b.index)
  const text = sorted.map((record) => `${JSON.stringify(record)}\n`).join('')
  if (text !== present) writeFileAtomic(list, text)
}

function recordOf(line: string, folder: string, where: string): ImageRecord | undefined {
  try {
    return readImageRecord(line, folder, where)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

function isWhole({ file, sha256: stated }: ImageRecord, folder: string): boolean {
  try {
    return sha256(readFileSync(join(folder, file))) === stated
  } catch {
    return false
  }
}
