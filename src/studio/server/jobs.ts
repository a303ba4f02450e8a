/** Jobs: the forms of the stages, starting, watching, stopping. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { playgroundRound } from '../playground/playground-round.ts'
import { filledIn, formOf, type FormContext } from '../jobs/stage-forms.ts'
import { readRows } from '../jobs/job-view.ts'
import { configOf, orderOf, runNameFor } from '../jobs/orders.ts'
import type { JobRecord } from '../jobs/job-record.ts'
import { JobDetail, Jobs, Metrics, NewJob, Samples, StageForms, type SettingValue } from '../schemas/jobs.ts'
import { sampleFolderName, samplePromptsName, samplesName } from '../../run-files.ts'
import { metricsName } from '../../run-metrics.ts'
import { formStages, type FormStage } from '../../stages.ts'
import type { Studio } from '../studio.ts'
import { runsName } from '../workspace.ts'
import { readBytes, readJson, whatWorks } from '../workspace-files.ts'
import { worldOf } from '../worlds.ts'
import { notFound, refuse } from './failures.ts'
import { pngAnswer } from './images.ts'
import { fileRoute, jsonRoute } from './route.ts'

/** Seeds of rounds count up from 1; those of comparisons lie far above. */
export const firstComparisonSeed = 2_000_000

export async function formContext(studio: Studio): Promise<FormContext> {
  const counts = await studio.store.counts()
  const seeds = (await usedSeeds(studio)).filter((seed) => seed < firstComparisonSeed)
  return {
    runs: studio.runs,
    open: studio.queue.open(),
    devices: studio.queue.devices,
    isEmbedded: worldOf(studio.model) !== undefined,
    good: counts.good,
    bad: counts.bad,
    compared: counts.pairs + counts.rankings,
    pairs: (await studio.pairs.all()).pairs,
    nextSeed: seeds.reduce((most, seed) => Math.max(most, seed), 0) + 1,
  }
}

/** Of all images that were drawn, and of those that are to be: a job that waits or failed has taken its seed as well. */
export async function usedSeeds({ store, runs, queue }: Pick<Studio, 'store' | 'runs' | 'queue'>): Promise<number[]> {
  // Whoever typed a seed in the playground did not mean the next rounds to count on from it.
  const images = (await store.images()).filter(({ folder }) => basename(folder) !== playgroundRound)
  const drawn = images.map(({ record }) => record.seed)
  const ordered = [
    ...queue.all().map(({ stage, settings }) => stage === 'images generate' && settings.seed),
    ...runs.all().map(({ manifest, config }) => manifest.stage === 'images generate' && config.seed),
  ]
  return [...drawn, ...ordered.filter((seed) => typeof seed === 'number')]
}

/**
 * Queues a stage.
 *
 * @throws {ConfigError} a setting that is not accepted
 * @throws {StudioError} something is missing that the stage is made from, or the name is taken
 */
export function startStage(
  studio: Studio,
  stage: FormStage,
  given: Readonly<Record<string, SettingValue>>,
  name?: string,
): Promise<JobRecord> {
  return studio.queue.inTurn(async () => {
    const printed = (await studio.stages())[stage]
    const form = formOf(stage, printed, await formContext(studio))
    if (form.missing !== null) {
      throw refuse(409, 'missing', {
        where: form.title,
        expected: 'what it is made from',
        received: 'a studio without it',
        remedy: form.missing,
      })
    }
    const settings = filledIn(form, printed, given)
    const images = await studio.rounds.asked()
    const run = runNameFor(stage, name, studio.workspace, studio.queue.all())
    return studio.queue.add(await orderOf(stage, run, settings, { ...studio, images }))
  })
}

const JobId = z.object({ id: z.string().regex(/^job-\d{1,9}$/) })
const detail = ({ views }: Studio, job: JobRecord) => views.detail(job)

/** Rows beyond this many are thinned: a curve on a screen shows no more. */
const mostRows = 500

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
    method: 'post',
    path: '/api/jobs',
    summary: 'Queue a stage.',
    who: 'admin',
    body: NewJob,
    bodyLimit: 1_000_000,
    answer: JobDetail,
    handle: async ({ studio, body }) => detail(studio, await startStage(studio, body.stage, body.settings, body.run)),
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
      const rows = readRows(workspace, workspace.at(runsName, queue.get(params.id).run, metricsName))
      const steps = rows.flatMap(({ step }) => (Number.isInteger(step) && Number(step) >= 0 ? [Number(step)] : []))
      const last = steps.at(-1)
      const fresh = rows.filter(({ step }) => Number(step) > since)
      const every = Math.max(1, fresh.length / mostRows)
      const thinned = fresh.filter(
        (_, i) => i === fresh.length - 1 || Math.floor((i + 1) / every) > Math.floor(i / every),
      )
      return {
        last: last ?? null,
        rows: thinned.slice(-mostRows).map(figuresOf),
      }
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

const figuresOf = (row: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))

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
