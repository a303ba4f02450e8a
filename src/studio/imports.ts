/** Files that are sent to the studio are read by another process, one at a time: nothing in them can hold up the studio. */
import { isDatabaseUrl } from '../feedback/store/database.ts'
import type { AddedImages } from '../feedback/formats/own-images.ts'
import type { ImportCounts } from '../feedback/transfer.ts'
import { runLimited, type Limits } from '../limited-process.ts'
import { scriptBeside } from '../script-beside.ts'
import type { ImportTask, JudgmentsTask, PicturesTask } from './import-process.ts'
import type { Studio } from './studio.ts'
import { freeRunName, runsName } from './workspace.ts'

const script = scriptBeside(import.meta.url, './import-process')
/** What is sent is 500 MB at most: its pictures take a few minutes. */
const limits: Limits = { memoryBytes: 2 ** 30, stalledSeconds: 60, seconds: 1800 }

type At = Pick<Studio, 'workspace' | 'feedback'>

/**
 * Adds the judgments of a file, and its pictures.
 *
 * @returns `run`: the run of the pictures, which is there if any of them is new
 * @throws {FormatError | UnknownRecordError} as `importFeedback`, or it takes more memory or time than it may
 */
export function importApart(at: At, task: JudgmentsTask): Promise<ImportCounts & { readonly run: string }> {
  return runApart(at, 'import', task.name, task)
}

/**
 * Adds pictures with their prompts.
 *
 * @returns `run`: the run of the pictures, which is there if any of them is new
 * @throws {FormatError} they take more memory or time than they may
 */
export function addImagesApart(at: At, task: PicturesTask): Promise<AddedImages & { readonly run: string }> {
  return runApart(at, 'upload', 'pictures', task)
}

let last: Promise<unknown> = Promise.resolve()

async function runApart<R>(
  { workspace, feedback }: At,
  prefix: 'import' | 'upload',
  where: string,
  task: JudgmentsTask | PicturesTask,
): Promise<R & { readonly run: string }> {
  const store = isDatabaseUrl(feedback) ? feedback : workspace.at(feedback)
  const mine = last.then(async () => {
    const run = freeRunName(workspace, prefix)
    const folder = workspace.at(runsName, run)
    const whole: ImportTask = { ...task, feedback: store, folder }
    return { ...(await runLimited<ImportTask, R>(script, whole, { where, limits, made: [folder] })), run }
  })
  last = mine.catch(() => undefined)
  return await mine
}
