/** What jobs compute on: the GPUs that libtorch can use here, and the CPU. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gpusOf as gpusOnMachine, hasNvidia } from '../../../scripts/setup/gpus.mjs'
import { readRecord } from '../../../scripts/setup/places.mjs'
import { ConfigError } from '../../errors.ts'
import { scriptBeside } from '../../script-beside.ts'

export interface Device {
  /** `cuda:0`, `cpu` */
  readonly id: string
  readonly isGpu: boolean
  /** Jobs that have a part of it at once. */
  readonly slots: number
}

export const cpuId = 'cpu'
const gpuId = (number: number) => `cuda:${number}`
/** Jobs of a GPU have it alone: two models in its memory would end each other. */
const gpu = (id: string): Device => ({ id, isGpu: true, slots: 1 })

export const gpusOf = (devices: readonly Device[]): Device[] => devices.filter(({ isGpu }) => isGpu)

/**
 * The devices that a studio uses.
 *
 * @param allowed their names; null: all
 * @param gpus how many there are
 * @throws {ConfigError} one of them is not there
 */
export function devicesOf(allowed: readonly string[] | null, cpuJobs: number, gpus: number): Device[] {
  const found = [...Array.from({ length: gpus }, (_, i) => gpu(gpuId(i))), { id: cpuId, isGpu: false, slots: cpuJobs }]
  const unknown = allowed?.find((id) => !found.some((one) => one.id === id))
  if (unknown === undefined) return found.filter(({ id }) => allowed?.includes(id) ?? true)
  throw new ConfigError({
    where: '--devices',
    expected: `some of ${found.map(({ id }) => id).join(', ')}`,
    received: unknown,
    remedy: 'name devices of this machine; a GPU needs a libtorch with CUDA and its driver',
  })
}

/** The GPUs of the machine, as far as libtorch can use them. */
export interface FoundGpus {
  readonly count: number
  /** Where one is idle: why it is, and what to do, as a sentence without a capital. */
  readonly note: string | null
}

const script = fileURLToPath(scriptBeside(import.meta.url, './print-gpus'))
/** A driver that hangs must not keep the studio from starting. */
const patienceMs = 30_000

/**
 * Finds the GPUs. A process of its own asks libtorch, since the server does without; where the machine shows none, and the
 * add-on was built for none, nothing is asked.
 */
export async function findGpus(): Promise<FoundGpus> {
  const machine = gpusOnMachine({ ask: false })
  if (readRecord()?.cuda !== true && !hasNvidia(machine) && !machine.amd) return { count: 0, note: null }
  const env = { ...process.env, ...gpuOrder() }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env, timeout: patienceMs })
    return JSON.parse(stdout) as FoundGpus
  } catch (error) {
    const [reason] = (error as Error).message.trim().split('\n').slice(-1)
    return { count: 0, note: `computing on the CPU, since libtorch does not tell of its GPUs (${reason})` }
  }
}

/** GPUs have the numbers that nvidia-smi gives them, unless somebody wants them otherwise. */
const gpuOrder = () => ({ CUDA_DEVICE_ORDER: process.env.CUDA_DEVICE_ORDER ?? 'PCI_BUS_ID' })

/** As CUDA_VISIBLE_DEVICES names a GPU of this process: by its number on the machine, or by its identity. */
export function visibleName(id: string, visible = process.env.CUDA_VISIBLE_DEVICES): string {
  const number = Number(id.slice('cuda:'.length))
  return visible === undefined ? String(number) : (visible.split(',')[number]?.trim() ?? String(number))
}

/** By this a process sees these devices and no other GPU; they are `cuda:0`, `cuda:1` there. */
export function deviceEnvironment(ids: readonly string[]): NodeJS.ProcessEnv {
  const visible = ids.filter((id) => id !== cpuId).map((id) => visibleName(id))
  return { ...gpuOrder(), CUDA_VISIBLE_DEVICES: visible.join(',') }
}
