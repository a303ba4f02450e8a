/** What is left of the disk on which the workspace lies. */
import type { Disk } from '../../src/studio/schemas/disk.ts'
import { client } from '../api.ts'
import { size } from '../format.ts'
import { useRemote, type Remote } from '../remote.ts'
import { to } from '../router.ts'
import { useTexts } from '../texts/texts.ts'

const everyMs = 30_000

export const useDisk = (): Remote<Disk> => useRemote(() => client.disk(), ['disk'], { everyMs })

/** A warning; nothing as long as there is enough. */
export function LowDisk() {
  const texts = useTexts().machine.disk
  const { value } = useDisk()
  if (value === undefined || !value.isLow) return null
  return (
    <div className="notice warn" role="status">
      <strong>{texts.low}</strong>
      <span>{texts.lowWhy(size(value.freeBytes))}</span>
      <a className="text-link small" href={to('runs')}>
        {texts.runs}
      </a>
    </div>
  )
}

/** Where runs can be deleted: always how much is left. */
export function DiskRoom() {
  const texts = useTexts().machine.disk
  const { value } = useDisk()
  if (value === undefined) return null
  const left = texts.left(size(value.freeBytes), size(value.totalBytes))
  if (!value.isLow) return <p className="soft small disk-room">{left}</p>
  return (
    <div className="notice warn disk-room" role="status">
      <strong>{texts.low}</strong>
      <span>{left}</span>
    </div>
  )
}
