/** What a form asks of the machine: the devices of a job, and the processes that share it. */
import { availableParallelism } from 'node:os'
import { ConfigError } from '../../errors.ts'
import { groupOf } from '../../setting-groups.ts'
import { cpuId, gpusOf, type Device } from '../devices/devices.ts'
import type { FormField, SettingValue } from '../schemas/jobs.ts'
import type { JobRecord } from './job-record.ts'

const [devicesField, workersField] = ['device', 'workers']
export const deviceFieldNames: readonly string[] = [devicesField, workersField]
type Settings = Readonly<Record<string, SettingValue>>

/** Settings of a job that its stage is not told: the studio starts its processes where they ask for. */
export const isDeviceField = (field: string): boolean => deviceFieldNames.includes(field)

export interface DeviceContext {
  readonly devices: readonly Device[]
  /** The embedded model computes on the CPU. */
  readonly isEmbedded: boolean
}

/** Devices that a job of the model can have. */
export const usableDevices = ({ devices, isEmbedded }: DeviceContext): readonly Device[] =>
  isEmbedded ? devices.filter(({ isGpu }) => !isGpu) : devices

/** @param isShared whether the work of the stage can be shared by several processes */
export function deviceFields(isShared: boolean, context: DeviceContext): FormField[] {
  const usable = usableDevices(context)
  const gpus = gpusOf(usable).length
  const hasSeveral = isShared && gpus > 1
  const automatic =
    gpus > 1 ? 'automatic is the first GPU that is free' : gpus === 1 ? 'automatic is the GPU' : 'automatic is the CPU'
  const device: FormField = {
    field: devicesField,
    label: hasSeveral ? 'Devices' : 'Device',
    group: groupOf(devicesField, true),
    type: hasSeveral ? 'choices' : 'choice',
    sentence: `Where to compute: ${automatic}.${hasSeveral ? ' Several GPUs share the work, one process each.' : ''}`,
    expected: `one of ${usable.map(({ id }) => id).join(', ')}${hasSeveral ? ', several GPUs' : ''}, or nothing`,
    default: null,
    optional: true,
    min: null,
    max: null,
    choices: usable.map(({ id }) => ({ value: id, label: id === cpuId ? 'CPU' : id })),
  }
  if (!isShared) return [device]
  const most = gpus > 0 ? Math.max(gpus, availableParallelism()) : availableParallelism()
  return [
    device,
    {
      field: workersField,
      label: 'Workers',
      group: groupOf(workersField, true),
      type: 'integer',
      sentence: 'Processes that share the work, each on a GPU of its own, or on the CPU with its part of the cores.',
      expected: `a whole number from 1 to ${most}, or nothing`,
      default: null,
      optional: true,
      min: 1,
      max: most,
      choices: [],
    },
  ]
}

/**
 * What checked settings ask for.
 *
 * @throws {ConfigError} devices and processes that do not go together
 */
export function requestOf(
  settings: Settings,
  { devices, isEmbedded }: DeviceContext,
): Pick<JobRecord, 'devices' | 'workers'> {
  const given = settings[devicesField] ?? null
  const named = given === null ? null : Array.isArray(given) ? given.map(String) : [String(given)]
  const onCpu = named === null ? isEmbedded || gpusOf(devices).length === 0 : named.includes(cpuId)
  const workers = settings[workersField] ?? null
  if (named !== null && onCpu && named.length > 1) {
    throw mismatch(
      'the CPU, or GPUs',
      named.join(', '),
      'choose one or the other: processes share a run on equal terms',
    )
  }
  if (!onCpu) {
    const count = named?.length ?? gpusOf(devices).length
    if (workers !== null && (named === null ? Number(workers) > count : Number(workers) !== count)) {
      const expected = named === null ? `at most ${count}, one a GPU` : `${count}, one for each device that was chosen`
      throw mismatch(expected, `${Number(workers)}`, 'change one of the two, or leave the number out', 'Workers')
    }
  }
  return { devices: isEmbedded ? [cpuId] : named, workers: Number(workers ?? (onCpu ? 1 : (named?.length ?? 1))) }
}

const mismatch = (expected: string, received: string, remedy: string, where = 'Devices') =>
  new ConfigError({ where, expected, received, remedy })

/** What its stage is told: a GPU that was asked for by name is not to be replaced by the CPU in silence. */
export function deviceConfig(settings: Settings): { readonly device?: 'cpu' | 'cuda' } {
  const given = settings[devicesField] ?? null
  const [first] = Array.isArray(given) ? given : [given]
  return first === null ? {} : { device: first === cpuId ? 'cpu' : 'cuda' }
}
