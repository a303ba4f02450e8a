/**
 * Which job may begin on which devices. The rule: jobs are looked at in the order in which they were queued; each takes
 * what it asks for where that is free, and where it is not, all that it could take is kept for it and given to nobody
 * behind it. So jobs that need other devices go past it, and one that needs many has its turn when those that run there
 * have ended. A job that follows another one keeps nothing until that has ended.
 */
import { cpuId, gpusOf, type Device } from '../devices/devices.ts'
import { byQueue, isActive, isBefore, makersOf } from './queue-order.ts'
import type { JobRecord } from './job-record.ts'

/** What a job needs to begin. */
export interface Demand {
  /** The devices that it could take. */
  readonly from: readonly string[]
  /** How many of them it needs. */
  readonly count: number
  /** Of each. */
  readonly slots: number
}

type Request = Pick<JobRecord, 'devices' | 'workers'>

/** Named devices are all needed; without names the first GPUs that are free, or the CPU where there is none. */
export function demandOf({ devices: named, workers }: Request, all: readonly Device[]): Demand {
  const gpus = gpusOf(all).map(({ id }) => id)
  const from = named ?? (gpus.length > 0 ? gpus : [cpuId])
  const cpuSlots = all.find(({ id }) => id === cpuId)?.slots ?? 1
  return from.includes(cpuId)
    ? { from: [cpuId], count: 1, slots: Math.min(workers, cpuSlots) }
    : { from, count: named?.length ?? workers, slots: 1 }
}

/** Why a job cannot begin on these devices however long it waits, as a sentence. */
export function deviceLack(request: Request, all: readonly Device[]): string | null {
  const { from, count } = demandOf(request, all)
  const missing = from.filter((id) => !all.some((device) => device.id === id))
  const has = `this studio has ${all.map(({ id }) => id).join(', ')}`
  const remedy = 'start the studio with more of the machine, or this anew on what there is'
  if (missing.length > 0) return `It asks for ${missing.join(' and ')}, and ${has}: ${remedy}.`
  return count > from.length ? `It asks for ${count} GPUs, and ${has}: ${remedy}.` : null
}

/**
 * The jobs that may begin now, with the devices that each gets.
 *
 * @param taken devices that somebody else has
 */
export function turnsOf(
  jobs: readonly JobRecord[],
  devices: readonly Device[],
  taken: readonly string[] = [],
): Map<string, readonly string[]> {
  const free = new Map(devices.map(({ id, slots }) => [id, taken.includes(id) ? 0 : slots]))
  const left = (id: string) => free.get(id) ?? 0
  for (const job of jobs.filter(isActive)) {
    for (const id of job.on) free.set(id, left(id) - demandOf(job, devices).slots)
  }
  const turns = new Map<string, readonly string[]>()
  for (const job of jobs.filter(({ state }) => state === 'waiting').sort(byQueue)) {
    if (makersOf(job, jobs).size > 0) continue
    const { from, count, slots } = demandOf(job, devices)
    const fitting = from.filter((id) => left(id) >= slots)
    if (fitting.length >= count) {
      const on = fitting.slice(0, count)
      for (const id of on) free.set(id, left(id) - slots)
      turns.set(job.id, on)
    } else for (const id of from) free.set(id, 0)
  }
  return turns
}

/** The jobs that come before a waiting one: those that make what it needs, and those of the devices that it could take. */
export function aheadOf(job: JobRecord, jobs: readonly JobRecord[], devices: readonly Device[]): JobRecord[] {
  if (job.state !== 'waiting') return []
  const from = new Set(demandOf(job, devices).from)
  const isThere = (ids: readonly string[]) => ids.some((id) => from.has(id))
  const makers = makersOf(job, jobs)
  const ahead = new Set(jobs.filter((other) => makers.has(other) || (isActive(other) && isThere(other.on))))
  const rivals = jobs
    .filter((other) => other.state === 'waiting' && isBefore(other, job) && isThere(demandOf(other, devices).from))
    .map((other) => ({ other, follows: [...makersOf(other, jobs)] }))
    .filter(({ follows }) => !follows.includes(job))
  // One that follows others comes before this one where all that it follows does.
  for (let size = -1; size < ahead.size;) {
    size = ahead.size
    for (const { other, follows } of rivals) if (follows.every((maker) => ahead.has(maker))) ahead.add(other)
  }
  return jobs.filter((other) => ahead.has(other))
}
