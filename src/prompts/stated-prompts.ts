/**
 * What prompt files state, by their form:
 *
 * - `.txt`: a prompt a line;
 * - `.jsonl`: an object a line, such as GenEval's `metadata.jsonl`;
 * - `.json`: a list of objects (ImageReward's and HPD's benchmarks), of texts, or objects by their ids; COCO's captions;
 *   the `{prompt: {"category"}}` of the public DPOK code;
 * - `.csv`, `.tsv`: a table with a header (PartiPrompts, DrawBench).
 */
import { extname } from 'node:path'
import { z } from 'zod'
import { FormatError, shownText } from '../errors.ts'
import { otherFileKind } from '../file-kind.ts'
import { jsonComplaint, parsePythonJson } from '../networks/checkpoint/python-json.ts'
import {
  categoryNamed,
  fromFields,
  fromRecord,
  isVisible,
  onlyText,
  promptText,
  textFields,
  textNames,
  type StatedPrompt,
} from './prompt-fields.ts'
import { readPromptTable } from './prompt-table.ts'

/**
 * The prompts of a text, in their order, with those that repeat.
 *
 * @param name   of the file; its ending is the form
 * @param column the field or column that holds the prompts; otherwise the one of them that is named as such
 * @throws {FormatError} names file and line: a form that is not known, no such column or several, a prompt that is none
 */
export function statedPrompts(name: string, content: string, column: string | null = null): StatedPrompt[] {
  const ending = extname(name).toLowerCase()
  const trimmed = content.trimStart()
  const other = otherFileKind(Buffer.from(trimmed.slice(0, 512)))
  if (other !== undefined && trimmed !== '') throw new FormatError({ where: name, expected: 'prompts', ...other })
  switch (ending) {
    case '.txt':
      if (column !== null) throw withoutColumns(name, column)
      return textLines(name, content)
    case '.jsonl':
    case '.ndjson':
      return trimmed.startsWith('[') ? jsonPrompts(name, content, column) : jsonLines(name, content, column)
    case '.json':
      return isJsonLines(content) ? jsonLines(name, content, column) : jsonPrompts(name, content, column)
    case '.csv':
    case '.tsv':
      return tablePrompts(name, content, column)
    default:
      throw new FormatError({
        where: name,
        expected: 'a file named .txt (a prompt a line), .jsonl, .json, or .csv or .tsv (a table with a header)',
        received: ending || 'no ending',
        remedy: 'name it by what it holds: only a file with one prompt on each line is a .txt',
      })
  }
}

interface NumberedLine {
  readonly line: number
  readonly text: string
}

const anyLineEnd = /\r\n|[\n\r\u0085\u2028\u2029]/
/** Of JSON, whose texts may hold the others. */
export const plainLineEnd = /\r\n|[\n\r]/

/** Lines that are not blank, whatever ends them: LF, CRLF, or CR alone. */
export function linesOf(content: string, end = anyLineEnd): NumberedLine[] {
  return content
    .split(end)
    .map((text, place) => ({ line: place + 1, text: text.trim() }))
    .filter(({ text }) => isVisible(text))
}

function textLines(name: string, content: string): StatedPrompt[] {
  const lines = linesOf(content).filter(({ text }) => !text.startsWith('#'))
  const other = lines.length === 0 ? undefined : foreignForm(lines, content)
  if (other !== undefined) {
    const [received, ending] = other
    throw new FormatError({
      where: name,
      expected: 'one prompt on each line, as .txt says',
      received,
      remedy: `name it ${ending}, so that its prompts are read and not whole rows`,
    })
  }
  return lines.map(({ line, text }) => ({ line, text: promptText(text, `${name}:${line}`) }))
}

/** What a file that was renamed to .txt is in truth. */
function foreignForm(
  lines: readonly NumberedLine[],
  content: string,
): readonly [what: string, ending: string] | undefined {
  const [{ text: header }] = lines
  const whole = parsedObject(content.trim())
  if (whole !== undefined && (lines.length > 1 || !hasText(whole, null))) return ['JSON', '.json']
  const isHeader = (delimiter: string) => {
    const cells = header.split(delimiter).map((cell) => cell.replaceAll('"', '').trim().toLowerCase())
    return cells.length > 1 && cells.some((cell) => textNames.includes(cell))
  }
  const tabs = header.split('\t').length
  if (isHeader('\t')) return ['a table with tabs and a header', '.tsv']
  if (tabs > 1 && lines.length > 1 && lines.every(({ text }) => text.split('\t').length === tabs)) {
    return ['a table with tabs', '.tsv, with a first row that names its columns']
  }
  if (isHeader(',') || isHeader(';')) return ['a table with a header', '.csv']
  return lines.every(({ text }) => text.startsWith('{') && parsedObject(text) !== undefined)
    ? ['an object on each line', '.jsonl']
    : undefined
}

/** An object or a list. */
const parsedObject = (text: string): object | undefined => {
  try {
    const value: unknown = /^[{[]/.test(text) ? parsePythonJson(text) : undefined
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Programs also write an object a line under the name .json. */
function isJsonLines(content: string): boolean {
  const [first, second] = linesOf(content, plainLineEnd)
  return (
    second !== undefined &&
    first.text.startsWith('{') &&
    parsedObject(first.text) !== undefined &&
    second.text.startsWith('{')
  )
}

function jsonLines(name: string, content: string, column: string | null): StatedPrompt[] {
  return linesOf(content, plainLineEnd).map(({ line, text }) => {
    const where = `${name}:${line}`
    return fromRecord(parsedJson(text, where), line, where, column)
  })
}

const CocoFile = z.looseObject({
  annotations: z.array(z.looseObject({})).refine((list) => list.some((one) => 'caption' in one)),
})
const DpokFile = z.record(
  z.string(),
  z
    .looseObject({ category: z.string().optional() })
    .refine((one) => one.category !== undefined || Object.keys(one).length === 0),
)

function jsonPrompts(name: string, content: string, column: string | null): StatedPrompt[] {
  const value = parsedJson(content, name)
  const at = (place: number) => `${name}:${place + 1}`
  const records = (list: readonly unknown[]) =>
    list.map((one, place) =>
      typeof one === 'string'
        ? { line: place + 1, text: promptText(one, at(place)) }
        : fromRecord(one, place + 1, at(place), column),
    )
  if (Array.isArray(value)) return records(value)
  const coco = CocoFile.safeParse(value)
  if (coco.success && column === null) {
    return coco.data.annotations.map(({ caption }, place) => ({
      line: place + 1,
      text: promptText(caption, `${at(place)} caption`),
    }))
  }
  const entries = Object.entries(Object(value) as Record<string, unknown>)
  const [own] = textFields(
    entries.map(([key]) => key),
    column,
  )
  const one = own === undefined ? undefined : (value as Record<string, unknown>)[own]
  if (Array.isArray(one)) return records(one)
  if (typeof one === 'string') return records([value])
  // Columns by name, with rows by number, as pandas writes them.
  if (typeof one === 'object' && one !== null) return records(Object.values(one))
  const lists = entries.flatMap(([, one]) =>
    Array.isArray(one) && one.some((row) => hasText(row, column)) ? [one as unknown[]] : [],
  )
  if (lists.length === 1) return records(lists[0])
  // Their keys are ids, not prompts.
  if (entries.some(([, one]) => hasText(one, column))) return records(entries.map(([, one]) => one))
  const dpok = DpokFile.safeParse(value)
  if (column === null && dpok.success) {
    return Object.entries(dpok.data).map(([text, { category }], place) => ({
      line: place + 1,
      text: promptText(text, at(place)),
      ...(category !== undefined && { category: categoryNamed(category) }),
    }))
  }
  throw new FormatError({
    where: name,
    expected: 'a list of texts or of objects with a prompt, {"annotations": [{"caption"}]}, or {prompt: {"category"}}',
    received:
      typeof value === 'object' && value !== null
        ? `fields ${shownText(entries.map(([key]) => key).join(', '), 200)}`
        : typeof value,
    remedy: column === null ? 'name the field of the prompts with --prompt-column' : 'choose another --prompt-column',
  })
}

const hasText = (value: unknown, column: string | null): boolean =>
  typeof value === 'object' && value !== null && textFields(Object.keys(value), column).length > 0

function tablePrompts(name: string, content: string, column: string | null): StatedPrompt[] {
  if (parsedObject(content.trim()) !== undefined || isJsonLines(content)) {
    throw new FormatError({
      where: name,
      expected: 'a table with a header',
      received: 'JSON',
      remedy: 'name it .jsonl where each line is an object, and .json otherwise',
    })
  }
  const { columns, header, rows } = readPromptTable(name, content)
  const found = textFields(columns, column)
  // Columns that say the same in each row are one.
  const isOne = rows.every(({ fields }) => found.every((one) => fields[one] === fields[found[0]]))
  const text = onlyText(isOne ? found.slice(0, 1) : found, columns, `${name}:${header}`, column)
  return rows.map(({ line, fields }) => fromFields(fields, text, line, `${name}:${line}`))
}

function withoutColumns(name: string, column: string): FormatError {
  return new FormatError({
    where: name,
    expected: `a table or JSON with a column ${column}`,
    received: 'a .txt, which has one prompt on each line',
    remedy: 'leave out --prompt-column, or name the file by what it holds',
  })
}

function parsedJson(text: string, where: string): unknown {
  try {
    return parsePythonJson(text)
  } catch (cause) {
    throw new FormatError({
      where,
      expected: 'JSON',
      received: jsonComplaint(cause),
      remedy: 'correct the syntax, or name the file by what it holds',
      cause,
    })
  }
}
