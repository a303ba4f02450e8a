/** With which settings a stage fits into so much memory, worked out in the background and remembered. */
import { setTimeout as wait } from 'node:timers/promises'
import { hostMemory } from '../../host-memory.ts'
import type { MemoryPresets, PresetRequest, PresetStage } from '../../policy/preset-request.ts'
import { takesMemory } from '../../setting-groups.ts'
import { isPolicyStage, type FormStage } from '../../stages.ts'
import type { DeviceFigures } from '../devices/device-figures.ts'
import { gpusOf, type Device } from '../devices/devices.ts'
import { doModelTask } from '../models/model-tasks.ts'
import type { Presets, SettingValue } from '../schemas/jobs.ts'
import type { Workspace } from '../workspace.ts'

/** GB of 10⁹ bytes, as graphics cards have them. */
const usualBudgets = [8e9, 24e9, 80e9]
/** An answer that comes within this is waited for. */
const patienceMs = 1500
/** Answers are small: of so many different settings of a day. */
const mostKept = 200
interface Kept {
  done?: MemoryPresets
  error?: unknown
  readonly work: Promise<unknown>
}

export const hasPresets = (stage: FormStage): stage is PresetStage & FormStage =>
  isPolicyStage(stage) || stage === 'images generate'

interface PresetContext {
  readonly workspace: Workspace
  readonly figures: DeviceFigures
  readonly devices: readonly Device[]
  readonly encoder: string | null
}

export class PresetShelf {
  readonly #kept = new Map<string, Kept>()

  /**
   * @param config of the stage, as `configOf` makes it
   * @throws {AttuneError} the checkpoint cannot be read
   */
  async of(
    stage: PresetStage,
    settings: Readonly<Record<string, SettingValue>>,
    config: Readonly<Record<string, unknown>>,
    { workspace, figures, devices, encoder }: PresetContext,
  ): Promise<Presets> {
    const gpu = gpusOf(devices).at(0)
    const isOnCpu = gpu === undefined || [settings.device].flat().includes('cpu')
    const here = isOnCpu ? hostMemory().total : (await figures.of(gpu.id)).memory?.totalBytes
    const budgets = [...new Set([...usualBudgets, ...(here === undefined ? [] : [here])])].sort((a, b) => a - b)
    const request: PresetRequest = { stage, config, device: isOnCpu ? 'cpu' : 'cuda', budgets, encoder }
    const kept = this.#begin(keyOf(request), workspace, request)
    await Promise.race([kept.work, wait(patienceMs, undefined, { ref: false })])
    if (kept.error !== undefined) throw kept.error
    if (kept.done === undefined) return { isReady: false, presets: [], trainedBytes: null }
    const { presets, trainedBytes } = kept.done
    return {
      ...{ isReady: true, trainedBytes },
      presets: presets.map(({ budget, settings: filled, bytes }) => ({
        ...{ memory: budget, isHere: budget === here, settings: filled, takes: bytes },
      })),
    }
  }

  #begin(key: string, { folder }: Workspace, request: PresetRequest): Kept {
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const task = doModelTask<MemoryPresets>('presets', { kind: 'presets', folder, request })
    const kept: Kept = {
      work: task.then(
        (done) => (kept.done = done),
        (error: unknown) => {
          kept.error = error
          // What was wrong may be mended.
          this.#kept.delete(key)
        },
      ),
    }
    this.#kept.set(key, kept)
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!)
    return kept
  }
}

/** Settings that change nothing of it do not have it worked out anew. */
function keyOf({ config, ...request }: PresetRequest): string {
  const weighty = Object.entries(config).filter(([field]) => field !== 'out' && takesMemory(field))
  return JSON.stringify([request, weighty])
}
