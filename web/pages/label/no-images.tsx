/** Before the first round: an admin lets the model draw from here, and sees how far it is. */
import { client } from '../../api.ts'
import { Empty, ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { useAction } from '../../remote.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'

export function NoImages({ isAdmin, lookAgain }: { isAdmin: boolean; lookAgain: () => void }) {
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
        title="The model is drawing"
        action={
          <div className="empty-progress">
            <ProgressBar share={shareOf(job)} label={`Progress of ${job.run}`} />
            <span className="soft small">{progressText(job)}</span>
          </div>
        }
      >
        The questions begin here by themselves as soon as there are images.
      </Empty>
    )
  }
  if (!isAdmin) {
    return (
      <Empty
        icon="image"
        title="There are no images yet"
        action={
          <button type="button" className="button" onClick={lookAgain}>
            Look again
          </button>
        }
      >
        An admin lets the model draw some first.
      </Empty>
    )
  }
  return (
    <Empty
      icon="image"
      title="There are no images yet"
      action={
        <>
          <button type="button" className="button primary" disabled={isBusy} onClick={() => void run()}>
            {isBusy ? 'One moment …' : 'Draw the first images'}
          </button>
          <ErrorNotice error={error} />
        </>
      }
    >
      The model has to draw some before they can be judged.
    </Empty>
  )
}
