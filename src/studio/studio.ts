/** Everything that the routes work with. */
import type { AgreementBook } from '../feedback/agreement/agreement-book.ts'
import type { FlagBook } from '../feedback/agreement/flag-book.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import type { Asking } from './asking.ts'
import type { DeviceFigures } from './devices/device-figures.ts'
import type { GalleryBook } from './gallery-book.ts'
import type { ImageShelf } from './images.ts'
import type { JobQueue } from './jobs/job-queue.ts'
import type { JobViews } from './jobs/job-view.ts'
import type { StudioModel } from './jobs/orders.ts'
import type { PresetShelf } from './jobs/presets.ts'
import type { StageSchemas } from './jobs/stage-schemas.ts'
import type { Inspections } from './models/inspections.ts'
import type { PairBook } from './pair-book.ts'
import type { Playground } from './playground/playground.ts'
import type { RoundBook } from './round-book.ts'
import type { RunNotes } from './run-notes.ts'
import type { RunTable } from './run-table.ts'
import type { RunLibrary } from './runs.ts'
import type { Attempts } from './server/attempts.ts'
import type { TaughtBook } from './taught-book.ts'
import type { Workspace } from './workspace.ts'

/** A call as the process has it that has taken it. */
export interface PassedCall {
  readonly request: Request
  /** Address of the caller. */
  readonly caller: string
}

export interface Studio extends StudioModel {
  readonly workspace: Workspace
  readonly store: FeedbackStore
  /** The feedback store as a stage names it: relative to the workspace, or `postgres://…`. */
  readonly feedback: string
  readonly queue: JobQueue
  readonly views: JobViews
  readonly figures: DeviceFigures
  /** Why a GPU of the machine is idle, and what to do; null where none is, or where it is as somebody wanted it. */
  readonly gpuNote: string | null
  readonly playground: Playground
  readonly runs: RunLibrary
  readonly notes: RunNotes
  readonly table: RunTable
  readonly images: ImageShelf
  readonly rounds: RoundBook
  readonly gallery: GalleryBook
  readonly pairs: PairBook
  readonly taught: TaughtBook
  readonly agreement: AgreementBook
  readonly flags: FlagBook
  readonly asking: Asking
  /** What is known of the models that lie here. */
  readonly inspections: Inspections
  readonly presets: PresetShelf
  readonly stages: () => Promise<StageSchemas>
  /** Passwords that were wrong of late. */
  readonly signIns: Attempts
  /** Accounts are asked for. */
  readonly login: boolean
  /** Where a reverse proxy makes it known to others: `https://studio.example`. */
  readonly publicUrl: string | null
  /** Keeps apart what must not be guessed: which side of a vote is which policy. */
  readonly secret: string
  /** The answer of the process that leads, where another one does: see processes/lead.ts. Undefined where this one does. */
  passOn(call: PassedCall): Promise<Response | undefined>
  /** Folder of the built pages. */
  readonly pages: string
}
