import type { Job } from '../../src/studio/schemas/jobs.ts'
import { timeLeft } from '../format.ts'
import { texts } from '../texts/texts.ts'

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
  const { jobs } = texts()
  if (state === 'waiting' && follows.length > 0) return jobs.follows(follows)
  if (state === 'waiting' && ahead > 0) {
    if (devices.length === 1) return jobs.waitsForJobs(ahead)
    return wanted < devices.length ? jobs.waitsForGpus(wanted, ahead) : jobs.waitsForDevices(devices, ahead)
  }
  if (state === 'waiting') return jobs.startsAtOnce
  if (state === 'stopping') return jobs.stopping
  if (progress === null) return jobs.gettingReady
  const { done, total, unit } = progress
  const so = jobs.doneOf(done, total, jobs.units[unit] ?? unit)
  return etaSeconds === null ? so : `${so}, ${jobs.aboutLeft(timeLeft(etaSeconds))}`
}
