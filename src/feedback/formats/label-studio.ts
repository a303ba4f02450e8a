/**
 * The JSON that Label Studio exports: tasks with annotations. Read are choices of one image, pairwise comparisons,
 * rankings, also into buckets, and stars; a task's images are those fields of its `data` that name one, in their order.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { utcTime } from '../store/judgment-times.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import { imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import { answered, refusal, skipOf } from './label-studio-answers.ts'
import type { TaskImage } from './label-studio-sides.ts'
import { labelConfig } from './label-studio-config.ts'
import { judgmentsOfStars, type StarsGiven } from './label-studio-stars.ts'
import type { OwnImage } from './own-images.ts'

const Id = z.union([z.string(), z.number()], 'a text or a number')
const optional = ['id', 'completed_by', 'lead_time', 'created_at']
const Annotation = z.object({
  id: Id.nullish(),
  result: z.array(z.unknown()),
  completed_by: z
    .union(
      [z.string(), z.number(), z.object({ id: z.number().optional(), email: z.string().optional() })],
      'a name, a number or a person with id or email',
    )
    .nullish(),
  lead_time: z.number().nonnegative().nullish(),
  was_cancelled: z.boolean().nullish(),
  created_at: z.string().nullish(),
})
type Annotation = z.infer<typeof Annotation>
const Task = z.object({
  id: Id.nullish(),
  data: z.record(z.string(), z.unknown()),
  annotations: z.array(Annotation),
})
type Task = z.infer<typeof Task>

/**
 * Reads a file. An annotation that was cancelled is a skip; tasks without an annotation, and annotations without an answer,
 * are unanswered. The labelling configuration is read where it lies beside the file, as `config.xml`.
 *
 * @throws {FormatError} names file and task
 */
export async function readLabelStudio(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, findFile } = options
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  const stars: StarsGiven[] = []
  const others: string[] = []
  let unanswered = 0
  const xml = ['config.xml', 'label_config.xml'].map(findFile).find((bytes) => bytes !== undefined)
  const config = labelConfig(xml && new TextDecoder().decode(xml))
  const { items, aside } = await readItems(file, name, Task, 'tasks with data and annotations', optional)
  for (const { where: item, item: task } of items) {
    const { id } = task
    const where = id === undefined || id === null ? item : `${name} task ${id}`
    if (task.annotations.length === 0) {
      unanswered++
      continue
    }
    const prompt = promptOf(task, where)
    const shown = imagesOf(task, where)
    for (const { path } of shown) images.set(imageKey(prompt, path), imageAt(path, prompt, findFile))
    for (const annotation of task.annotations) {
      const shared = sharedOf(annotation, where, options)
      const said =
        annotation.was_cancelled === true
          ? { answers: [skipOf(shown)], stars: [], others: [] }
          : answered(annotation.result, shown, config, where)
      if (said.answers.length === 0 && said.stars.length === 0) unanswered++
      others.push(...said.others)
      for (const given of said.stars) {
        stars.push({
          ...given,
          ...shared,
          where,
          image: imageKey(prompt, given.image),
          prompt,
          annotation: annotation.id,
        })
      }
      for (const { images: paths, ...answer } of said.answers) {
        const keys = paths.map((path) => imageKey(prompt, path))
        const source = ['label-studio', task.id ?? null, annotation.id ?? null, annotation.created_at ?? null]
        judgments.push({ where, source, judgment: { ...shared, id: '', images: keys, ...answer } as Judgment })
      }
    }
  }
  const rated = judgmentsOfStars(stars, config)
  judgments.push(...rated.judgments)
  const leftOut = [...Map.groupBy(others, (type) => type)].map(
    ([type, all]) => `${name}: ${all.length} ${all.length === 1 ? 'result' : 'results'} of type ${type}, no judgment`,
  )
  if (judgments.length > 0 || leftOut.length === 0 || stars.length > 0) {
    return { images, judgments, promptName: 'data', unanswered, leftOut: [...aside, ...leftOut, ...rated.leftOut] }
  }
  throw new FormatError({
    where: name,
    expected: 'choices, pairwise or ranker results',
    received: 'none',
    remedy: 'export tasks that are answered by these, or by ratings',
  })
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
  const found = listed ?? fields
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
  const time = created === undefined || created === null ? at : utcTime(created)
  if (time === undefined) throw refusal(`${where} created_at`, 'a time', JSON.stringify(created))
  return {
    rater: person === undefined || person === null ? rater : typeof person === 'number' ? `user ${person}` : person,
    raterKind: 'person',
    at: time,
    ...(typeof seconds === 'number' ? { durationMs: seconds * 1000 } : {}),
  }
}
