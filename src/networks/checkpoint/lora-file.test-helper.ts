/** A made-up model of one layer of each kind, and LoRA files for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { ones } from '../../tensor/create.ts'
import { writeSafetensors } from '../../tensor/safetensors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { readLora } from './lora-file.ts'

/** For files; gone after the tests. */
export const folder = mkdtempSync(join(tmpdir(), 'lora-'))
after(() => rmSync(folder, { recursive: true }))

export const layer = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q'
export const out = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0'
export const text = 'text_model.encoder.layers.0.self_attn'
export const targets = new Map<string, readonly number[]>([
  [`unet.${layer}.weight`, [4, 6]],
  [`unet.${layer}.bias`, [4]],
  [`unet.${out}.weight`, [4, 4]],
  ['unet.down_blocks.0.resnets.0.conv1.weight', [4, 6, 3, 3]],
  ['unet.down_blocks.0.attentions.0.proj_in.weight', [4, 6, 1, 1]],
  [`text_encoder.${text}.q_proj.weight`, [4, 6]],
  [`text_encoder.${text}.out_proj.weight`, [4, 6]],
  [`text_encoder_2.${text}.q_proj.weight`, [4, 6]],
  ['text_encoder_2.text_projection.weight', [4, 6]],
  ['text_encoder.text_model.embeddings.token_embedding.weight', [4, 6]],
  ['vae.decoder.conv_in.weight', [4, 6, 3, 3]],
])

/** A file with these tensors, in a folder of its own. */
export function fileOf(
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = {},
  name = 'lora.safetensors',
): string {
  const file = join(mkdtempSync(join(folder, 'f-')), name)
  writeSafetensors(file, new Map(Object.entries(tensors)), metadata)
  return file
}

/** The two factors of a layer, of rank 2, under these keys. */
export function pair(down: string, up: string): Record<string, Tensor> {
  return { [down]: ones([2, 6]).mul(0.5), [up]: ones([4, 2]).mul(0.25) }
}

export const read = (file: string) => readLora(file, targets, 'tiny')
/** The same, of a layer under PEFT's names. */
export const ab = (path: string) => pair(`${path}.lora_A.weight`, `${path}.lora_B.weight`)
