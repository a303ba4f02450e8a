import { ErrorNotice } from '../../components/notice.tsx'
import { outbox, useOutbox } from '../../outbox.ts'
import { useTexts } from '../../texts/texts.ts'

/** Whether the answers are on the server's disk. */
export function SaveState() {
  const { saved } = useTexts().label
  const { waiting, ofOthers, status } = useOutbox()
  const isSaved = status === 'saved' || waiting === 0
  const text = isSaved
    ? ofOthers > 0
      ? saved.ofOthers(ofOthers)
      : saved.saved
    : status === 'saving'
      ? saved.saving
      : status === 'offline'
        ? saved.offline(waiting)
        : saved.signedOut(waiting)
  return (
    <span className={`save-state ${isSaved ? 'saved' : status}`} role="status" title={saved.notYet(waiting)}>
      <span className="dot" aria-hidden="true" />
      {text}
    </span>
  )
}

/** An answer that the server does not take is said aloud, not lost silently. */
export function Refused() {
  const { saved } = useTexts().label
  const { refused } = useOutbox()
  if (refused === undefined) return null
  return (
    <div className="stack tight">
      <ErrorNotice error={refused} />
      <div>
        <button type="button" className="button small" onClick={() => outbox.forgetRefused()}>
          {saved.notKept}
        </button>
      </div>
    </div>
  )
}
