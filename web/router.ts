/** Addresses of pages: `#/train/job/job-3`, `#/gallery?round=images-1`. The part behind `#` never reaches the server. */
import { useMemo, useSyncExternalStore } from 'react'

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}
const useHash = () => useSyncExternalStore(subscribe, () => location.hash)

/** The parts of the address: `['train', 'job', 'job-3']`; none of the first page. */
export function useRoute(): string[] {
  return useHash().replace(/^#\/?/, '').replace(/\?.*$/s, '').split('/').filter(Boolean).map(decoded)
}

/** What the address says behind its `?`. */
export function useSearch(): URLSearchParams {
  const hash = useHash()
  return useMemo(() => new URLSearchParams(hash.replace(/^[^?]*\??/, '')), [hash])
}

/** Keeps the page and says other things behind the `?`; `replace` leaves no step to go back to. */
export function setSearch(search: URLSearchParams, { replace = false } = {}): void {
  const [page] = location.hash.split('?')
  const hash = search.size === 0 ? page : `${page}?${search}`
  if (hash === location.hash) return
  if (!replace) location.hash = hash
  else {
    history.replaceState(history.state, '', hash)
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
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
