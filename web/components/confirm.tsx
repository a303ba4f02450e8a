import { useId, type ReactNode } from 'react'
import { useTexts } from '../texts/texts.ts'
import { useModal } from './use-modal.ts'

export interface ConfirmProps {
  readonly title: string
  /** What happens then. */
  readonly children: ReactNode
  /** Of the button that does it. */
  readonly action: string
  readonly confirm: () => void
  readonly close: () => void
}

/** A question before something that is hard to take back. The way out has the focus. */
export function Confirm({ title, children, action, confirm, close }: ConfirmProps) {
  const { frame } = useTexts()
  const dialog = useModal(close)
  const id = useId()
  return (
    <dialog {...dialog} className="confirm" aria-labelledby={id}>
      <h2 id={id} dir="auto">
        {title}
      </h2>
      <div className="stack tight">{children}</div>
      <div className="row">
        <button type="button" className="button" autoFocus onClick={close}>
          {frame.cancel}
        </button>
        <button
          type="button"
          className="button danger"
          onClick={() => {
            close()
            confirm()
          }}
        >
          {action}
        </button>
      </div>
    </dialog>
  )
}
