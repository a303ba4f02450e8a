/** Jobs: the forms of the stages, starting, watching, stopping. */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { z } from 'zod'
import { filledIn, formOf } from '../jobs/stage-forms.ts'
import { hasPresets } from '../jobs/presets.ts'
import { metricRows, thinned } from '../jobs/metric-rows.ts'
import { configOf } from '../jobs/orders.ts'
import { logFile, type JobRecord } from '../jobs/job-record.ts'
import { searchLog } from '../jobs/log-search.ts'
import {
  JobDetail,
  JobLog,
  JobLogQuery,
  Jobs,
  Metrics,
  NewJob,
  Presets,
  PresetsQuery,
  Samples,
  SettingValue,
  StageForms,
} from '../schemas/jobs.ts'
import { sampleFolderName, samplePromptsName, samplesName } from '../../run-files.ts'
import { formStages, type FormStage } from '../../stages.ts'
import type { Studio } from '../studio.ts'
import { runsName, withoutPlaces } from '../workspace.ts'
import { readBytes, readJson, whatWorks } from '../workspace-files.ts'
import { worldOf } from '../worlds.ts'
import { notFound, refuse } from './failures.ts'
import { formContext } from './form-context.ts'
import { pngAnswer } from './images.ts'
import { fileRoute, jsonRoute } from './route.ts'
import { startStage } from './starting.ts'

const JobId = z.object({ id: z.string().regex(/^job-\d{1,9}$/) })
const detail = ({ views }: Studio, job: JobRecord) => views.detail(job)

export const jobRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/stages',
    summary: 'The stages as forms.',
    who: 'admin',
    answer: StageForms,
    handle: async ({ studio }) => {
      const [printed, context] = await Promise.all([studio.stages(), formContext(studio)])
      return { stages: formStages.map((stage) => formOf(stage, printed[stage], context)) }
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/presets',
    summary: 'Settings of a stage with which it fits into 8, 24 and 80 GB, and into what this machine has.',
    who: 'admin',
    query: PresetsQuery,
    answer: Presets,
    handle: async ({ studio, query: { stage, settings: given } }) => await presetsOf(studio, stage, settingsIn(given)),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/jobs',
    summary: 'Queue a stage.',
    who: 'admin',
    body: NewJob,
    bodyLimit: 1_000_000,
    answer: JobDetail,
    handle: async ({ studio, body: { stage, settings, run, like, then } }) =>
      detail(studio, await startStage(studio, stage, settings, { run, like, then })),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/jobs',
    summary: 'All jobs, the newest first.',
    who: 'admin',
    answer: Jobs,
    handle: ({ studio: { queue, views } }) => ({
      jobs: queue
        .all()
        .reverse()
        .map((job) => views.brief(job)),
    }),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/jobs/:id',
    summary: 'A job with its log, settings and results.',
    who: 'admin',
    params: JobId,
    answer: JobDetail,
    handle: ({ studio, params }) => detail(studio, studio.queue.get(params.id)),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/jobs/:id/stop',
    summary: 'End a job; training and drawing can be resumed.',
    who: 'admin',
    params: JobId,
    answer: JobDetail,
    handle: ({ studio, params }) => detail(studio, studio.queue.stop(params.id)),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/jobs/:id/resume',
    summary: 'Queue a stopped or failed job again.',
    who: 'admin',
    params: JobId,
    answer: JobDetail,
    handle: ({ studio, params }) => {
      const { stage, run, settings } = studio.queue.get(params.id)
      return detail(studio, studio.queue.resume(params.id, configOf(stage, run, settings, studio)))
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/jobs/:id/sample',
    summary: 'Draw sample images at the next step.',
    who: 'admin',
    params: JobId,
    answer: JobDetail,
    handle: ({ studio, params }) => detail(studio, studio.queue.sample(params.id)),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/jobs/:id/metrics',
    summary: 'What a training job measured, from a step on.',
    who: 'admin',
    params: JobId,
    query: z.object({ since: z.coerce.number().int().nonnegative().optional() }),
    answer: Metrics,
    handle: ({ studio: { workspace, queue }, params, query: { since = -1 } }) => {
      const rows = metricRows(workspace, queue.get(params.id).run)
      const fresh = rows.filter(({ step }) => step > since)
      return { last: rows.at(-1)?.step ?? null, rows: thinned(fresh) }
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/jobs/:id/log',
    summary: 'Lines of the log of a job from a byte on: all, those with a text, or those that tell of an error.',
    who: 'admin',
    params: JobId,
    query: JobLogQuery,
    answer: JobLog,
    handle: async ({ studio: { workspace, queue }, params, query: { from, find, errors, count: most } }) => {
      const file = logFile(workspace, queue.get(params.id).id)
      const part = await searchLog(file, { from, find, errors: errors === 'true', most })
      return { ...part, lines: part.lines.map(({ at, text }) => ({ at, text: withoutPlaces(workspace, text) })) }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/api/jobs/:id/log/file',
    summary: 'The whole log of a job as a file.',
    who: 'admin',
    params: JobId,
    answer: 'text/plain',
    handle: ({ studio: { workspace, queue }, params }) => {
      const { id, run } = queue.get(params.id)
      const file = logFile(workspace, id)
      if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw notFound('log')
      return new Response(Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>, {
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          'content-disposition': `attachment; filename="${run}.log.txt"`,
        },
      })
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/jobs/:id/samples',
    summary: 'Sample images of a training job, by step.',
    who: 'admin',
    params: JobId,
    answer: Samples,
    handle: ({ studio, params }) => {
      const { run } = studio.queue.get(params.id)
      const prompts = samplePrompts(studio, run)
      return {
        steps: sampleSteps(studio, run).map((step) => ({
          step,
          images: sampleFiles(studio, run, step).map((_, index) => ({ index, prompt: prompts[index] ?? '' })),
        })),
      }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/api/jobs/:id/samples/:step/:index',
    summary: 'One sample image.',
    who: 'admin',
    params: JobId.extend({
      step: z.string().regex(/^\d{1,9}$/),
      index: z.string().regex(/^\d{1,3}$/),
    }),
    answer: 'image/png',
    handle: ({ studio, params }) => {
      const { run } = studio.queue.get(params.id)
      const step = Number(params.step)
      const file = sampleFiles(studio, run, step)[Number(params.index)]
      if (file === undefined) throw notFound('sample')
      const path = studio.workspace.at(runsName, run, samplesName, sampleFolderName(step), file)
      return pngAnswer(readBytes(studio.workspace, path), 'no-cache')
    },
  }),
]

async function presetsOf(studio: Studio, stage: FormStage, given: Settings): Promise<Presets> {
  const none: Presets = { isReady: true, presets: [], trainedBytes: null }
  if (!hasPresets(stage) || worldOf(studio.model) !== undefined) return none
  const [printed, context] = await Promise.all([studio.stages(), formContext(studio)])
  const form = formOf(stage, printed[stage], context)
  if (form.missing !== null) return none
  const settings = filledIn(form, printed[stage], given)
  const config = configOf(stage, 'preset', settings, studio)
  return await studio.presets.of(stage, settings, config, { ...studio, devices: studio.queue.devices })
}

type Settings = z.infer<typeof GivenSettings>
const GivenSettings = z.record(z.string().max(100), SettingValue)

/** @throws {StudioError} no JSON, or other than settings */
function settingsIn(text: string): Settings {
  const parsed = GivenSettings.safeParse(parsedJson(text))
  if (parsed.success) return parsed.data
  throw refuse(400, 'invalid', {
    where: 'settings',
    expected: 'settings as JSON, {"rank": 16}',
    received: text.slice(0, 80),
    remedy: 'name settings of the form with their values',
  })
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function sampleSteps({ workspace }: Studio, run: string): number[] {
  const folder = workspace.at(runsName, run, samplesName)
  if (!isFolder(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

/** In the order of the prompts: a name begins with its number. */
function sampleFiles({ workspace }: Studio, run: string, step: number): string[] {
  const folder = workspace.at(runsName, run, samplesName, sampleFolderName(step))
  if (!isFolder(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.png'))
    .sort((a, b) => parseInt(a) - parseInt(b))
}

/** Pictures can be looked at without them. */
function samplePrompts({ workspace }: Studio, run: string): string[] {
  const file = workspace.at(runsName, run, samplesName, samplePromptsName)
  if (!existsSync(file)) return []
  return whatWorks([{ name: run }], () => readJson(workspace, file, z.array(z.string()))).made[0] ?? []
}
