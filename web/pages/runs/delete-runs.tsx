import { useId, useState } from 'react'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { useModal } from '../../components/use-modal.ts'
import { plural, size } from '../../format.ts'
import { useRemote } from '../../remote.ts'

interface DeleteProps {
  readonly runs: readonly RunRow[]
  /** @param agreed names of what is left without them */
  readonly remove: (agreed: string[]) => void
  readonly close: () => void
}

const exact = (bytes: number) => `${size(bytes)} (${bytes.toLocaleString('en')} bytes)`

/** What becomes free, and what would be left without it: that needs a yes of its own. */
export function DeleteRuns({ runs, remove, close }: DeleteProps) {
  const dialog = useModal(close)
  const id = useId()
  const [isAgreed, setAgreed] = useState(false)
  const names = runs.map(({ name }) => name)
  const deletions = useRemote(() => Promise.all(names.map((name) => client.runDeletion(name))), ['deletion', ...names])
  return (
    <dialog {...dialog} className="confirm" aria-labelledby={id}>
      <h2 id={id} dir="auto">
        Delete {runs.length === 1 ? names[0] : `${runs.length} runs`}?
      </h2>
      <Loaded remote={deletions} heights={[80]}>
        {(all) => {
          const obstacles = all.flatMap(({ name, obstacle }) => (obstacle === null ? [] : [{ name, obstacle }]))
          // What goes along is no loss.
          const children = all
            .flatMap(({ name, children: of }) => of.map((child) => ({ ...child, from: name })))
            .filter((child) => !names.includes(child.name))
          const bytes = all.reduce((sum, one) => sum + one.bytes, 0)
          return (
            <div className="stack tight">
              <p>This frees {exact(bytes)}, and cannot be taken back. To have them out of the way, archive them.</p>
              {obstacles.map(({ name, obstacle }) => (
                <div key={name} className="notice bad" role="alert">
                  <strong dir="auto">{name} cannot be deleted now</strong>
                  <span dir="auto">{obstacle}</span>
                </div>
              ))}
              {children.length > 0 && (
                <div className="notice warn">
                  <strong>{plural(children.length, 'thing')} would be left without it</strong>
                  <ul className="children">
                    {children.map(({ name, what, from }) => (
                      <li key={`${from} ${name}`} dir="auto">
                        {name === 'judgments' ? what : `${name} (${what})`}, from {from}
                      </li>
                    ))}
                  </ul>
                  <label className="check">
                    <input type="checkbox" checked={isAgreed} onChange={({ target }) => setAgreed(target.checked)} />
                    Delete all the same
                  </label>
                </div>
              )}
              <div className="row">
                <button type="button" className="button" autoFocus onClick={close}>
                  Cancel
                </button>
                <button
                  type="button"
                  className="button danger"
                  disabled={obstacles.length > 0 || (children.length > 0 && !isAgreed)}
                  onClick={() => {
                    close()
                    remove(all.flatMap((one) => one.children.map((child) => child.name)))
                  }}
                >
                  Delete
                </button>
              </div>
            </div>
          )
        }}
      </Loaded>
    </dialog>
  )
}
