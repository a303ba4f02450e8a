/** The studio's client, as the person who sits here. */
import { useSyncExternalStore } from 'react'
import { createClient } from '../src/studio/client.ts'
import { setClockBy } from './clock.ts'
import { sendingFetch } from './sending-fetch.ts'
import { readStored, writeStored } from './stored.ts'

const key = 'attune.rater'
const listeners = new Set<() => void>()
let name = readStored(key)

/** The name under which answers are filed on a machine without login. */
export const raterName = (): string | null => name

export function setRaterName(given: string): void {
  name = given.trim() === '' ? null : given.trim()
  writeStored(key, name)
  for (const listener of listeners) listener()
}

export const useRaterName = (): string | null =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, raterName)

const fetchAndTellTime: typeof globalThis.fetch = async (...asked) => {
  const answer = await fetch(...asked)
  setClockBy(answer.headers.get('date'))
  return answer
}

/** For large files. @param tell is given the share that has been sent */
export const clientTelling = (tell: (share: number) => void) =>
  createClient('', { rater: raterName, fetch: sendingFetch(tell) })

export const client = createClient('', { rater: raterName, fetch: fetchAndTellTime })
/** For answers that were given under another name. */
export const clientOf = (rater: string | null) => createClient('', { rater: () => rater, fetch: fetchAndTellTime })
