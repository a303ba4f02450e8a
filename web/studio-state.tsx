/** What `/api/state` says, for all pages: asked every second while something runs, else seldom. */
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react'
import type { Job } from '../src/studio/schemas/jobs.ts'
import type { State } from '../src/studio/schemas/state.ts'
import { client, useRaterName } from './api.ts'
import { isOffline, useRemote } from './remote.ts'
import { goOnWithTraining } from './training-plan.ts'

export interface StudioState {
  readonly state: State | undefined
  readonly error: unknown
  readonly offline: boolean
  readonly reload: () => Promise<void>
}

const Context = createContext<StudioState>({
  state: undefined,
  error: undefined,
  offline: false,
  reload: () => Promise.resolve(),
})
const busyMs = 1000
const idleMs = 8000
const lostMs = 2000

export const isOpen = ({ state }: Pick<Job, 'state'>): boolean => ['waiting', 'running', 'stopping'].includes(state)

export function StudioStateProvider({ children }: { children: ReactNode }) {
  const [everyMs, setEveryMs] = useState(busyMs)
  const rater = useRaterName()
  const { value, error, reload } = useRemote(() => client.state(), ['state', rater], everyMs)
  // A new name is another question, but the page need not go blank for it.
  const last = useRef<State>(undefined)
  if (value !== undefined) last.current = value
  const state = value ?? last.current
  const offline = isOffline(error)
  const isBusy = state?.jobs.some(isOpen) ?? false
  useEffect(() => setEveryMs(offline ? lostMs : isBusy ? busyMs : idleMs), [offline, isBusy])
  useEffect(() => {
    if (value !== undefined) void goOnWithTraining(value).then((begun) => (begun ? reload() : undefined))
  }, [value, reload])
  return <Context value={{ state, error, offline, reload }}>{children}</Context>
}

export const useStudio = (): StudioState => useContext(Context)
