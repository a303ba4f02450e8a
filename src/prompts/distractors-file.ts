/** Distractors that a user states: `.jsonl`, `{"prompt": "a red car", "distractors": ["a blue car", …]}` a line. */
import { basename } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { readText } from '../files.ts'

const Text = z.string().trim().min(1)
const Line = z.object({ prompt: Text, distractors: z.array(Text).min(1) })

/**
 * Reads wrong prompts by the prompt for whose good images they are wrong. Other fields of a line are ignored.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} names file and line: no JSON, a missing field, a prompt twice, a prompt among its own distractors
 */
export async function readDistractors(file: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  const lines = (await readText(file)).split(/\r?\n/)
  for (const [place, line] of lines.entries()) {
    if (line.trim() === '') continue
    const where = `${basename(file)}:${place + 1}`
    const { prompt, distractors } = parsed(line, where)
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

function parsed(line: string, where: string): z.infer<typeof Line> {
  const expected = '{"prompt": …, "distractors": […]}'
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    const received = (cause as Error).message
    throw new FormatError({ where, expected, received, remedy: 'correct the syntax', cause })
  }
  const result = Line.safeParse(value)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  throw new FormatError({ where: [where, ...path].join(' '), expected, received: message, remedy: 'correct the field' })
}
