/** What the studio has done with models in a process of its own, which may reach libtorch: see `src/model-tasks.ts`. */
import { runLimited, type Limits } from '../../limited-process.ts'
import type { PresetRequest } from '../../policy/preset-request.ts'
import { scriptBeside } from '../../script-beside.ts'

/** A policy as files to be handed on, with its model card. */
interface ExportTask {
  readonly kind: 'export'
  /** The run, as the workspace names it. */
  readonly policy: string
  readonly form: 'diffusers' | 'kohya' | 'attune'
  /** File to write. */
  readonly out: string
}

/** What a model is: see {@link InspectionResult}. */
interface InspectTask {
  readonly kind: 'inspect'
  readonly model: string
}

interface LicenceTold {
  readonly id: string
  readonly name?: string
  readonly link?: string
}

export interface InspectionResult {
  /** As `model inspect` says them; a row without a label goes on with the one above. */
  readonly rows: readonly (readonly [label: string, value: string])[]
  /** What it lacks. */
  readonly error: string | null
  readonly licence: LicenceTold | null
}

/** Whether a LoRA file fits a model. */
interface LoraTask {
  readonly kind: 'lora'
  readonly file: string
  /** Under which it was sent, for complaints. */
  readonly name: string
  readonly model: string
}

export interface LoraResult {
  readonly layers: number
  readonly rank: number | null
  readonly form: string
  /** What its header says that it was trained on. */
  readonly trainedOn: string | null
}

/** What a hub has under a name. */
interface OfferTask {
  readonly kind: 'offer'
  readonly model: string
  readonly revision: string
  readonly variant: 'fp16' | 'bf16' | null
}

export interface OfferResult {
  readonly commit: string
  readonly files: number
  /** That are to come, and of all files that are wanted. */
  readonly missingBytes: number
  readonly bytes: number
  readonly licence: LicenceTold | null
}

/** With which settings a stage fits into so much memory. */
interface PresetsTask {
  readonly kind: 'presets'
  readonly request: PresetRequest
}

export type ModelTask = (ExportTask | InspectTask | LoraTask | OfferTask | PresetsTask) & {
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
 * @param where what it is about, for complaints
 * @throws {AttuneError} what the process complained of
 */
export function doModelTask<R>(where: string, task: ModelTask): Promise<R> {
  const mine = last.then(() => runLimited<ModelTask, R>(script, task, { where, limits }))
  last = mine.catch(() => undefined)
  return mine
}
