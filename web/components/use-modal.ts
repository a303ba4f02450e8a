import { useEffect, useRef, type RefObject, type SyntheticEvent } from 'react'

/** Opens a dialog over the page while its component is there; `onCancel` lets the owner close it on Escape. */
export function useModal(close: () => void): {
  readonly ref: RefObject<HTMLDialogElement | null>
  readonly onCancel: (event: SyntheticEvent) => void
} {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = ref.current
    element?.showModal()
    return () => element?.close()
  }, [])
  const onCancel = (event: SyntheticEvent) => {
    event.preventDefault()
    close()
  }
  return { ref, onCancel }
}
