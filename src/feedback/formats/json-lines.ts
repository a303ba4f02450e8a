/** Judgments as JSON lines: records of {@link Judgment}, of which an export says more than an import reads. */
import { FormatError } from '../../errors.ts'
import { Judgment } from '../../records.ts'
import { complaintOf } from '../issue-complaint.ts'
import { unknownImage } from './find-image.ts'
import type { OutwardRow } from './outward-row.ts'

/** What a row says about itself beside the judgment. */
const said: readonly (keyof OutwardRow)[] = ['prompt', 'sha256', 'consent', 'licence', 'version']

/**
 * Reads a file. One without a byte is the export of an empty store.
 *
 * @param name of the file, for messages
 * @param ids of all images that there are
 * @returns `rows`: where each judgment stands
 * @throws {FormatError | UnknownRecordError} names file and line
 */
export function judgmentsOfLines(
  name: string,
  text: string,
  ids: ReadonlySet<string>,
): { judgments: { judgment: Judgment }[]; rows: number[]; unanswered: 0 } {
  const rows: number[] = []
  const judgments = text.split(/\r\n?|\n/).flatMap((line, place): { judgment: Judgment }[] => {
    if (line.trim() === '') return []
    const where = `${name}:${place + 1}`
    const judgment = parsedLine(where, line)
    const missing = judgment.images.find((image) => !ids.has(image))
    if (missing !== undefined) throw unknownImage(`${where} images`, missing)
    rows.push(place + 1)
    return [{ judgment }]
  })
  if (judgments.length > 0 || text === '') return { judgments, rows, unanswered: 0 }
  throw new FormatError({ where: name, expected: 'a judgment', received: 'an empty file', remedy: 'add a line' })
}

export function* linesOf(rows: Iterable<OutwardRow>): Generator<string> {
  for (const { judgment, ...rest } of rows) yield `${JSON.stringify({ ...judgment, ...rest })}\n`
}

function parsedLine(where: string, line: string): Judgment {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError({ where, expected: 'JSON', received, remedy: 'correct the syntax', cause })
  }
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  const own = isRecord ? Object.entries(value as object).filter(([key]) => !said.some((one) => one === key)) : undefined
  const given = own === undefined ? value : Object.fromEntries(own)
  const parsed = Judgment.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const { expected, received } = complaintOf(issue, given)
  throw new FormatError({
    where: [where, ...issue.path].join(' '),
    expected: issue.path.length === 0 ? `a Judgment record: ${expected}` : expected,
    received,
    remedy: 'correct the field',
  })
}
