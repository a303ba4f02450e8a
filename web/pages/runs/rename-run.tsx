import { useId, useState } from 'react'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { useModal } from '../../components/use-modal.ts'
import { useTexts } from '../../texts/texts.ts'

interface RenameProps {
  readonly run: RunRow
  readonly rename: (title: string | null) => void
  readonly close: () => void
}

/** A title beside the name, which others know the run by. */
export function RenameRun({ run, rename, close }: RenameProps) {
  const {
    frame,
    runs: { renaming },
  } = useTexts()
  const dialog = useModal(close)
  const id = useId()
  const [title, setTitle] = useState(run.title ?? '')
  return (
    <dialog {...dialog} className="confirm" aria-labelledby={id}>
      <form
        className="stack tight"
        onSubmit={(event) => {
          event.preventDefault()
          close()
          rename(title.trim() === '' ? null : title.trim())
        }}
      >
        <h2 id={id}>{renaming.title(run.name)}</h2>
        <div className="field">
          <label htmlFor={`${id}-title`}>{renaming.field}</label>
          <input
            id={`${id}-title`}
            type="text"
            autoFocus
            maxLength={120}
            value={title}
            placeholder={run.name}
            onChange={({ target }) => setTitle(target.value)}
          />
          <span className="hint">{renaming.hint(run.name)}</span>
        </div>
        <div className="row">
          <button type="button" className="button" onClick={close}>
            {frame.cancel}
          </button>
          <button type="submit" className="button primary">
            {renaming.save}
          </button>
        </div>
      </form>
    </dialog>
  )
}
