import { ErrorNotice } from '../../components/notice.tsx'
import { outbox, useOutbox } from '../../outbox.ts'

/** Whether the answers are on the server's disk. */
export function SaveState() {
  const { waiting, ofOthers, status } = useOutbox()
  const isSaved = status === 'saved' || waiting === 0
  const text = isSaved
    ? ofOthers > 0
      ? `Saved; ${ofOthers} of another person wait`
      : 'Saved'
    : status === 'saving'
      ? 'Saving'
      : status === 'offline'
        ? `Offline: ${waiting} waiting`
        : `Signed out: ${waiting} waiting`
  return (
    <span className={`save-state ${isSaved ? 'saved' : status}`} role="status" title={`${waiting} not yet saved`}>
      <span className="dot" aria-hidden="true" />
      {text}
    </span>
  )
}

/** An answer that the server does not take is said aloud, not lost silently. */
export function Refused() {
  const { refused } = useOutbox()
  if (refused === undefined) return null
  return (
    <div className="stack tight">
      <ErrorNotice error={refused} />
      <div>
        <button type="button" className="button small" onClick={() => outbox.forgetRefused()}>
          Understood: this answer is not kept
        </button>
      </div>
    </div>
  )
}
