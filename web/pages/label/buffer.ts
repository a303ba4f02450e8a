/** Questions ahead of the person: fetched early, and their images decoded before they are shown. */
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import type { Progress } from '../../../src/studio/schemas/labelling.ts'
import { loadPicture } from '../../picture-loads.ts'
import { isOffline } from '../../remote.ts'

export interface Source<T> {
  readonly ask: (without: readonly string[], count: number) => Promise<{ tasks: readonly T[]; progress: Progress }>
  readonly imagesOf: (task: T) => readonly ImageRef[]
  /** By what the server knows a task that the page holds: its images, or its own id. */
  readonly keysOf: (task: T) => readonly string[]
  /** Keys of answers that have not arrived there yet. */
  readonly underWay: () => readonly string[]
  /** Things done by them. */
  readonly uncounted?: () => number
  /** Tries to bring those answers there, so that the server counts them. */
  readonly send: () => Promise<unknown>
  /** Fulfilled when an image can be shown, or never will be. */
  readonly load?: (image: ImageRef, hold: (element: unknown) => void) => Promise<void>
  readonly retryMs?: number
}

interface BufferState<T> {
  readonly current: T | undefined
  /** Nothing is left to ask. */
  readonly isDone: boolean
  readonly error: unknown
  readonly progress: Progress | undefined
}

const wanted = 10
const few = 6
/** More than so many would not fit an address; what the server asks again then is left out here. */
const mostKeys = 500
/** A picture that takes longer is waited for in sight. */
const patienceMs = 8000

const loadOne: NonNullable<Source<never>['load']> = (image, hold) => loadPicture(image, 512, hold)

export class TaskBuffer<T> {
  readonly #source: Source<T>
  readonly #listeners = new Set<() => void>()
  /** Images stay referenced until their task is answered, so that the browser keeps them decoded. */
  readonly #kept = new Map<string, unknown>()
  #held: readonly T[]
  #state: BufferState<T>
  #isAsking = false
  #isExhausted = false
  #isOver = true
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param first is asked before anything else: what was taken back */
  constructor(source: Source<T>, first: readonly T[] = []) {
    this.#source = source
    this.#held = first
    this.#state = { current: first[0], isDone: false, error: undefined, progress: undefined }
  }

  get state(): BufferState<T> {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** @returns ends it */
  start(): () => void {
    this.#isOver = false
    void this.#fill()
    return () => {
      this.#isOver = true
      clearTimeout(this.#timer)
    }
  }

  /** Steps to the next task. */
  next(): void {
    const [first, ...others] = this.#held
    if (first !== undefined) for (const image of this.#source.imagesOf(first)) this.#kept.delete(image.id)
    this.#hold(others, { isDone: others.length === 0 && this.#isExhausted })
    void this.#fill()
  }

  /** An earlier task is asked again; those ahead come after it, but none that asks about one of its images anew. */
  putBack(task: T): void {
    const keys = new Set(this.#source.keysOf(task))
    const others = this.#held.filter((one) => !this.#source.keysOf(one).some((key) => keys.has(key)))
    // What else they asked about is still open.
    if (others.length < this.#held.length) this.#isExhausted = false
    void this.#load(task)
    this.#hold([task, ...others], { isDone: false })
  }

  count(change: number): void {
    const { progress } = this.#state
    if (progress === undefined) return
    this.#tell({ progress: { ...progress, done: Math.min(progress.total, Math.max(0, progress.done + change)) } })
  }

  reload(): void {
    this.#isExhausted = false
    this.#tell({ isDone: false, progress: undefined })
    void this.#fill()
  }

  #tell(change: Partial<BufferState<T>>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }

  #hold(list: readonly T[], change: Partial<BufferState<T>> = {}): void {
    this.#held = list
    this.#tell({ current: list[0], ...change })
  }

  async #load(task: T): Promise<void> {
    const { imagesOf, load = loadOne } = this.#source
    const all = imagesOf(task).map((image) =>
      this.#kept.has(image.id) ? undefined : load(image, (element) => this.#kept.set(image.id, element)),
    )
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs)
    })
    await Promise.race([Promise.all(all), late])
    clearTimeout(timer)
  }

  async #fill(): Promise<void> {
    if (this.#isAsking || this.#isOver || this.#isExhausted || this.#held.length >= few) return
    this.#isAsking = true
    try {
      const { ask, keysOf, underWay, uncounted = () => 0, send } = this.#source
      // The first answer tells how much is done.
      if (this.#state.progress === undefined) await send()
      const ahead = uncounted()
      const without = new Set([...this.#held.flatMap(keysOf), ...underWay()])
      const answer = await ask([...without].slice(0, mostKeys), wanted)
      if (this.#isOver) return
      this.#tell({ error: undefined })
      if (answer.tasks.length === 0) this.#isExhausted = true
      const { done, total } = answer.progress
      const progress = this.#state.progress ?? { total, done: Math.min(total, Math.max(0, done + ahead)) }
      const isHeld = (task: T) => {
        const now = new Set([...this.#held.flatMap(keysOf), ...underWay()])
        return keysOf(task).some((key) => now.has(key))
      }
      // All are asked for at once: the server may go away while the first is looked at.
      const loads = answer.tasks.filter((task) => !isHeld(task)).map((task) => ({ task, loaded: this.#load(task) }))
      for (const { task, loaded } of loads) {
        await loaded
        if (this.#isOver) return
        // It may have been put back meanwhile.
        if (!isHeld(task)) this.#hold([...this.#held, task], { progress: this.#state.progress ?? progress })
      }
      this.#tell({
        progress: this.#state.progress ?? progress,
        isDone: this.#held.length === 0 && this.#isExhausted,
      })
      if (this.#held.length === 0) this.#again()
    } catch (cause) {
      if (this.#isOver) return
      this.#tell({ error: cause })
      if (isOffline(cause)) this.#again()
    } finally {
      this.#isAsking = false
    }
  }

  #again(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#fill(), this.#source.retryMs ?? 2000)
  }
}

interface Buffer<T> extends BufferState<T> {
  readonly next: () => void
  readonly putBack: (task: T) => void
  readonly count: (change: number) => void
  readonly reload: () => void
}

/** @param source of the first call is kept */
export function useBuffer<T>(source: Source<T>, first?: T): Buffer<T> {
  const [buffer] = useState(() => new TaskBuffer(source, first === undefined ? [] : [first]))
  const [subscribe] = useState(() => (listener: () => void) => buffer.subscribe(listener))
  const state = useSyncExternalStore(subscribe, () => buffer.state)
  useEffect(() => buffer.start(), [buffer])
  return {
    ...state,
    next: () => buffer.next(),
    putBack: (task) => buffer.putBack(task),
    count: (change) => buffer.count(change),
    reload: () => buffer.reload(),
  }
}
