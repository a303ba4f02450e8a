/** Stable Diffusion checkpoints among the families of models. */
import { existsSync } from 'node:fs'
import { tellNote } from '../../notes.ts'
import type { GenerativeModel } from '../generative-model.ts'
import { imageSizeOf } from '../image-size.ts'
import type { PlacementSettings } from '../placement.ts'
import type { CheckpointOptions } from './checkpoint-fields.ts'

interface CheckpointSettings extends PlacementSettings, CheckpointOptions {
  readonly model: string
  readonly resolution: string | number | null
  readonly vaeTiling: boolean
}

export const family = {
  accepts: 'a folder in diffusers’ layout, a .safetensors file, or owner/name in the Hugging Face cache',
  /** Whatever may be a checkpoint: opening it says what it is instead. */
  claims: (model: string) => model.includes('/') || existsSync(model),
  async open(config: CheckpointSettings): Promise<{ model: GenerativeModel }> {
    const { placementOf } = await import('../placement.ts')
    const { openStableDiffusion } = await import('./open.ts')
    const { model, notes } = openStableDiffusion(config.model, {
      ...placementOf(config),
      imageSize: imageSizeOf(config.resolution),
      tiling: config.vaeTiling,
      checkpoint: config,
    })
    for (const note of notes) tellNote(note)
    return { model }
  },
}
