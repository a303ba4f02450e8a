/** What is asked next, and the answers. */
import { StudioError } from '../../errors.ts'
import { readGold, setGold } from '../../feedback/queue/gold.ts'
import { readGuidelines } from '../../feedback/guidelines.ts'
import type { QueueRequest } from '../../feedback/queue/queue.ts'
import { changeSettings, readSettings } from '../../feedback/store/settings.ts'
import type { Judgment } from '../../records.ts'
import { z } from 'zod'
import { ImageId, type ImageRef } from '../schemas/basics.ts'
import {
  Added,
  AskedImages,
  AskedImagesQuery,
  AskingSettings,
  Gold,
  GoldChange,
  NewJudgment,
  NewJudgments,
  OwnAnswers,
  OwnAnswersQuery,
  Tasks,
  TasksQuery,
  type TaskMode,
} from '../schemas/labelling.ts'
import type { Studio } from '../studio.ts'
import { refuse } from './failures.ts'
import { addOwn } from './own-judgments.ts'
import { jsonRoute } from './route.ts'
import { usualGuidelines } from './usual-guidelines.ts'

export const labellingRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/tasks',
    summary: 'What this rater is asked next.',
    who: 'rater',
    query: TasksQuery,
    answer: Tasks,
    handle: async ({ studio, rater, query: { mode, count, without } }) => {
      const held = without.split(',').filter(Boolean)
      return await shownTasks(studio, { mode, rater, count }, held)
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/judgments',
    summary: 'Answers. When this is answered they are on the disk; a repetition counts once.',
    who: 'rater',
    body: NewJudgments,
    bodyLimit: 500_000,
    answersIn: ({ judgments }) => judgments.length,
    answer: Added,
    handle: async ({ studio, rater, body: { judgments } }) => {
      await expectKnownReasons(studio, judgments)
      const own = judgments.map((judgment) => ({ ...judgment, rater, raterKind: 'person' as const }))
      const added = await addOwn(studio, rater, own)
      await studio.asking.answered(
        rater,
        own.flatMap(({ images }) => images),
      )
      return added
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/judgments',
    summary: 'The last answers of this rater that stand and can be taken back.',
    who: 'rater',
    query: OwnAnswersQuery,
    answer: OwnAnswers,
    handle: ({ studio, rater, query }) => ownAnswers(studio, rater, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/asking',
    summary: 'How raters are asked.',
    who: 'rater',
    answer: AskingSettings,
    handle: ({ studio }) => readSettings(studio.store.database),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/asking',
    summary: 'Change how raters are asked.',
    who: 'admin',
    body: AskingSettings,
    answer: AskingSettings,
    state: ({ studio }) => readSettings(studio.store.database),
    handle: async ({ studio, body }) => {
      await changeSettings(studio.store.database, body)
      return body
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/images',
    summary: 'The images that people are asked about.',
    who: 'admin',
    query: AskedImagesQuery,
    answer: AskedImages,
    handle: async ({ studio, query: { round: name, prompt = '', offset, count } }) => {
      const [asked, rounds] = await Promise.all([studio.rounds.asked(), studio.rounds.all()])
      const members = name === undefined ? undefined : new Set(rounds.find((round) => round.name === name)?.images)
      const wanted = prompt.trim().toLowerCase()
      const found = asked
        .filter(({ id, text }) => (members?.has(id) ?? true) && text.toLowerCase().includes(wanted))
        .toSorted((a, b) => (a.text === b.text ? 0 : a.text < b.text ? -1 : 1))
      const shown = found.slice(offset, offset + count)
      const images = shown.map(async ({ id, text }) => ({ image: await studio.images.refIfThere(id), prompt: text }))
      return { images: (await Promise.all(images)).filter(isThere), total: found.length }
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/gold',
    summary: 'Images with a known answer.',
    who: 'admin',
    answer: Gold,
    handle: ({ studio }) => goldOf(studio),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/gold/:id',
    summary: 'State the answer of an image, by which raters are checked, or take it back.',
    who: 'admin',
    params: z.object({ id: ImageId }),
    body: GoldChange,
    answer: Gold,
    state: async ({ studio, params: { id } }) => ({
      answer: (await readGold(studio.store.database)).get(id) ?? null,
    }),
    handle: async ({ studio, params: { id }, body: { answer } }) => {
      await studio.images.find(id)
      await setGold(studio.store.database, id, answer)
      return await goldOf(studio)
    },
  }),
]

/** Images whose files are gone or torn are passed over, and others asked about. */
async function shownTasks(
  { asking, images }: Studio,
  request: Pick<QueueRequest, 'mode' | 'rater' | 'count'>,
  held: readonly string[],
): Promise<Tasks> {
  const without = new Set(held)
  for (;;) {
    const { tasks, progress } = await asking.next({ ...request, without })
    const ids = tasks.flatMap((task) => task.images)
    const refs = new Map(await Promise.all(ids.map(async (id) => [id, await images.wholeRefIfThere(id)] as const)))
    const gone = ids.filter((id) => refs.get(id) === undefined)
    if (gone.length === 0) {
      const shown = tasks.map((task) => ({ ...task, images: task.images.map((id) => refs.get(id)!) }))
      return { tasks: shown, progress }
    }
    for (const id of gone) without.add(id)
  }
}

/** Answers that say something of an image, for which there may be reasons. */
const explained: ReadonlySet<string> = new Set([
  'bad',
  'both-bad',
  'first',
  'second',
  'rated',
] satisfies Judgment['answer'][])

/** Those of any version of the guidelines: a page may have been opened before the last change. */
async function expectKnownReasons({ store }: Studio, judgments: readonly NewJudgment[]): Promise<void> {
  const given = judgments.filter(({ reasons, undoes }) => reasons !== undefined && undoes === undefined)
  if (given.length === 0) return
  const versions = [usualGuidelines, ...(await readGuidelines(store.database))]
  const codes = new Set(versions.flatMap(({ reasons }) => reasons.map(({ code }) => code)))
  for (const { id, kind, answer, reasons = [] } of given) {
    const refuseThem = (expected: string, received: string) =>
      refuse(400, 'config', { where: `judgment ${id} reasons`, expected, received, remedy: 'leave them out' })
    const unknown = reasons.find((code) => !codes.has(code))
    if (unknown !== undefined) throw refuseThem('codes of the guidelines', unknown)
    if (new Set(reasons).size < reasons.length) throw refuseThem('each reason once', 'one of them twice')
    if (reasons.length > 0 && !explained.has(answer)) {
      throw refuseThem(
        'none, since they say what is wrong with an image',
        `some of a ${kind} with the answer ${answer}`,
      )
    }
  }
}

/** Newest first, by their order of arrival. Those whose pictures are gone cannot be shown again. */
async function ownAnswers(
  { store, images }: Pick<Studio, 'store' | 'images'>,
  rater: string,
  { mode, count }: z.output<typeof OwnAnswersQuery>,
): Promise<OwnAnswers> {
  const kinds = kindsOf[mode]
  const own = (await store.judgments()).filter((one) => one.rater === rater && kinds.includes(one.kind))
  const answers: OwnAnswers['answers'] = []
  for (const { rater: _rater, raterKind: _kind, ...judgment } of own.toReversed()) {
    const parsed = NewJudgment.safeParse(judgment)
    if (!parsed.success) continue
    const shown = judgment.shown ?? judgment.images
    try {
      const refs = await images.wholeRefs(shown)
      const prompt = (await images.find(shown[0])).record.text
      answers.push({
        judgment: parsed.data,
        task: { id: judgment.id, mode, prompt, images: refs, rated: {} },
      })
    } catch (error) {
      if (!(error instanceof StudioError)) throw error
    }
    if (answers.length === count) break
  }
  return { answers }
}

const kindsOf: Readonly<Record<TaskMode, readonly Judgment['kind'][]>> = {
  'good-bad': ['good-bad-skip'],
  pair: ['pair'],
  rating: ['rating', 'ranking'],
}

const isThere = <T extends { image: ImageRef | undefined }>(item: T): item is T & { image: ImageRef } =>
  item.image !== undefined

async function goldOf({ store, images }: Studio): Promise<Gold> {
  const [gold, stored] = await Promise.all([readGold(store.database), store.images()])
  const known = stored.filter(({ record }) => gold.has(record.id))
  const items = known.map(async ({ record: { id, text } }) => ({
    image: await images.refIfThere(id),
    prompt: text,
    answer: gold.get(id)!,
  }))
  return { items: (await Promise.all(items)).filter(isThere) }
}
