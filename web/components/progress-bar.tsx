import type { Job } from '../../src/studio/schemas/jobs.ts'
import { figure, timeLeft } from '../format.ts'

/** `share` undefined: it goes on, nobody knows how far. */
export function ProgressBar({ share, label }: { share?: number; label: string }) {
  return (
    <span
      className={share === undefined ? 'bar unknown' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(share !== undefined && { 'aria-valuenow': Math.round(100 * share) })}
    >
      <span style={share === undefined ? undefined : { width: `${100 * share}%` }} />
    </span>
  )
}

export const shareOf = ({ progress }: Job): number | undefined =>
  progress === null || progress.total === 0 ? undefined : Math.min(1, progress.done / progress.total)

/** `12 of 40 updates, about 1 min left` */
export function progressText({ state, ahead, follows, progress, etaSeconds }: Job): string {
  if (state === 'waiting' && follows.length > 0) return `follows ${follows.join(' and ')}`
  if (state === 'waiting') return ahead === 0 ? 'starts at once' : `waits for ${ahead} ${ahead === 1 ? 'job' : 'jobs'}`
  if (state === 'stopping') return 'stopping'
  if (progress === null) return 'getting ready'
  const left = etaSeconds === null ? '' : `, about ${timeLeft(etaSeconds)} left`
  return `${figure(progress.done)} of ${figure(progress.total)} ${progress.unit}${left}`
}
