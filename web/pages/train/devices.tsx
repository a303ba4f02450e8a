/** The devices of the machine: what they are, how busy and full they are, whose job has them, and what waits for them. */
import type { Device } from '../../../src/studio/schemas/devices.ts'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { Meter } from '../../components/meter.tsx'
import { Loaded } from '../../components/notice.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { Sentence } from '../../components/sentence.tsx'
import { capital, deviceTitles, percent, size } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'

export function Devices() {
  const texts = useTexts().train.devices
  const { state } = useStudio()
  const jobs = state?.jobs ?? []
  const devices = useRemote(() => client.devices(), ['devices'], {
    everyMs: 2000,
    changes: [jobs.filter(isOpen).map(({ id, state }) => [id, state])],
  })
  return (
    <section className="stack tight">
      <h2>{texts.title}</h2>
      <Loaded remote={devices} heights={[150]}>
        {(value) => (
          <>
            {value.note !== null && (
              <div className="notice warn" role="status">
                <strong>{texts.idle}</strong>
                <span dir="auto">
                  <Sentence text={`${capital(value.note)}.`} />
                </span>
              </div>
            )}
            <ul className="devices">
              {value.devices.map((device) => (
                <li key={device.id} className="card device">
                  <DeviceCard device={device} jobs={jobs} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </section>
  )
}

function DeviceCard({ device, jobs }: { device: Device; jobs: readonly Job[] }) {
  const texts = useTexts().train.devices
  const { id, name, busy, memory, slots } = device
  const title = deviceTitles([id])
  const jobsOf = (ids: readonly string[]) => ids.flatMap((one) => jobs.find((job) => job.id === one) ?? [])
  const [running, waiting] = [jobsOf(device.jobs), jobsOf(device.waiting)]
  return (
    <>
      <div className="row between">
        <h3>{title}</h3>
        <span className={device.jobs.length > 0 ? 'badge running' : 'badge'}>{stateOf(device, texts)}</span>
      </div>
      <p className="soft small device-name" dir="auto">
        {name ?? 'GPU'}
        {slots > 1 && `, ${texts.atOnce(slots)}`}
      </p>
      {busy === null && memory === null ? (
        <p className="soft small">{texts.nothingTells}</p>
      ) : (
        <dl className="meters">
          {busy !== null && <Meter title={texts.busy} of={title} share={busy} text={percent(busy)} />}
          {memory !== null && (
            <Meter
              title={texts.memory}
              of={title}
              share={Math.min(1, memory.usedBytes / memory.totalBytes)}
              text={texts.of(size(memory.usedBytes), size(memory.totalBytes))}
            />
          )}
        </dl>
      )}
      {running.map((job) => (
        <a key={job.id} className="device-job" href={to('train', 'job', job.id)}>
          <span className="row between">
            <strong dir="auto">{job.run}</strong>
            <span className="soft small">{progressText(job)}</span>
          </span>
          <ProgressBar share={shareOf(job)} label={texts.progress(job.run, title)} />
        </a>
      ))}
      {device.playground && (
        <p className="soft small">
          <a href={to('playground')}>{device.id === 'cpu' ? texts.playground : texts.playgroundMakesWay}</a>
        </p>
      )}
      {waiting.length > 0 && (
        <p className="soft small" dir="auto">
          {texts.waiting(waiting.map(({ run }) => run).join(', '))}
        </p>
      )}
    </>
  )
}

function stateOf({ slots, jobs }: Device, texts: Texts['train']['devices']): string {
  if (slots === 0) return texts.takesNone
  if (jobs.length === 0) return texts.free
  return slots === 1 ? texts.hasOne : texts.has(jobs.length, slots)
}
