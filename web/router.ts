/** Addresses of pages: `#/train/job/job-3`. The part behind `#` never reaches the server. */
import { useSyncExternalStore } from 'react'

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

/** The parts of the address: `['train', 'job', 'job-3']`; none of the first page. */
export function useRoute(): string[] {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  return hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decoded)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `to('train', 'job', id)` → `#/train/job/job-3` */
export const to = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`

export function go(...parts: readonly string[]): void {
  location.hash = to(...parts)
}
