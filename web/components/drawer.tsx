import type { ReactNode } from 'react'
import { useTexts } from '../texts/texts.ts'
import { Icon } from './icon.tsx'
import { useModal } from './use-modal.ts'

interface DrawerProps {
  readonly title: string
  readonly side?: 'left' | 'right'
  readonly close: () => void
  readonly children: ReactNode
}

/** A sheet over the page; the browser's own dialog keeps the focus inside and closes on Escape. */
export function Drawer({ title, side = 'right', close, children }: DrawerProps) {
  const { frame } = useTexts()
  const dialog = useModal(close)
  return (
    <dialog
      {...dialog}
      className={`drawer ${side}`}
      aria-label={title}
      onClick={(event) => {
        if (event.target === dialog.ref.current) close()
      }}
    >
      <div className="drawer-head">
        <h2>{title}</h2>
        <button type="button" className="button quiet icon" aria-label={frame.close} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div className="drawer-body">{children}</div>
    </dialog>
  )
}
