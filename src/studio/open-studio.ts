/** Opens a workspace with its store and its jobs. */
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AgreementBook } from '../feedback/agreement/agreement-book.ts'
import { FlagBook } from '../feedback/agreement/flag-book.ts'
import { openFeedback } from '../feedback/store/store.ts'
import { writeFileAtomic } from '../files.ts'
import { imageListName, readImageList } from '../images/image-run.ts'
import { isPolicyStage } from '../stages.ts'
import { defaultModel } from '../model-names.ts'
import { Asking } from './asking.ts'
import { DeviceFigures } from './devices/device-figures.ts'
import { devicesOf, type Device } from './devices/devices.ts'
import { GalleryBook } from './gallery-book.ts'
import { ImageShelf } from './images.ts'
import { JobLoads } from './jobs/job-loads.ts'
import { JobQueue, type JobQueueOptions } from './jobs/job-queue.ts'
import type { JobRecord } from './jobs/job-record.ts'
import { JobViews } from './jobs/job-view.ts'
import type { Webhook } from './jobs/webhook.ts'
import type { StudioModel } from './jobs/orders.ts'
import { PresetShelf } from './jobs/presets.ts'
import { stageSchemas } from './jobs/stage-schemas.ts'
import { Inspections } from './models/inspections.ts'
import { PairBook } from './pair-book.ts'
import { Playground, type PlaygroundOptions } from './playground/playground.ts'
import { RoundBook } from './round-book.ts'
import { finishDeletions } from './run-deletion.ts'
import { RunNotes } from './run-notes.ts'
import { RunTable } from './run-table.ts'
import { RunLibrary } from './runs.ts'
import { Attempts } from './server/attempts.ts'
import { uploadsName } from './server/forms.ts'
import { reportSummary } from './server/reports.ts'
import { lackInWords } from './reward-evidence.ts'
import { rewardStanding, rewardSummary } from './server/rewards.ts'
import type { PassedCall, Studio } from './studio.ts'
import { TaughtBook } from './taught-book.ts'
import { openWorkspace, runNameOf, runsName, type Workspace } from './workspace.ts'
import { reasonOf } from './workspace-files.ts'
import { worldOf } from './worlds.ts'

export const databaseName = 'studio.sqlite'

export interface StudioOptions extends Partial<StudioModel> {
  /** `postgres://…`; a SQLite file in the workspace without it. */
  readonly database?: string | null
  readonly login?: boolean
  readonly publicUrl?: string | null
  /** That jobs may have; the CPU, for one job at a time, without it. */
  readonly devices?: readonly Device[]
  readonly gpuNote?: string | null
  readonly jobs?: JobQueueOptions
  /** Is told what becomes of jobs. */
  readonly webhook?: Webhook
  readonly playground?: Pick<PlaygroundOptions, 'idleMs' | 'patienceMs'>
  readonly pages?: string
  /** Of several processes on a workspace, one that answers raters and passes all else on, until it leads. */
  readonly follows?: Following
  /** Milliseconds; the clock without it. */
  readonly now?: () => number
}

/** How a call is passed on to the process that leads; undefined where this one has come to lead meanwhile. */
type PassOn = (call: PassedCall, isLeader: () => boolean) => Promise<Response | undefined>

interface Following {
  readonly passOn: PassOn
}

export interface OpenedStudio extends Studio, AsyncDisposable {
  /** Of one that follows: from now on it runs the jobs, and answers everybody. */
  lead(): void
}

/**
 * Opens what is there, or begins anew; closing it leaves running jobs alone.
 *
 * @throws {FileError} the workspace cannot be written
 * @throws {FormatError} a database of a later version
 */
export async function openStudio(folder: string, options: StudioOptions = {}): Promise<OpenedStudio> {
  const { database = null, publicUrl = null, login = false, jobs, model = defaultModel, encoder = null } = options
  const workspace = openWorkspace(folder)
  const { follows, webhook } = options
  if (follows === undefined) removeUploads(workspace)
  const store = await openFeedback(database ?? workspace.at(databaseName))
  const feedback = database === null ? databaseName : withoutPassword(database)
  const isEmbedded = worldOf(model) !== undefined
  const playground = new Playground({ folder: workspace.folder, model, isEmbedded, ...options.playground })
  const notes = new RunNotes(workspace)
  const rounds = new RoundBook(store, notes)
  if (follows === undefined) await finishDeletions({ workspace, store, rounds, notes })
  const runs = new RunLibrary(workspace, notes)
  const queue = new JobQueue(workspace, options.devices ?? devicesOf(null, 1, 0), {
    ...jobs,
    isAsleep: follows !== undefined,
    onDone: (job) => collectImages({ workspace, store, rounds }, job),
    objection: (job) => objectionTo(job, runs),
    guest: playground,
    onState: (job) => webhook?.changed(job),
  })
  const loads = new JobLoads(queue)
  const views = new JobViews(workspace, queue, loads)
  webhook?.watch(queue, (job) => views.alarmWhileAtWork(job))
  playground.watch(queue)
  let leads = follows === undefined
  return {
    workspace,
    store,
    feedback,
    queue,
    views,
    figures: new DeviceFigures(),
    presets: new PresetShelf(),
    playground,
    gpuNote: options.gpuNote ?? null,
    runs,
    notes,
    table: new RunTable({
      workspace,
      runs,
      notes,
      queue,
      reported: (run) => reportSummary({ workspace }, run),
      rewarded: rewardSummary,
    }),
    images: new ImageShelf(store),
    rounds,
    gallery: new GalleryBook({ store, rounds, runs, workspace }),
    inspections: new Inspections(workspace),
    pairs: new PairBook(store, model),
    taught: new TaughtBook(store),
    agreement: new AgreementBook(),
    flags: new FlagBook(),
    asking: new Asking(store, rounds, runs, options.now),
    stages: stageSchemas,
    signIns: new Attempts(options.now),
    login,
    publicUrl,
    secret: secretOf(workspace),
    pages: options.pages ?? fileURLToPath(new URL('../../build/web', import.meta.url)),
    model,
    encoder,
    passOn: async (call) => (leads || follows === undefined ? undefined : await follows.passOn(call, () => leads)),
    lead() {
      removeUploads(workspace)
      queue.wake()
      leads = true
      void finishDeletions({ workspace, store, rounds, notes }).then((names) =>
        names.forEach((name) => queue.forget(name)),
      )
    },
    async [Symbol.asyncDispose]() {
      queue[Symbol.dispose]()
      loads[Symbol.dispose]()
      webhook?.[Symbol.dispose]()
      await playground.stop()
      await store.close()
    },
  }
}

/** A policy that was ordered while its reward was still being made begins by itself: only where the reward is proven. */
function objectionTo({ stage, queuedAt, settings: { reward } }: JobRecord, runs: RunLibrary): string | null {
  if (!isPolicyStage(stage)) return null
  const made = runs.everyOfKind('reward').find(({ name }) => name === reward)
  if (made === undefined || made.manifest.finishedAt <= queuedAt) return null
  try {
    const { name, lack } = rewardStanding(made)
    return lack === null ? null : lackInWords(name, lack)
  } catch (error) {
    return reasonOf(error)
  }
}

/** The images of a finished run become known to the store, under the name of the policy that drew them. */
async function collectImages(
  { workspace, store, rounds }: Pick<Studio, 'workspace' | 'store' | 'rounds'>,
  { stage, run, purpose }: JobRecord,
): Promise<void> {
  if (stage !== 'images generate') return
  const folder = workspace.at(runsName, run)
  const records = readImageList(workspace.at(runsName, run, imageListName)).map((record) => ({
    ...record,
    policy: runNameOf(record.policy),
  }))
  await store.addImages(records, folder)
  await rounds.add({
    name: run,
    policy: records[0]?.policy ?? 'pretrained',
    purpose: purpose === 'comparison' ? 'comparison' : 'round',
    createdAt: new Date().toISOString(),
    images: records.map(({ id }) => id),
  })
}

/**
 * Settings of runs are shown in reports: the password goes to the stages by their environment, as libpq's tools have it.
 * An address with a socket (`postgres://user@/name?host=/folder`) is no URL to `URL`.
 */
function withoutPassword(database: string): string {
  const [, before, password, after] = /^(\w+:\/\/[^/@:]*):([^/@]*)(@.*)$/.exec(database) ?? []
  if (password === undefined) return database
  process.env.PGPASSWORD = decodeURIComponent(password)
  return before + after
}

/** What a server that was killed had received and not looked at yet. */
function removeUploads({ at }: Workspace): void {
  for (const name of readdirSync(at(uploadsName))) rmSync(at(uploadsName, name), { recursive: true, force: true })
}

/** Stays the same for a workspace, so that a vote that was begun before a restart can be cast after it. */
function secretOf({ at }: Workspace): string {
  const file = at('secret')
  const kept = statSync(file, { throwIfNoEntry: false })?.size === 64 ? readFileSync(file, 'utf8') : ''
  if (/^[0-9a-f]{64}$/.test(kept)) return kept
  const fresh = randomBytes(32).toString('hex')
  writeFileAtomic(file, fresh)
  return fresh
}
