/** What was said of an image in words, and a field for more. */
import { useId, useState, type KeyboardEvent } from 'react'
import { longestComment } from '../../src/records.ts'
import { client } from '../api.ts'
import { ago } from '../format.ts'
import { newId } from '../new-id.ts'
import { useAction, useRemote } from '../remote.ts'
import { useTexts } from '../texts/texts.ts'
import { ErrorNotice } from './notice.tsx'

type From = 'me' | 'all'

/**
 * @param image its id; undefined: there is none, or nobody comments
 * @param from  `all`: those of everybody, which admins alone are told
 */
export const useComments = (image: string | undefined, from: From) =>
  useRemote(
    () => (image === undefined ? Promise.resolve({ comments: [] }) : client.comments({ image, from })),
    ['comments', image ?? null, from],
  )

interface CommentsProps {
  readonly image: string
  readonly from: From
  readonly remote: ReturnType<typeof useComments>
}

export function Comments({ image, from, remote }: CommentsProps) {
  const { pictures } = useTexts()
  const field = useId()
  const [text, setText] = useState('')
  const [removed, setRemoved] = useState<readonly { readonly id: string; readonly text: string }[]>([])
  const add = useAction(async () => {
    await client.comment({ id: newId(), image, text })
    setText('')
    await remote.reload()
  })
  const change = useAction(async (one: { readonly id: string; readonly text: string }, isRemoved: boolean) => {
    await client.changeComment(one.id, { removed: isRemoved })
    setRemoved((now) => (isRemoved ? [...now, one] : now.filter(({ id }) => id !== one.id)))
    await remote.reload()
  })
  const said = remote.value?.comments ?? []
  const isEmpty = text.trim() === ''
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || isEmpty) return
    event.preventDefault()
    void add.run()
  }
  return (
    <section className="stack tight comments" aria-label={pictures.comments}>
      <ul className="comment-list">
        {said.map((one) => (
          <li key={one.id + one.rater}>
            <span className="comment-text" dir="auto">
              {one.text}
            </span>
            <span className="soft small">
              {from === 'all' && <span dir="auto">{one.rater}, </span>}
              <time dateTime={one.at}>{ago(one.at)}</time>
            </span>
            {one.own && (
              <button
                type="button"
                className="button small quiet"
                disabled={change.isBusy}
                onClick={() => void change.run(one, true)}
              >
                {pictures.takeBack}
              </button>
            )}
          </li>
        ))}
        {removed.map((one) => (
          <li key={`removed ${one.id}`} className="soft">
            <del className="comment-text" dir="auto">
              {one.text}
            </del>
            <button type="button" className="button small quiet" onClick={() => void change.run(one, false)}>
              {pictures.undo}
            </button>
          </li>
        ))}
      </ul>
      <label htmlFor={field} className="small">
        {pictures.comment}
      </label>
      <textarea
        id={field}
        rows={2}
        maxLength={longestComment}
        dir="auto"
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={onKey}
      />
      <div className="row">
        <button type="button" className="button small" disabled={isEmpty || add.isBusy} onClick={() => void add.run()}>
          {pictures.addComment}
        </button>
      </div>
      <ErrorNotice error={add.error ?? change.error} />
    </section>
  )
}
