/** The log of a job, however long: read a piece at a time, so that a line of it is in memory and never all of it. */
import { createReadStream, statSync } from 'node:fs'

export interface LogQuery {
  /** Byte at which to begin; that of a line. */
  readonly from: number
  /** Lines with this text, in any case; all of them without it. */
  readonly find?: string | undefined
  /** Lines that tell of an error. */
  readonly errors?: boolean | undefined
  /** So many lines at most. */
  readonly most: number
}

export interface LogPart {
  readonly lines: { readonly at: number; readonly text: string }[]
  /** Byte at which to go on. */
  readonly next: number
  /** Of the log, bytes. */
  readonly size: number
}

/** Of a line more is not shown. */
const longestLine = 2000
/** Read for one answer; the next one goes on from there. */
const mostBytes = 32e6
const errorPattern = /\b(internal error|error|exception|traceback|fatal|killed)\b/i
const newline = 0x0a

/** Lines of a log that are whole; one that is still being written counts where nothing is looked for behind it. */
export async function searchLog(file: string, { from, find, errors = false, most }: LogQuery): Promise<LogPart> {
  const stat = statSync(file, { throwIfNoEntry: false })
  const size = stat?.isFile() === true ? stat.size : 0
  const wanted = find?.toLowerCase()
  const isMeant = (text: string) =>
    (wanted === undefined || text.toLowerCase().includes(wanted)) && (!errors || errorPattern.test(text))
  const lines: { at: number; text: string }[] = []
  let next = Math.min(from, size)
  if (next === size) return { lines, next, size }
  const end = Math.min(size, next + mostBytes)
  for await (const { at, text, after } of linesOf(file, next, end)) {
    if (text.trim() !== '' && isMeant(text)) lines.push({ at, text })
    next = after
    if (lines.length === most) break
  }
  return { lines, next, size }
}

/** @yields whole lines between two bytes; a last one without an end only where it is the end of the log, or longer than what is read */
async function* linesOf(file: string, from: number, end: number) {
  let head = Buffer.alloc(0)
  let begin = from
  let place = from
  for await (const chunk of createReadStream(file, { start: from, end: end - 1, highWaterMark: 65_536 })) {
    const bytes = chunk as Buffer
    let start = 0
    for (let cut = bytes.indexOf(newline); cut >= 0; cut = bytes.indexOf(newline, start)) {
      yield { at: begin, text: textOf(head, bytes.subarray(start, cut)), after: place + cut + 1 }
      head = Buffer.alloc(0)
      start = cut + 1
      begin = place + start
    }
    const room = 4 * longestLine - head.length
    if (room > 0) head = Buffer.concat([head, bytes.subarray(start, start + room)])
    place += bytes.length
  }
  // Half a line at the end is told once it is whole; one that fills all that was read would never be.
  if (begin === from && head.length > 0 && end - from >= mostBytes) {
    yield { at: begin, text: textOf(head, Buffer.alloc(0)), after: end }
  }
}

/** Without what moves the cursor of a terminal: of a line that was written over, the last writing. */
function textOf(head: Buffer, rest: Buffer): string {
  const bytes = Buffer.concat([head, rest.subarray(0, 4 * longestLine)])
  const text = bytes.toString('utf8').replace(/\r+$/, '')
  return text.slice(text.lastIndexOf('\r') + 1).slice(0, longestLine)
}
