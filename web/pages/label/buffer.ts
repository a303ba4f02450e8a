/** Questions ahead of the person: fetched early, and their images decoded before they are shown. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { ImageRef } from '../../../src/studio/schemas/basics.ts'
import type { Progress } from '../../../src/studio/schemas/labelling.ts'
import { pictureUrl } from '../../components/picture.tsx'
import { isOffline } from '../../remote.ts'

export interface Source<T> {
  readonly ask: (without: readonly string[], count: number) => Promise<{ tasks: T[]; progress: Progress }>
  readonly imagesOf: (task: T) => readonly ImageRef[]
  /** By what the server knows a task that the page holds: its images, or its own id. */
  readonly keysOf: (task: T) => readonly string[]
  /** Keys of answers that have not arrived there yet. */
  readonly underWay: () => readonly string[]
}

export interface Buffer<T> {
  readonly current: T | undefined
  /** Nothing is left to ask. */
  readonly isDone: boolean
  readonly error: unknown
  readonly progress: Progress | undefined
  /** Steps to the next task. */
  readonly next: () => void
  /** An earlier task is asked again; the present one comes after it. */
  readonly putBack: (task: T) => void
  readonly count: (change: number) => void
  readonly reload: () => void
}

const wanted = 10
const few = 6
const retryMs = 2000

/** Images stay referenced until their task is answered, so that the browser keeps them decoded. */
function decode(images: readonly ImageRef[], kept: Map<string, HTMLImageElement>): Promise<unknown> {
  return Promise.all(
    images.map((image) => {
      if (kept.has(image.id)) return undefined
      const element = new Image()
      element.src = pictureUrl(image, 512)
      kept.set(image.id, element)
      // A picture that cannot be decoded is shown as such; the question need not wait for it.
      return element.decode().catch(() => undefined)
    }),
  )
}

export function useBuffer<T extends { id: string }>(source: Source<T>): Buffer<T> {
  const [tasks, setTasks] = useState<readonly T[]>([])
  const [isDone, setDone] = useState(false)
  const [error, setError] = useState<unknown>()
  const [progress, setProgress] = useState<Progress>()
  const held = useRef<readonly T[]>([])
  const kept = useRef(new Map<string, HTMLImageElement>())
  const isAsking = useRef(false)
  const isExhausted = useRef(false)
  const isOver = useRef(false)
  const latest = useRef(source)
  useEffect(() => {
    latest.current = source
  })

  const hold = useCallback((list: readonly T[]) => {
    held.current = list
    setTasks(list)
  }, [])

  const fill = useCallback(async () => {
    if (isAsking.current || isOver.current || isExhausted.current || held.current.length >= few) return
    isAsking.current = true
    try {
      const { ask, imagesOf, keysOf, underWay } = latest.current
      const without = new Set([...held.current.flatMap(keysOf), ...underWay()])
      const answer = await ask([...without], wanted)
      if (isOver.current) return
      setError(undefined)
      const now = new Set([...held.current.flatMap(keysOf), ...underWay()])
      const fresh = answer.tasks.filter((task) => !keysOf(task).some((key) => now.has(key)))
      if (answer.tasks.length === 0) isExhausted.current = true
      for (const task of fresh) {
        await decode(imagesOf(task), kept.current)
        if (isOver.current) return
        hold([...held.current, task])
        setProgress((before) => before ?? answer.progress)
      }
      // What waits to be sent is done, whatever the server knows; it is counted as it is answered.
      setProgress((before) => before ?? answer.progress)
      setDone(held.current.length === 0 && answer.tasks.length === 0)
    } catch (cause) {
      if (isOver.current) return
      setError(cause)
      if (isOffline(cause)) setTimeout(() => void fill(), retryMs)
    } finally {
      isAsking.current = false
    }
  }, [hold])

  useEffect(() => {
    isOver.current = false
    void fill()
    return () => {
      isOver.current = true
    }
  }, [fill])

  const next = () => {
    const [first, ...others] = held.current
    if (first !== undefined) for (const image of source.imagesOf(first)) kept.current.delete(image.id)
    hold(others)
    if (others.length === 0 && isExhausted.current) setDone(true)
    void fill()
  }
  const putBack = (task: T) => {
    void decode(source.imagesOf(task), kept.current)
    hold([task, ...held.current])
    setDone(false)
  }
  const count = (change: number) =>
    setProgress((before) => before && { ...before, done: Math.min(before.total, Math.max(0, before.done + change)) })
  const reload = () => {
    isExhausted.current = false
    setDone(false)
    setProgress(undefined)
    void fill()
  }
  return { current: tasks[0], isDone, error, progress, next, putBack, count, reload }
}
