/**
 * The JSON that Label Studio exports: tasks with annotations. Read are choices of one image, pairwise comparisons, and
 * rankings; a task's images are those fields of its `data` that name one, in their order.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import type { ForeignImage, ForeignJudgment, ForeignRecords } from './foreign.ts'
import { imageAt, readItems, type ForeignOptions } from './foreign-json.ts'

const Result = z.object({ type: z.string(), value: z.record(z.string(), z.unknown()) })
const Annotation = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  result: z.array(z.unknown()),
  completed_by: z
    .union([z.string(), z.number(), z.object({ id: z.number().optional(), email: z.string().optional() })])
    .nullish(),
  lead_time: z.number().nonnegative().nullish(),
  was_cancelled: z.boolean().nullish(),
  created_at: z.string().nullish(),
})
type Annotation = z.infer<typeof Annotation>
const Task = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  data: z.record(z.string(), z.unknown()),
  annotations: z.array(Annotation),
})
type Task = z.infer<typeof Task>

/** An image of a task and what results call it. */
interface TaskImage {
  readonly name: string
  readonly path: string
}

/**
 * Reads a file. An annotation that was cancelled is a skip; tasks without an annotation are unanswered.
 *
 * @throws {FormatError} names file and task
 */
export async function readLabelStudio(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, findFile } = options
  const images = new Map<string, ForeignImage>()
  const judgments: ForeignJudgment[] = []
  let unanswered = 0
  for (const { where, item: task } of await readItems(file, name, Task, 'tasks with data and annotations')) {
    if (task.annotations.length === 0) {
      unanswered++
      continue
    }
    const prompt = promptOf(task, where)
    const shown = imagesOf(task, where)
    for (const { path } of shown) images.set(JSON.stringify([prompt, path]), imageAt(path, prompt, findFile, where))
    for (const annotation of task.annotations) {
      const shared = sharedOf(annotation, where, options)
      const answers = annotation.was_cancelled === true ? [skipOf(shown)] : answersOf(annotation, shown, where)
      for (const { images: paths, ...answer } of answers) {
        const keys = paths.map((path) => `${prompt}\0${path}`)
        const id = options.idOf('label-studio', task.id, annotation.id, shared.rater, prompt, paths, answer)
        judgments.push({ where, judgment: { ...shared, id, images: keys, ...answer } as Judgment })
      }
    }
  }
  if (judgments.length + unanswered > 0) return { images, judgments, known: 0, unanswered }
  throw refusal(name, 'choices, pairwise or ranker results', 'none')
}

function promptOf({ data }: Task, where: string): string {
  const text = data.prompt ?? data.caption ?? data.text
  if (typeof text === 'string') return text
  throw refusal(`${where} data`, 'a text named prompt, caption or text', Object.keys(data).join(', ') || 'nothing')
}

const isImage = (value: unknown): value is string =>
  typeof value === 'string' && /\.(png|jpe?g|webp)$/i.test(pathOf(value))

/** A list of images as rankers take it, or else all fields that name an image. */
function imagesOf({ data }: Task, where: string): TaskImage[] {
  const list = Object.values(data).find((value): value is unknown[] => Array.isArray(value) && value.length > 0)
  const found =
    list?.flatMap((value, place): TaskImage[] => {
      const { id, url, image, html } = Object(value) as Readonly<Record<string, unknown>>
      const src = typeof html === 'string' ? /\bsrc\s*=\s*["']?([^"'\s>]+)/i.exec(html)?.[1] : undefined
      const path = [value, url, image, src].find((one) => typeof one === 'string')
      return path === undefined ? [] : [{ name: String(id ?? place), path: pathOf(String(path)) }]
    }) ?? Object.entries(data).flatMap(([name, value]) => (isImage(value) ? [{ name, path: pathOf(value) }] : []))
  if (found.length > 0) return found
  throw refusal(`${where} data`, 'fields that name images (.png, .jpg, .webp)', Object.keys(data).join(', ') || 'none')
}

/** `/data/local-files/?d=a/b.png` names the file `a/b.png`; what follows the path of another address does not matter. */
function pathOf(address: string): string {
  const local = /[?&]d=([^&]+)/.exec(address)?.[1]
  if (local === undefined) return address.split('?', 1)[0]
  try {
    return decodeURIComponent(local)
  } catch {
    return local
  }
}

type Shared = Pick<Judgment, 'rater' | 'raterKind' | 'at' | 'durationMs'>

function sharedOf(annotation: Annotation, where: string, { rater, at }: ForeignOptions): Shared {
  const { completed_by: by, lead_time: seconds, created_at: created } = annotation
  const person = typeof by === 'object' && by !== null ? (by.email ?? by.id) : by
  const time = created ?? at
  if (Number.isNaN(Date.parse(time))) throw refusal(`${where} created_at`, 'a time', JSON.stringify(time))
  return {
    rater: person === undefined || person === null ? rater : typeof person === 'number' ? `user ${person}` : person,
    raterKind: 'person',
    at: new Date(time).toISOString(),
    ...(typeof seconds === 'number' ? { durationMs: seconds * 1000 } : {}),
  }
}

/** An answer about images by their paths. */
type Answer =
  | { kind: 'good-bad-skip'; images: string[]; answer: 'good' | 'bad' | 'skip' }
  | { kind: 'pair'; images: string[]; answer: 'first' | 'second' | 'tie' | 'skip' }
  | { kind: 'ranking'; images: string[]; answer: 'ranked'; ranks: number[] }
  | { kind: 'ranking'; images: string[]; answer: 'skip' }

function skipOf(shown: readonly TaskImage[]): Answer {
  const images = shown.map(({ path }) => path)
  const kind = images.length === 1 ? 'good-bad-skip' : images.length === 2 ? 'pair' : 'ranking'
  return { kind, images, answer: 'skip' }
}

/** What each result says; results of other types are none. */
function answersOf({ result }: Annotation, shown: readonly TaskImage[], where: string): Answer[] {
  return result.flatMap((given): Answer[] => {
    const parsed = Result.safeParse(given)
    if (!parsed.success) return []
    const { type, value } = parsed.data
    // Beside several images, choices are another question.
    if (type === 'choices') return shown.length === 1 ? [choiceOf(value, shown[0].path, where)] : []
    if (type === 'pairwise') return [pairOf(value, shown, where)]
    return type === 'ranker' ? [rankingOf(value, shown, where)] : []
  })
}

const choices: Readonly<Record<string, 'good' | 'bad' | 'skip'>> = {
  good: 'good',
  yes: 'good',
  '1': 'good',
  bad: 'bad',
  no: 'bad',
  '0': 'bad',
  skip: 'skip',
}

function choiceOf(value: Readonly<Record<string, unknown>>, image: string, where: string): Answer {
  const [choice] = Array.isArray(value.choices) ? (value.choices as unknown[]) : []
  const word = String(choice).trim().toLowerCase()
  if (!Object.hasOwn(choices, word)) {
    throw refusal(`${where} choices`, 'good, bad or skip (yes, no; 1, 0)', JSON.stringify(choice) ?? 'nothing')
  }
  return { kind: 'good-bad-skip', images: [image], answer: choices[word] }
}

function pairOf({ selected }: Readonly<Record<string, unknown>>, shown: readonly TaskImage[], where: string): Answer {
  if (shown.length !== 2) throw refusal(`${where} pairwise`, 'a task of two images', `${shown.length}`)
  const images = shown.map(({ path }) => path)
  if (selected === undefined || selected === null) return { kind: 'pair', images, answer: 'tie' }
  if (selected !== 'left' && selected !== 'right') {
    throw refusal(`${where} pairwise selected`, 'left, right or nothing', JSON.stringify(selected))
  }
  return { kind: 'pair', images, answer: selected === 'left' ? 'first' : 'second' }
}

/** The list of ids from best to worst stands in `rank`, or in a bucket of the ranker that may have any name. */
function rankingOf(value: Readonly<Record<string, unknown>>, shown: readonly TaskImage[], where: string): Answer {
  const inner = Object(value.ranker ?? value) as Readonly<Record<string, unknown>>
  const order = Array.isArray(inner) ? (inner as unknown[]) : Object.values(inner).find((one) => Array.isArray(one))
  const ranks = shown.map(({ name }) => 1 + (order ?? []).findIndex((id) => String(id) === name))
  if (order?.length !== shown.length || ranks.includes(0)) {
    const names = shown.map(({ name }) => name).join(', ')
    throw refusal(`${where} ranker`, `the ids ${names}, best first`, JSON.stringify(order) ?? 'none')
  }
  return { kind: 'ranking', images: shown.map(({ path }) => path), answer: 'ranked', ranks }
}

const refusal = (where: string, expected: string, received: string) =>
  new FormatError({ where, expected, received, remedy: 'correct the task, or leave it out' })
