import { useId, useState } from 'react'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { useModal } from '../../components/use-modal.ts'
import { size } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

interface DeleteProps {
  readonly runs: readonly RunRow[]
  /** @param agreed names of what is left without them */
  readonly remove: (agreed: string[]) => void
  readonly close: () => void
}

/** What becomes free, and what would be left without it: that needs a yes of its own. */
export function DeleteRuns({ runs, remove, close }: DeleteProps) {
  const {
    frame,
    runs: { deleting },
  } = useTexts()
  const dialog = useModal(close)
  const id = useId()
  const [isAgreed, setAgreed] = useState(false)
  const names = runs.map(({ name }) => name)
  const deletions = useRemote(() => Promise.all(names.map((name) => client.runDeletion(name))), ['deletion', ...names])
  return (
    <dialog {...dialog} className="confirm" aria-labelledby={id}>
      <h2 id={id} dir="auto">
        {runs.length === 1 ? deleting.one(names[0]) : deleting.several(runs.length)}
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
              <p>{deleting.frees(size(bytes), bytes)}</p>
              {obstacles.map(({ name, obstacle }) => (
                <div key={name} className="notice bad" role="alert">
                  <strong dir="auto">{deleting.notNow(name)}</strong>
                  <span dir="auto">{obstacle}</span>
                </div>
              ))}
              {children.length > 0 && (
                <div className="notice warn">
                  <strong>{deleting.leftWithout(children.length)}</strong>
                  <ul className="children">
                    {children.map(({ name, what, judgments, from }) => (
                      <li key={`${from} ${name}`} dir="auto">
                        {judgments === null
                          ? deleting.child(name, deleting.what[what] ?? what, from)
                          : deleting.judgments(judgments, from)}
                      </li>
                    ))}
                  </ul>
                  <label className="check">
                    <input type="checkbox" checked={isAgreed} onChange={({ target }) => setAgreed(target.checked)} />
                    {deleting.allTheSame}
                  </label>
                </div>
              )}
              <div className="row">
                <button type="button" className="button" autoFocus onClick={close}>
                  {frame.cancel}
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
                  {deleting.delete}
                </button>
              </div>
            </div>
          )
        }}
      </Loaded>
    </dialog>
  )
}
