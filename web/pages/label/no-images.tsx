/** Before the first round: an admin lets the model draw from here, and sees how far it is. */
import { client } from '../../api.ts'
import { Empty, ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { useAction } from '../../remote.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

export function NoImages({ isAdmin, lookAgain }: { isAdmin: boolean; lookAgain: () => void }) {
  const { frame, label } = useTexts()
  const { state, reload } = useStudio()
  const { run, isBusy, error } = useAction(async () => {
    await client.drawRound()
    await reload()
  })
  const job = state?.jobs.find((one) => one.stage === 'images generate' && isOpen(one))
  if (job !== undefined) {
    return (
      <Empty
        icon="image"
        title={label.drawing}
        action={
          <div className="empty-progress">
            <ProgressBar share={shareOf(job)} label={frame.progressOf(job.run)} />
            <span className="soft small">{progressText(job)}</span>
          </div>
        }
      >
        {label.drawingThen}
      </Empty>
    )
  }
  if (!isAdmin) {
    return (
      <Empty
        icon="image"
        title={label.noImages}
        action={
          <button type="button" className="button" onClick={lookAgain}>
            {label.lookAgain}
          </button>
        }
      >
        {label.adminDraws}
      </Empty>
    )
  }
  return (
    <Empty
      icon="image"
      title={label.noImages}
      action={
        <>
          <button type="button" className="button primary" disabled={isBusy} onClick={() => void run()}>
            {isBusy ? label.oneMoment : label.drawFirst}
          </button>
          <ErrorNotice error={error} />
        </>
      }
    >
      {label.mustDraw}
    </Empty>
  )
}
