import { useEffect, useRef, type ReactNode } from 'react'
import { Icon } from './icon.tsx'

interface DrawerProps {
  readonly title: string
  readonly side?: 'left' | 'right'
  readonly close: () => void
  readonly children: ReactNode
}

/** A sheet over the page; the browser's own dialog keeps the focus inside and closes on Escape. */
export function Drawer({ title, side = 'right', close, children }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`drawer ${side}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close()
      }}
    >
      <div className="drawer-head">
        <h2>{title}</h2>
        <button type="button" className="button quiet icon" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div className="drawer-body">{children}</div>
    </dialog>
  )
}
