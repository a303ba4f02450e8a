import { useLayoutEffect, useRef } from 'react'

/** What a key does; by `key` in lower case, `shift+g` with the shift key. */
export type Keys = Readonly<Record<string, (() => void) | undefined>>

const isWriting = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Keys, and what they do, for the sheet that tells. */
export type KeyLines = readonly (readonly [readonly string[], string])[]

/** Keys of a page. They are silent while somebody writes, or a sheet lies over the page. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys)
  // before the page is painted: whoever sees it may type
  useLayoutEffect(() => {
    latest.current = keys
  })
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || isWriting(event.target) || document.querySelector('dialog[open]') !== null) return
      const key = event.key.toLowerCase()
      const isCommand = event.ctrlKey || event.metaKey
      const name = isCommand ? `ctrl+${key}` : event.shiftKey && /^[a-z]$/.test(key) ? `shift+${key}` : key
      const work = latest.current[name]
      if (work === undefined || (event.repeat && name !== 'u' && name !== 'ctrl+z')) return
      // Enter and space belong to the button that has the focus.
      if (
        (key === 'enter' || key === ' ') &&
        event.target instanceof HTMLElement &&
        event.target.closest('button, a, summary')
      )
        return
      event.preventDefault()
      work()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
