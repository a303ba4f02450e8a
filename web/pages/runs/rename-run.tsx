import { useId, useState } from 'react'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { useModal } from '../../components/use-modal.ts'

interface RenameProps {
  readonly run: RunRow
  readonly rename: (title: string | null) => void
  readonly close: () => void
}

/** A title beside the name, which others know the run by. */
export function RenameRun({ run, rename, close }: RenameProps) {
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
        <h2 id={id}>Title of {run.name}</h2>
        <div className="field">
          <label htmlFor={`${id}-title`}>Title</label>
          <input
            id={`${id}-title`}
            type="text"
            autoFocus
            maxLength={120}
            value={title}
            placeholder={run.name}
            onChange={({ target }) => setTitle(target.value)}
          />
          <span className="hint">Shown in place of {run.name}. Its folder keeps its name.</span>
        </div>
        <div className="row">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            Save
          </button>
        </div>
      </form>
    </dialog>
  )
}
