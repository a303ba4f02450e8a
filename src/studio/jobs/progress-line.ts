/** What the log of a stage tells: how far it is, and on which words it ended. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { JobProgress } from '../schemas/jobs.ts'

/** A launch writes the number of the process in front. */
const progressLine = /^(?:\[\d+\] )?(.*): (\d+)\/(\d+) (\S+) \d+ % [\d.]+\/s(?:, [\d:]+ left)?(?: (.*))?$/
const doneLine = /^.*: \d+ \S+ in [\d:]+( .*)?$/

/** The inverse of `progress` (src/progress.ts); undefined for any other line. */
export function readProgress(line: string): JobProgress | undefined {
  const [, label, done, total, unit, note = ''] = progressLine.exec(line) ?? []
  return label === undefined ? undefined : { label, done: Number(done), total: Number(total), unit, note }
}

const beginning = '$ attune '
/** The first line of each process of a job in its log. */
export const beginLine = (words: readonly string[]): string => `${beginning}${words.join(' ')}`

const tailBytes = 32_768

/** The last lines of a log, none where it is not there yet. A line that is cut at the front is left out. */
export function lastLines(file: string): string[] {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return []
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return []
    const { size } = stat
    const from = Math.max(0, size - tailBytes)
    const bytes = Buffer.alloc(size - from)
    const read = readSync(descriptor, bytes, 0, bytes.length, from)
    const lines = bytes.toString('utf8', 0, read).split(/[\r\n]+/)
    return (from > 0 ? lines.slice(1) : lines).filter((line) => line.trim() !== '')
  } finally {
    closeSync(descriptor)
  }
}

/** The lines worth showing: of all progress lines only the last. */
export function toldLines(lines: readonly string[], most = 60): string[] {
  const isProgress = (line: string) => progressLine.test(line)
  const last = lines.findLastIndex(isProgress)
  return lines.filter((line, i) => i === last || !isProgress(line)).slice(-most)
}

/** The line on which the last process of a log failed; null where it fell silent. */
export function errorLine(all: readonly string[]): string | null {
  const lines = all.slice(all.findLastIndex((line) => line.startsWith(beginning)) + 1)
  const internal = lines.slice(-3).find((line) => /^(\[\d+\] )?internal error:/.test(line))
  if (internal !== undefined) return internal
  const last = lines.at(-1)
  return last === undefined || progressLine.test(last) || doneLine.test(last) ? null : last
}
