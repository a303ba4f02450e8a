/** What jobs compute on: the GPUs that libtorch can use here, and the CPU. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { record } from '../../../scripts/setup/places.mjs'
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
export const gpuId = (number: number) => `cuda:${number}`
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

const script = fileURLToPath(scriptBeside(import.meta.url, './print-gpu-count'))
/** A driver that hangs must not keep the studio from starting. */
const patienceMs = 30_000

/**
 * How many GPUs libtorch can use. A process of its own asks it, since the server does without; an add-on that was built
 * for a CPU needs no asking.
 */
export async function countGpus(): Promise<number> {
  if (!isBuiltForGpus()) return 0
  const env = { ...process.env, ...gpuOrder() }
  try {
    return Number((await promisify(execFile)(process.execPath, [script], { env, timeout: patienceMs })).stdout)
  } catch (error) {
    const [reason] = (error as Error).message.trim().split('\n').slice(-1)
    process.stderr.write(`studio: GPUs are left out, since libtorch does not tell how many there are (${reason})\n`)
    return 0
  }
}

function isBuiltForGpus(): boolean {
  if (!existsSync(record)) return false
  const { cuda } = JSON.parse(readFileSync(record, 'utf8')) as { cuda?: boolean }
  return cuda !== false
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
