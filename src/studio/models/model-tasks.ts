/** What the studio has done with models in a process of its own, which may reach libtorch: see `src/model-tasks.ts`. */
import { runLimited, type Limits } from '../../limited-process.ts'
import { scriptBeside } from '../../script-beside.ts'

/** A policy as files to be handed on, with its model card. */
export interface ExportTask {
  readonly kind: 'export'
  /** The run, as the workspace names it. */
  readonly policy: string
  readonly form: 'diffusers' | 'kohya' | 'attune'
  /** File to write. */
  readonly out: string
}

export type ModelTask = ExportTask & {
  /** Of the workspace: names in settings of runs are relative to it. */
  readonly folder: string
}

const script = scriptBeside(import.meta.url, '../../model-tasks')
/** libtorch itself takes a part of it; adapters are small, and of whole weights one tensor at a time is held. */
const limits: Limits = { memoryBytes: 4 * 2 ** 30, stalledSeconds: 120, seconds: 1800 }

let last: Promise<unknown> = Promise.resolve()

/**
 * One after the other, since each takes the memory of a process with libtorch.
 *
 * @throws {AttuneError} what the process complained of
 */
export function doModelTask<R>(where: string, task: ModelTask): Promise<R> {
  const mine = last.then(() => runLimited<ModelTask, R>(script, task, { where, limits }))
  last = mine.catch(() => undefined)
  return mine
}
