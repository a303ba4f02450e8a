/** The order of jobs, those that make what another needs, and why one may have to be held. */
import { numberOf, type JobRecord } from './job-record.ts'

export const isActive = ({ state }: Pick<JobRecord, 'state'>) => state === 'running' || state === 'stopping'
/** Waits or runs. */
export const isOpen = (job: Pick<JobRecord, 'state'>) => job.state === 'waiting' || isActive(job)

/** In the order in which they were queued. */
export const byQueue = (a: JobRecord, b: JobRecord) => (isBefore(a, b) ? -1 : 1)
export const isBefore = (a: JobRecord, b: JobRecord) =>
  a.queuedAt < b.queuedAt || (a.queuedAt === b.queuedAt && numberOf(a.id) < numberOf(b.id))

/** The jobs that still make what a job is made from, and those that make what these are made from. */
export function makersOf(job: JobRecord, all: readonly JobRecord[]): ReadonlySet<JobRecord> {
  const makers = new Set<JobRecord>()
  if (job.needs.length === 0) return makers
  const add = ({ needs }: JobRecord) => {
    for (const maker of all.filter((one) => needs.includes(one.run) && isOpen(one))) {
      if (makers.has(maker)) continue
      makers.add(maker)
      add(maker)
    }
  }
  add(job)
  return makers
}

/**
 * Why a job cannot begin however long it waits, as a sentence: something that it is made from did not come to be.
 *
 * @param isMade whether the run of a name is finished
 */
export function lackOf(
  { needs }: JobRecord,
  all: readonly JobRecord[],
  isMade: (run: string) => boolean,
): string | null {
  for (const run of needs) {
    const maker = all.findLast((job) => job.run === run)
    const what = maker === undefined || maker.state === 'done' ? (isMade(run) ? null : 'is not there') : endOf(maker)
    if (what !== null) return `It is made from ${run}, which ${what}.`
  }
  return null
}

/** What became of a job that does not come to its end; null where it may yet. */
function endOf(job: JobRecord): string | null {
  if (isOpen(job)) return null
  const begin = `resume ${job.run}, and this follows by itself`
  if (job.state === 'held') return `is held itself: begin ${job.run}, and this follows by itself`
  if (job.state === 'stopped') return `was stopped: ${begin}`
  return `has failed (${job.error ?? 'without a word'}): ${begin}`
}
