/**
 * The playground: one drawing after the other by a process that keeps the model loaded. It is one user of its device: a GPU is
 * its own while the process is there, is never taken from a job, and is given up when a job waits for it.
 */
import { StudioError, errorOf } from '../../errors.ts'
import { cpuId, gpusOf, type Device } from '../devices/devices.ts'
import type { PlaygroundState } from '../schemas/playground.ts'
import type { DrawnImage, DrawOrder, DrawProgress, Told, UsedSampling } from './lines.ts'
import { DrawnShelf } from './drawn-shelf.ts'
import { Resident } from './resident.ts'

/** What else computes on the devices of the studio. */
interface Jobs {
  readonly devices: readonly Device[]
  /** Runs of the jobs that have a device, and of those that wait for it. */
  usersOf(id: string): { readonly has: readonly string[]; readonly wait: readonly string[] }
}

export interface PlaygroundOptions {
  readonly folder: string
  readonly model: string
  /** The model computes on the CPU alone. */
  readonly isEmbedded: boolean
  readonly idleMs?: number
  /** From a cancellation to the end of the process. */
  readonly patienceMs?: number
}

/** Hears of a drawing. */
export interface DrawListener {
  readonly onWaiting?: (ahead: number) => void
  readonly onLoading?: () => void
  readonly onProgress?: (progress: DrawProgress) => void
  readonly onImage: (image: DrawnImage) => void
}

const mostWaiting = 8
const minuteMs = 60_000
const usualIdleMs = 10 * minuteMs

export class Playground {
  /** Images that were drawn lately. */
  readonly drawn = new DrawnShelf()
  readonly #options: Required<PlaygroundOptions>
  readonly #resident: Resident
  #jobs: Jobs | undefined
  #count = 0
  #open = 0
  #turn: Promise<unknown> = Promise.resolve()
  #doing: 'loading' | 'drawing' | undefined

  constructor(options: PlaygroundOptions) {
    this.#options = { idleMs: usualIdleMs, patienceMs: 10_000, ...options }
    this.#resident = new Resident(options.folder, this.#options.idleMs)
  }

  /** Tells it of the jobs, which are told of it in their turn. */
  watch(jobs: Jobs): void {
    this.#jobs = jobs
  }

  /** The device of its process; undefined where there is none. */
  get on(): string | undefined {
    return this.#resident.on
  }

  /** The GPU that it has. */
  gpu(): string | undefined {
    return this.on === cpuId ? undefined : this.on
  }

  /** A job waits for its GPU: it is given up, after the image that is being drawn. */
  giveUp(): void {
    if (this.#doing === undefined) void this.#resident.end()
  }

  get pid(): number | undefined {
    return this.#resident.pid
  }

  state(): Pick<PlaygroundState, 'process' | 'device' | 'beside' | 'lack' | 'idleMinutes'> {
    const { device, lack } = this.#place()
    return {
      process: this.#doing ?? (this.#resident.on === undefined ? 'none' : 'ready'),
      device,
      beside: [...(this.#jobs?.usersOf(device).has ?? [])],
      lack,
      idleMinutes: this.#options.idleMs / minuteMs,
    }
  }

  /** Where it draws: where its process is, or the first GPU that no job has or waits for, or the CPU where there is none. */
  #place(): Pick<PlaygroundState, 'device' | 'lack'> {
    const gpus = this.#options.isEmbedded ? [] : gpusOf(this.#jobs?.devices ?? []).map(({ id }) => id)
    if (gpus.length === 0) return { device: cpuId, lack: null }
    const users = gpus.map((id) => ({ id, ...(this.#jobs?.usersOf(id) ?? { has: [], wait: [] }) }))
    const free = users.filter(({ has, wait }) => has.length === 0 && wait.length === 0).map(({ id }) => id)
    const own = free.find((id) => id === this.#resident.on)
    const device = own ?? free.at(0)
    if (device !== undefined) return { device, lack: null }
    return { device: users[0].id, lack: users.map(({ id, has, wait }) => ({ id, has: [...has], wait: [...wait] })) }
  }

  /** @throws {StudioError} jobs have all GPUs, or too many wait */
  expectRoom(): void {
    const { lack } = this.#place()
    if (lack !== null) throw busy('a GPU that no job has', usersText(lack))
    if (this.#open >= mostWaiting) throw busy(`at most ${mostWaiting} drawings at once`, 'more of them')
  }

  /**
   * Draws, after those that asked before.
   *
   * @param signal ends it; what is drawn already stays
   * @throws {StudioError} as {@link expectRoom}, or the process ended
   * @throws {AttuneError} what the process complained of
   */
  async draw(order: DrawOrder, listener: DrawListener, signal: AbortSignal): Promise<UsedSampling | undefined> {
    this.expectRoom()
    if (this.#open > 0) listener.onWaiting?.(this.#open)
    this.#open++
    const mine = this.#turn.then(() => (signal.aborted ? undefined : this.#drawNow(order, listener, signal)))
    this.#turn = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      this.#open--
    }
  }

  async #drawNow(order: DrawOrder, listener: DrawListener, signal: AbortSignal): Promise<UsedSampling | undefined> {
    const { device, lack } = this.#place()
    if (lack !== null) throw busy('a GPU that no job has', usersText(lack))
    const id = ++this.#count
    const { promise, resolve, reject } = Promise.withResolvers<UsedSampling | undefined>()
    let patience: NodeJS.Timeout | undefined
    const cancel = () => {
      this.#resident.tell({ cancel: id })
      patience = setTimeout(() => void this.#resident.end(), this.#options.patienceMs)
    }
    signal.addEventListener('abort', cancel, { once: true })
    const hear = (told: Told) => {
      if (told.id !== id) return
      this.#doing = 'drawing'
      if ('progress' in told) listener.onProgress?.(told.progress)
      else if ('image' in told) listener.onImage(told.image)
      else if ('done' in told) resolve(told.done.sampling)
      else if ('complaint' in told) reject(errorOf(told.complaint.code, told.complaint))
    }
    this.#doing = 'drawing'
    if (this.#resident.on !== device) {
      this.#doing = 'loading'
      listener.onLoading?.()
    }
    const gone = (how: string) => (signal.aborted ? resolve(undefined) : reject(ended(how)))
    const asked = { id, model: this.#options.model, draw: order }
    try {
      await this.#resident.work(device, asked, { told: hear, gone })
      return await promise
    } finally {
      clearTimeout(patience)
      signal.removeEventListener('abort', cancel)
      this.#doing = undefined
      this.#resident.rest()
    }
  }

  /** Gives back the memory of the model. What is being drawn ends with a complaint. */
  async stop(): Promise<void> {
    await this.#resident.end()
  }
}

const busy = (expected: string, received: string) =>
  new StudioError(409, 'device-busy', { where: 'playground', expected, received, remedy: 'try again in a while' })

const ended = (how: string) =>
  new StudioError(500, 'process', {
    where: 'playground',
    expected: 'a process that draws',
    received: `one that ended (${how})`,
    remedy: 'draw again, which starts it anew; fewer images or policies at once take less memory',
  })

const usersText = (users: NonNullable<PlaygroundState['lack']>): string =>
  users
    .map(({ id, has, wait }) => (has.length > 0 ? `${id} with ${has.join(', ')}` : `${id} kept for ${wait.join(', ')}`))
    .join('; ')
