/**
 * The labels of D3PO (Yang et al. 2023): a matrix with a row a prompt and a number an image, larger is better, or the same
 * numbers in one list. Beside it, or in the folder of the images, lie its `prompt.json`, a list of prompts, and
 * `images/00000.png`, …, numbered row by row.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import { comparisonOf, imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import type { OwnImage } from './own-images.ts'

const Label = z.number().nullable()
const promptNames = ['prompt.json', 'prompt0.json']

/**
 * Reads a file. A row is a ranking of its images; one without two labels is unanswered.
 *
 * @throws {FormatError} names file and row; no prompts, or another number of them
 */
export async function readD3po(file: string, { name, rater, at, findFile }: ForeignOptions): Promise<ForeignRecords> {
  const { items } = await readItems(
    file,
    name,
    z.union([Label, z.array(Label).min(2)]),
    'rows of numbers, or of numbers',
  )
  const prompts = promptsIn(
    promptNames.map(findFile).find((bytes) => bytes !== undefined),
    name,
  )
  const rows = rowsOf(
    items.map(({ item }) => item),
    prompts.length,
    name,
  )
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  let unanswered = 0
  let before = 0
  for (const [place, labels] of rows.entries()) {
    const where = `${name} row ${place + 1}`
    const keys = labels.map((_, i) => {
      const path = `images/${String(before + i).padStart(5, '0')}.png`
      const key = imageKey(prompts[place], path)
      images.set(key, imageAt(path, prompts[place], findFile))
      return key
    })
    before += labels.length
    const given = labels.flatMap((label, i) => (label === null ? [] : [{ key: keys[i], label }]))
    if (given.length < 2) {
      unanswered++
      continue
    }
    const levels = [...new Set(given.map(({ label }) => label))].sort((a, b) => b - a)
    const ranks = given.map(({ label }) => 1 + levels.indexOf(label))
    judgments.push({
      where,
      source: ['d3po'],
      judgment: comparisonOf({ images: given.map(({ key }) => key), rater, at }, ranks),
    })
  }
  return { images, judgments, promptName: 'prompt', unanswered }
}

function promptsIn(bytes: Uint8Array | undefined, name: string): string[] {
  let content: unknown
  try {
    content = bytes && JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    content = (cause as Error).message
  }
  const parsed = z.array(z.string()).min(1).safeParse(content)
  if (parsed.success) return parsed.data
  throw new FormatError({
    where: `${name} ${promptNames[0]}`,
    expected: 'a list of the prompts beside it, one a row',
    received: bytes === undefined ? 'no such file' : typeof content === 'string' ? content : 'something else',
    remedy: 'lay it beside the file, or name the folder of the images',
  })
}

function rowsOf(
  items: readonly (number | null | (number | null)[])[],
  prompts: number,
  name: string,
): readonly (readonly (number | null)[])[] {
  const lists = items.filter((item): item is (number | null)[] => Array.isArray(item))
  const numbers = items.filter((item): item is number | null => !Array.isArray(item))
  const perPrompt = numbers.length / prompts
  if (numbers.length === 0 && lists.length === prompts) return lists
  if (lists.length === 0 && Number.isInteger(perPrompt) && perPrompt >= 2) {
    return Array.from({ length: prompts }, (_, row) => numbers.slice(row * perPrompt, (row + 1) * perPrompt))
  }
  throw new FormatError({
    where: name,
    expected: `a row for each of the ${prompts} prompts, or as many numbers for each in one list, two at least`,
    received:
      lists.length === 0
        ? `${numbers.length} numbers`
        : `${lists.length} rows` + (numbers.length > 0 ? ' and numbers' : ''),
    remedy: 'is it of these prompts?',
  })
}
