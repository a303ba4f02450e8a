/** What presets by memory are asked for by those who do not reach the networks. See `memory-presets.ts`. */
import type { PolicyStage } from '../stages.ts'

export type PresetStage = PolicyStage | 'images generate'

/** What a stage is to be tried with. */
export interface PresetRequest {
  readonly stage: PresetStage
  /** As its config has it; what presets set is not looked at. */
  readonly config: Readonly<Record<string, unknown>>
  readonly device: 'cpu' | 'cuda'
  /** Bytes of the device, the smallest first. */
  readonly budgets: readonly number[]
  /** Of rewards that name none. */
  readonly encoder: string | null
}

export interface MemoryPreset {
  readonly budget: number
  /** Of the stage's config; null: nothing fits. */
  readonly settings: Readonly<Record<string, number | boolean | string | null>> | null
  /** That it takes with them, the room for kernels among it; of the least that could be set where nothing fits. */
  readonly bytes: number
}

export interface MemoryPresets {
  /** One for each budget; none where nothing is foretold of the stage or the model. */
  readonly presets: readonly MemoryPreset[]
  /** Bytes of what is trained, which checkpoints hold; 0 of a stage that trains nothing. */
  readonly trainedBytes: number
}
