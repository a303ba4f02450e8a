/** What `/api/state` says, for all pages: asked every second while something runs, else seldom. */
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react'
import type { Job } from '../src/studio/schemas/jobs.ts'
import type { State } from '../src/studio/schemas/state.ts'
import { client, useRaterName } from './api.ts'
import { isOffline, useRemote } from './remote.ts'

interface StudioState {
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
  const { value: state, error, reload } = useRemote(() => client.state(), ['state'], { everyMs, changes: [rater] })
  const offline = isOffline(error)
  const isBusy = state?.jobs.some(isOpen) ?? false
  useEffect(() => setEveryMs(offline ? lostMs : isBusy ? busyMs : idleMs), [offline, isBusy])
  return <Context value={{ state, error, offline, reload }}>{children}</Context>
}

export const useStudio = (): StudioState => useContext(Context)
