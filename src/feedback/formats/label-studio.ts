/**
 * The JSON that Label Studio exports: tasks with annotations. Read are choices of one image, pairwise comparisons, and
 * rankings, also into buckets; a task's images are those fields of its `data` that name one, in their order, left before
 * right.
 */
import { z } from 'zod'
import type { Judgment } from '../../records.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import { imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import { answersOf, refusal, skipOf, type TaskImage } from './label-studio-answers.ts'
import type { OwnImage } from './own-images.ts'

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

/**
 * Reads a file. An annotation that was cancelled is a skip; tasks without an annotation, and annotations without an answer,
 * are unanswered.
 *
 * @throws {FormatError} names file and task
 */
export async function readLabelStudio(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, findFile } = options
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  let unanswered = 0
  let others = 0
  for (const { where: item, item: task } of await readItems(file, name, Task, 'tasks with data and annotations')) {
    const where = task.id === undefined ? item : `${name} task ${task.id}`
    if (task.annotations.length === 0) {
      unanswered++
      continue
    }
    const prompt = promptOf(task, where)
    const shown = imagesOf(task, where)
    for (const { path } of shown) images.set(imageKey(prompt, path), imageAt(path, prompt, findFile))
    for (const annotation of task.annotations) {
      const shared = sharedOf(annotation, where, options)
      const answers = annotation.was_cancelled === true ? [skipOf(shown)] : answersOf(annotation.result, shown, where)
      if (answers.length === 0) unanswered++
      if (answers.length === 0 && annotation.result.length > 0) others++
      for (const { images: paths, ...answer } of answers) {
        const keys = paths.map((path) => imageKey(prompt, path))
        const source = ['label-studio', task.id ?? null, annotation.id ?? null, annotation.created_at ?? null]
        judgments.push({ where, source, judgment: { ...shared, id: '', images: keys, ...answer } as Judgment })
      }
    }
  }
  if (judgments.length > 0 || others === 0) return { images, judgments, promptName: 'data prompt', unanswered }
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
  const lists = Object.values(data).filter((value): value is unknown[] => Array.isArray(value))
  const listed = lists.map(listedImages).find((images) => images.length > 0)
  const fields = Object.entries(data).flatMap(([name, value]) =>
    isImage(value) ? [{ name, path: pathOf(value) }] : [],
  )
  const found = listed ?? fields.sort((a, b) => sideOf(a.name) - sideOf(b.name))
  if (found.length > 0) return found
  throw refusal(`${where} data`, 'fields that name images (.png, .jpg, .webp)', Object.keys(data).join(', ') || 'none')
}

function listedImages(list: readonly unknown[]): TaskImage[] {
  return list.flatMap((value, place): TaskImage[] => {
    const { id, url, image, html, body } = Object(value) as Readonly<Record<string, unknown>>
    const sources = [html, body].map((text) =>
      typeof text === 'string' ? /\bsrc\s*=\s*["']?([^"'\s>]+)/i.exec(text)?.[1] : undefined,
    )
    const stated = [url, image].find((one) => typeof one === 'string')
    const path = [isImage(value) ? value : undefined, stated, ...sources].find((one) => typeof one === 'string')
    return path === undefined ? [] : [{ name: String(id ?? place), path: pathOf(path) }]
  })
}

/** A database may have sorted the fields of a task by their names. */
const sideOf = (name: string) => (/left/i.test(name) ? -1 : /right/i.test(name) ? 1 : 0)

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
