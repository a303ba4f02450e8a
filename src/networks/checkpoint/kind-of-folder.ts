/** What a folder is that was taken for a checkpoint, and what to name in its place. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const index = 'model_index.json'
const loraFiles = ['pytorch_lora_weights.safetensors', 'adapter_config.json']

/** @returns the two last parts of a complaint; undefined of a folder that is nothing known */
export function kindOfFolder(folder: string): { readonly received: string; readonly remedy: string } | undefined {
  if (loraFiles.some((file) => existsSync(join(folder, file)))) {
    return { received: 'a LoRA', remedy: 'give it as --policy, with its model as --model' }
  }
  const parent = dirname(resolve(folder))
  if (existsSync(join(parent, index))) {
    return { received: 'one part of a checkpoint', remedy: `name the whole: ${parent}` }
  }
  const single = readdirSync(folder).find((name) => /\.safetensors$/i.test(name))
  if (single === undefined) return undefined
  return {
    received: `neither, but ${single}`,
    remedy: `name the file, if it is a whole model: ${join(folder, single)}`,
  }
}
