/** What devices are at this moment: how busy, and how full. Nothing is asked while nobody looks. */
import { execFile } from 'node:child_process'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { cpuId, visibleName } from './devices.ts'

export interface Figures {
  /** `NVIDIA H100 80GB HBM3`; null where nothing tells it. */
  readonly name: string | null
  /** Share of the time in which it worked lately. */
  readonly busy: number | null
  /** Of all programs of the machine. */
  readonly memory: { readonly usedBytes: number; readonly totalBytes: number } | null
}

interface Gpu extends Figures {
  /** On the machine. */
  readonly index: string
  /** `GPU-8f6d…`, by which CUDA_VISIBLE_DEVICES may name it. */
  readonly uuid: string
}

const unknown: Figures = { name: null, busy: null, memory: null }
/** Answers of nvidia-smi are kept for as long: several pages may look at once. */
const keptMs = 1000
const patienceMs = 5000
const fields = ['index', 'uuid', 'name', 'utilization.gpu', 'memory.used', 'memory.total']

export class DeviceFigures {
  #gpus: { readonly at: number; readonly list: Promise<readonly Gpu[]> } | undefined
  #times = timesOfCores()
  #busy: number | null = null

  /** Of a device of this machine; what nobody tells is null. */
  async of(id: string): Promise<Figures> {
    if (id === cpuId) return { name: cpuName(), busy: this.#busyCores(), memory: memoryOfMachine() }
    if (this.#gpus === undefined || Date.now() - this.#gpus.at > keptMs) {
      this.#gpus = { at: Date.now(), list: askForGpus() }
    }
    const name = visibleName(id)
    return (await this.#gpus.list).find(({ index, uuid }) => index === name || uuid.startsWith(name)) ?? unknown
  }

  /** Since it was asked last, where that is long enough ago to tell anything. */
  #busyCores(): number | null {
    const now = timesOfCores()
    const all = now.all - this.#times.all
    if (all < keptMs * 0.4 * cpus().length) return this.#busy
    this.#busy = Math.min(1, Math.max(0, 1 - (now.idle - this.#times.idle) / all))
    this.#times = now
    return this.#busy
  }
}

/** Milliseconds of all cores since the machine was started. */
function timesOfCores(): { readonly all: number; readonly idle: number } {
  const times = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    all: user + nice + sys + idle + irq,
    idle,
  }))
  return times.reduce((sum, core) => ({ all: sum.all + core.all, idle: sum.idle + core.idle }), { all: 0, idle: 0 })
}

function cpuName(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? ''
  const cores = `${availableParallelism()} ${availableParallelism() === 1 ? 'core' : 'cores'}`
  return model === '' || model === 'unknown' ? cores : `${model}, ${cores}`
}

/** A container may have less than the machine. */
function memoryOfMachine(): Figures['memory'] {
  const limit = process.constrainedMemory()
  const isLimited = limit > 0 && limit < totalmem()
  const totalBytes = isLimited ? limit : totalmem()
  return { usedBytes: Math.max(0, totalBytes - (isLimited ? process.availableMemory() : freemem())), totalBytes }
}

async function askForGpus(): Promise<readonly Gpu[]> {
  try {
    const words = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']
    return gpusOf((await promisify(execFile)('nvidia-smi', words, { timeout: patienceMs })).stdout)
  } catch {
    return []
  }
}

/** What nvidia-smi prints: a line a GPU, memory in MiB, and words in brackets where it cannot tell a figure. */
export function gpusOf(text: string): Gpu[] {
  return text.split('\n').flatMap((line): Gpu[] => {
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length !== fields.length) return []
    const [index, uuid, name, busy, used, total] = cells
    const [usedBytes, totalBytes] = [used, total].map((cell) => Number.parseFloat(cell) * 2 ** 20)
    const isKnown = Number.isFinite(usedBytes) && Number.isFinite(totalBytes)
    const share = Number.parseFloat(busy) / 100
    return [
      {
        index,
        uuid,
        name,
        busy: Number.isFinite(share) ? Math.min(1, share) : null,
        memory: isKnown ? { usedBytes, totalBytes } : null,
      },
    ]
  })
}
