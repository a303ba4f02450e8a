/** `model inspect`: what a checkpoint is, what it takes, and what Attune can do with it. Reads headers only. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import type { FoundWeights } from './checkpoint/find-weights.ts'
import { kindOfFolder } from './checkpoint/kind-of-folder.ts'
import { resolveCheckpoint } from './checkpoint/resolve-checkpoint.ts'
import { checkImageReward, isImageRewardAt } from './blip/image-reward.ts'
import { textLength } from './blip/config.ts'
import { checkClip } from './clip/clip-encoder.ts'
import { policyStages, stages } from '../stages.ts'
import { adapterLayers } from './generative-model.ts'
import { checkpointFields } from './stable-diffusion/checkpoint-fields.ts'
import { checkCheckpoint, isSingleFile, type CheckedCheckpoint } from './stable-diffusion/checkpoint.ts'
import { isAdapterTarget } from './stable-diffusion/model.ts'

export const InspectConfig = z.strictObject({
  model: z
    .string()
    .min(1)
    .describe(
      'A folder in diffusers’ or transformers’ layout, a single .safetensors file, or owner/name in the Hugging Face cache.',
    ),
  ...checkpointFields,
})
export type InspectConfig = z.infer<typeof InspectConfig>

/**
 * @returns lines of text
 * @throws {FileError | FormatError | ConfigError} what is missing or does not fit, with file and key
 */
export function inspectModel({ model, ...options }: InspectConfig): string {
  if (isImageRewardAt(model)) return describeImageReward(model)
  if (isSingleFile(model)) return describeDiffusion(checkCheckpoint(model, options))
  const folder = resolveCheckpoint(model)
  if (existsSync(join(folder, 'model_index.json'))) return describeDiffusion(checkCheckpoint(model, options))
  const isPart = existsSync(join(folder, '..', 'model_index.json'))
  if (existsSync(join(folder, 'config.json')) && !isPart) return describeClip(folder)
  throw new FormatError({
    where: folder,
    expected: 'model_index.json of a Stable Diffusion pipeline, or config.json of a CLIPModel',
    received: 'neither',
    remedy: 'name the top folder of the checkpoint',
    ...kindOfFolder(folder),
  })
}

function describeDiffusion(checked: CheckedCheckpoint): string {
  const { place, pipeline, unet, vae, towers, noise, imageSize, sampling, notes } = checked
  const { width, height } = imageSize
  const { factor, latentChannels } = vae.config
  const parts = [
    { name: 'unet', found: unet.network.found },
    ...towers.map(({ name, network }) => ({ name, found: network.found })),
    { name: 'vae', found: vae.network.found },
  ]
  const all = parts.reduce((sum, { found }) => sum + elements(found), 0)
  const steps = noise.process.schedule.alphaBar.length
  return lines([
    ['checkpoint', place],
    ['pipeline', `${pipeline}, ${kindOf(checked)}`],
    ...parts.map(({ name, found }) => [name, sizeOf(found)] as const),
    ['images', `${width} × ${height} pixels; latents ${latentChannels} × ${height / factor} × ${width / factor}`],
    ['noise', `${steps} steps, predicts ${noise.process.schedule.predictionType}; saved with ${noise.trainedWith}`],
    [
      'sampling',
      `${sampling.steps} steps, η ${sampling.eta}, guidance ${sampling.guidance} where nothing else is said`,
    ],
    ...notes.map((note) => ['', note] as const),
    ['weights held', `${gigabytes(4 * all)} in fp32, ${gigabytes(2 * all)} in bf16 or fp16`],
    ...adapterLayers.map((layers) => [`adapters: ${layers}`, adaptersOn(unet.network.found, layers)] as const),
    ['Attune can', `draw images, train policies (${methods}), and report on them`],
  ])
}

const exampleRank = 8
const methods = policyStages.map((stage) => stages[stage].title).join(', ')

function adaptersOn({ entries }: FoundWeights, layers: (typeof adapterLayers)[number]): string {
  const shapes = [...entries].flatMap(([key, { shape }]) => (isAdapterTarget(`unet.${key}`, [layers]) ? [shape] : []))
  const size = shapes.reduce((sum, [out, inputs, ...kernel]) => {
    const area = kernel.reduce((product, sideOfKernel) => product * sideOfKernel, 1)
    return sum + exampleRank * (inputs * area + out)
  }, 0)
  return `${shapes.length} layers, ${millions(size)} parameters at rank ${exampleRank}`
}

function kindOf({ towers, unet, noise }: CheckedCheckpoint): string {
  if (towers.length > 1) return 'Stable Diffusion XL'
  if (noise.process.schedule.predictionType === 'v') return 'Stable Diffusion 2 with v-prediction'
  return unet.config.linearProjection ? 'Stable Diffusion 2' : 'Stable Diffusion 1'
}

function describeClip(folder: string): string {
  const { config, network } = checkClip(folder)
  const { text, vision, projection } = config
  return lines([
    ['checkpoint', folder],
    ['network', 'CLIPModel'],
    ['weights', sizeOf(network.found)],
    [
      'images',
      `${vision.imageSize} × ${vision.imageSize} pixels in patches of ${vision.patchSize}, ${vision.layers} layers`,
    ],
    ['texts', `${text.length} tokens, ${text.layers} layers`],
    ['embeddings', `${projection} numbers`],
    [
      'Attune can',
      'learn a reward on it (reward train --encoder), or score by its similarity (--reward: CLIP score, PickScore, HPSv2)',
    ],
  ])
}

function describeImageReward(model: string): string {
  const { config, network } = checkImageReward(model)
  const { text, vision } = config
  return lines([
    ['checkpoint', model],
    ['network', 'ImageReward, a BLIP with a head'],
    ['weights', sizeOf(network.found)],
    [
      'images',
      `${vision.imageSize} × ${vision.imageSize} pixels in patches of ${vision.patchSize}, ${vision.layers} layers`,
    ],
    ['texts', `${textLength} tokens, ${text.layers} layers that look at the image`],
    ['Attune can', 'score images by it (--reward), which compares images of one prompt'],
  ])
}

const elements = ({ entries }: FoundWeights) =>
  [...entries.values()].reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)

function sizeOf(found: FoundWeights): string {
  const dtypes = [...new Set([...found.entries.values()].map(({ dtype }) => dtype))].sort().join(' and ')
  const files = found.files.length === 1 ? '' : ` in ${found.files.length} shards`
  return `${millions(elements(found))} parameters, ${gigabytes(found.bytes)} of ${dtypes}${files}`
}

const millions = (count: number) =>
  count < 1e6 ? `${(count / 1e3).toFixed(1)} k` : `${(count / 1e6).toFixed(count < 1e8 ? 2 : 1)} M`
const gigabytes = (bytes: number) => (bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`)

function lines(rows: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, text]) => `${name.padEnd(width)}${text}`).join('\n')
}
