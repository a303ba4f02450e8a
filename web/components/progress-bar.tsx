import type { Job } from '../../src/studio/schemas/jobs.ts'
import { figure, plural, timeLeft } from '../format.ts'

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
export function progressText({ state, ahead, follows, devices, wanted, progress, etaSeconds }: Job): string {
  if (state === 'waiting' && follows.length > 0) return `follows ${follows.join(' and ')}`
  if (state === 'waiting' && ahead > 0) {
    const jobs = plural(ahead, 'job')
    if (devices.length === 1) return `waits for ${jobs}`
    const what = wanted < devices.length ? plural(wanted, 'free GPU') : devices.join(' and ')
    return `waits for ${what}, ${jobs} before it`
  }
  if (state === 'waiting') return 'starts at once'
  if (state === 'stopping') return 'stopping'
  if (progress === null) return 'getting ready'
  const left = etaSeconds === null ? '' : `, about ${timeLeft(etaSeconds)} left`
  return `${figure(progress.done)} of ${figure(progress.total)} ${progress.unit}${left}`
}
