/**
 * Distractors that a user states: `.jsonl` or a `.json` list, `{"prompt": "a red car", "distractors": ["a blue car", …]}`;
 * or a table with the columns prompt and distractor, one of them a row.
 */
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { readText } from '../files.ts'
import { readPromptTable } from './prompt-table.ts'
import { linesOf, plainLineEnd } from './stated-prompts.ts'

const Text = z.string().trim().min(1)
const Entry = z.object({ prompt: Text, distractors: z.array(Text).min(1) })
type Entry = z.infer<typeof Entry>

/**
 * Reads wrong prompts by the prompt for whose good images they are wrong. Other fields are ignored.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file and line: no JSON, a missing field, a prompt twice, a prompt among its own distractors
 */
export async function readDistractors(file: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  const [name, content] = [basename(file), await readText(file)]
  const isTable = ['.csv', '.tsv'].includes(extname(name).toLowerCase())
  for (const { where, prompt, distractors } of isTable ? ofTable(name, content) : ofJson(name, content)) {
    const wrong = [...new Set(distractors)]
    const problem = found.has(prompt)
      ? { expected: 'each prompt once', received: `"${prompt}" again`, remedy: 'put its distractors into one line' }
      : wrong.includes(prompt)
        ? { expected: 'wrong prompts', received: `"${prompt}" itself among them`, remedy: 'remove it from the list' }
        : undefined
    if (problem !== undefined) throw new FormatError({ where, ...problem })
    found.set(prompt, wrong)
  }
  return found
}

type Stated = Entry & { readonly where: string }

function ofJson(name: string, content: string): Stated[] {
  if (content.trimStart().startsWith('[')) {
    const list = z.array(z.unknown()).parse(parsed(content, name))
    return list.map((value, place) => entryOf(value, `${name}:${place + 1}`))
  }
  return linesOf(content, plainLineEnd).map(({ line, text }) =>
    entryOf(parsed(text, `${name}:${line}`), `${name}:${line}`),
  )
}

/** Rows of one prompt belong together. */
function ofTable(name: string, content: string): Stated[] {
  const { columns, rows } = readPromptTable(name, content)
  const [prompt, distractor] = ['prompt', 'distractor'].map((wanted) => {
    const column = columns.find((one) => one.toLowerCase().replace(/s$/, '') === wanted)
    if (column !== undefined) return column
    const received = columns.map((one) => JSON.stringify(one)).join(', ')
    throw new FormatError({
      where: `${name}:1`,
      expected: `a column ${wanted}`,
      received,
      remedy: 'name it in the first row',
    })
  })
  const byPrompt = Map.groupBy(rows, ({ fields }) => fields[prompt])
  return [...byPrompt].map(([text, [first, ...others]]) => {
    const distractors = [first, ...others].map(({ fields }) => fields[distractor])
    return entryOf({ prompt: text, distractors }, `${name}:${first.line}`)
  })
}

const expected = '{"prompt": …, "distractors": […]}'

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const received = (cause as Error).message
    throw new FormatError({ where, expected, received, remedy: 'correct the syntax', cause })
  }
}

function entryOf(value: unknown, where: string): Stated {
  const result = Entry.safeParse(value)
  if (result.success) return { ...result.data, where }
  const [{ path, message }] = result.error.issues
  throw new FormatError({ where: [where, ...path].join(' '), expected, received: message, remedy: 'correct the field' })
}
