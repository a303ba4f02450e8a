/** The devices of the machine: what they are, how busy and full they are, whose job has them, and what waits for them. */
import type { Device } from '../../../src/studio/schemas/devices.ts'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { Loaded } from '../../components/notice.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { Sentence } from '../../components/sentence.tsx'
import { capital, deviceTitles, percent, plural, size } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'

export function Devices() {
  const { state } = useStudio()
  const jobs = state?.jobs ?? []
  const devices = useRemote(() => client.devices(), ['devices'], {
    everyMs: 2000,
    changes: [jobs.filter(isOpen).map(({ id, state }) => [id, state])],
  })
  return (
    <section className="stack tight">
      <h2>Devices</h2>
      <Loaded remote={devices} heights={[150]}>
        {(value) => (
          <>
            {value.note !== null && (
              <div className="notice warn" role="status">
                <strong>A GPU is idle</strong>
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
  const { id, name, busy, memory, slots } = device
  const title = deviceTitles([id])
  const jobsOf = (ids: readonly string[]) => ids.flatMap((one) => jobs.find((job) => job.id === one) ?? [])
  const [running, waiting] = [jobsOf(device.jobs), jobsOf(device.waiting)]
  return (
    <>
      <div className="row between">
        <h3>{title}</h3>
        <span className={device.jobs.length > 0 ? 'badge running' : 'badge'}>{stateOf(device)}</span>
      </div>
      <p className="soft small device-name" dir="auto">
        {name ?? 'GPU'}
        {slots > 1 && `, ${plural(slots, 'job')} at once`}
      </p>
      {busy === null && memory === null ? (
        <p className="soft small">Nothing tells how busy it is.</p>
      ) : (
        <dl className="meters">
          {busy !== null && <Meter title="At work" of={title} share={busy} text={percent(busy)} />}
          {memory !== null && (
            <Meter
              title="Memory"
              of={title}
              share={Math.min(1, memory.usedBytes / memory.totalBytes)}
              text={`${size(memory.usedBytes)} of ${size(memory.totalBytes)}`}
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
          <ProgressBar share={shareOf(job)} label={`Progress of ${job.run} on ${title}`} />
        </a>
      ))}
      {device.playground && (
        <p className="soft small">
          The <a href={to('playground')}>playground</a> has its model here
          {device.id !== 'cpu' && ', and makes way for a job'}.
        </p>
      )}
      {waiting.length > 0 && (
        <p className="soft small" dir="auto">
          Waiting: {waiting.map(({ run }) => run).join(', ')}
        </p>
      )}
    </>
  )
}

function stateOf({ slots, jobs }: Device): string {
  if (slots === 0) return 'takes no jobs'
  if (jobs.length === 0) return 'free'
  return slots === 1 ? 'has a job' : `${jobs.length} of ${plural(slots, 'job')}`
}

function Meter({ title, of, share, text }: { title: string; of: string; share: number; text: string }) {
  return (
    <div className="meter">
      <dt className="soft small">{title}</dt>
      <dd>
        <span
          className="bar"
          role="meter"
          aria-label={`${title}, ${of}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)}
          aria-valuetext={text}
        >
          <span style={{ width: `${100 * share}%` }} />
        </span>
        <span className="small number">{text}</span>
      </dd>
    </div>
  )
}
