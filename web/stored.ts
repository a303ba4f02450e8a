/** The browser's own store; where it is switched off or full, the page goes on without. */

/** Texts by their names: `localStorage`, or what takes its place. */
export type TextStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Null where the browser has none, or keeps it from the page. */
export function browserStore(): TextStore | null {
  try {
    return globalThis.localStorage ?? null
  } catch {
    return null
  }
}

export function readStored(key: string, store = browserStore()): string | null {
  try {
    return store?.getItem(key) ?? null
  } catch {
    return null
  }
}

/** @returns whether it is kept */
export function writeStored(key: string, value: string | null, store = browserStore()): boolean {
  if (store === null) return false
  try {
    if (value === null) store.removeItem(key)
    else store.setItem(key, value)
    return true
  } catch {
    return false
  }
}

export function storedKeys(prefix: string, store = browserStore()): string[] {
  try {
    const all = Array.from({ length: store?.length ?? 0 }, (_, place) => store?.key(place) ?? '')
    return all.filter((key) => key.startsWith(prefix))
  } catch {
    return []
  }
}
