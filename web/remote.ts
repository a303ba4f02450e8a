/** Something that the server knows, kept fresh. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { StudioError } from '../src/errors.ts'

export interface Remote<T> {
  /** The last that arrived; it stays while the server is away. */
  readonly value: T | undefined
  readonly error: unknown
  readonly reload: () => Promise<void>
}

interface RemoteOptions {
  /** Between looks; 0: once, and whenever the page is looked at again. */
  readonly everyMs?: number
  /** It is asked for anew when one of these changes. What is there stays meanwhile, and so does what somebody writes in it. */
  readonly changes?: readonly unknown[]
}

/** @param keys what is asked for: where one of them changes it is another thing, which begins empty */
export function useRemote<T>(
  ask: () => Promise<T>,
  keys: readonly unknown[],
  { everyMs = 0, changes = [] }: RemoteOptions = {},
): Remote<T> {
  const [held, setHeld] = useState<{ key: string; value?: T; error?: unknown }>({ key: '' })
  const key = JSON.stringify(keys)
  const change = JSON.stringify(changes)
  const latest = useRef({ ask, key })
  useEffect(() => {
    latest.current = { ask, key }
  })
  const reload = useCallback(async () => {
    const asked = latest.current
    try {
      const value = await asked.ask()
      if (latest.current.key === asked.key) setHeld({ key: asked.key, value })
    } catch (error) {
      if (latest.current.key === asked.key) {
        setHeld((before) => ({ ...(before.key === asked.key ? before : {}), key: asked.key, error }))
      }
    }
  }, [])
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const turn = async () => {
      if (!document.hidden) await reload()
      if (!isOver && everyMs > 0) timer = setTimeout(() => void turn(), everyMs)
    }
    void turn()
    const onSight = () => void (document.hidden || reload())
    document.addEventListener('visibilitychange', onSight)
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onSight)
    }
  }, [key, change, everyMs, reload])
  const isFresh = held.key === key
  return { value: isFresh ? held.value : undefined, error: isFresh ? held.error : undefined, reload }
}

/** Work that a button starts: one at a time, with the error that it ended on. */
export function useAction<A extends unknown[]>(work: (...given: A) => Promise<unknown>) {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const run = async (...given: A) => {
    if (isBusy) return
    setBusy(true)
    setError(undefined)
    try {
      await work(...given)
    } catch (cause) {
      setError(cause)
    } finally {
      setBusy(false)
    }
  }
  return { run, isBusy, error, clear: () => setError(undefined) }
}

export const isOffline = (error: unknown): boolean => error instanceof StudioError && error.isOffline
export const isSignedOut = (error: unknown): boolean => error instanceof StudioError && error.status === 401
