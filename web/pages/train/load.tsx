/** What a running job takes of the machine: cores, memory, and its GPUs. */
import type { JobDetail } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { Meter } from '../../components/meter.tsx'
import { Sparkline } from '../../components/sparkline.tsx'
import { fixed, percent, size } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

export function Load({ job }: { job: JobDetail }) {
  const texts = useTexts().machine.load
  const { load, recentLoad, devices, run } = job
  const isOnGpu = devices.some((id) => id !== 'cpu')
  if (load === null) return isOnGpu && job.state === 'running' ? <Gpus ids={devices} run={run} /> : null
  const { cores, ofCores, memoryBytes, ofMemoryBytes } = load
  const shownCores = (value: number) => fixed(value, 1)
  return (
    <section className="card stack tight load" aria-label={texts.title}>
      <dl className="meters">
        <Meter
          title={texts.processor}
          of={run}
          share={cores / ofCores}
          text={texts.coresOf(shownCores(cores), ofCores)}
        >
          <Lately
            title={texts.processor}
            values={recentLoad.map((one) => one.cores)}
            top={ofCores}
            shown={shownCores}
          />
        </Meter>
        <Meter
          title={texts.memory}
          of={run}
          share={memoryBytes / ofMemoryBytes}
          text={texts.bytesOf(size(memoryBytes), size(ofMemoryBytes))}
        >
          <Lately title={texts.memory} values={recentLoad.map((one) => one.memoryBytes)} shown={size} />
        </Meter>
      </dl>
      {isOnGpu && <Gpus ids={devices} run={run} />}
    </section>
  )
}

interface LatelyProps {
  readonly title: string
  readonly values: readonly number[]
  /** The most that there is; of what they were without it. */
  readonly top?: number
  readonly shown: (value: number) => string
}

function Lately({ title, values, top, shown }: LatelyProps) {
  const texts = useTexts().machine.load
  if (values.length < 2) return null
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return <Sparkline values={values} top={top ?? 1.1 * high} label={texts.lately(title, shown(low), shown(high))} />
}

/** A job has its GPUs alone, so what they do is what it does. */
function Gpus({ ids, run }: { ids: readonly string[]; run: string }) {
  const texts = useTexts().machine.load
  const { value } = useRemote(() => client.devices(), ['devices'], { everyMs: 2000 })
  const gpus = value?.devices.filter(({ id, isGpu }) => isGpu && ids.includes(id)) ?? []
  const told = gpus.filter(({ busy, memory }) => busy !== null || memory !== null)
  if (told.length === 0) return null
  return (
    <dl className="meters">
      {told.flatMap(({ id, busy, memory }) => [
        busy !== null && <Meter key={id} title={texts.gpu(id)} of={run} share={busy} text={percent(busy)} />,
        memory !== null && (
          <Meter
            key={`${id} memory`}
            title={texts.gpuMemory(id)}
            of={run}
            share={memory.usedBytes / memory.totalBytes}
            text={texts.bytesOf(size(memory.usedBytes), size(memory.totalBytes))}
          />
        ),
      ])}
    </dl>
  )
}
