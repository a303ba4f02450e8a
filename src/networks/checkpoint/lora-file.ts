/** LoRA files in the forms of diffusers (with PEFT's names) and of kohya's scripts, to and from adapters by weight name. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { FileError, FormatError } from '../../errors.ts'
import { tensor } from '../../tensor/create.ts'
import {
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  type SafetensorsEntry,
} from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Adapter } from '../weights.ts'
import { kohyaHeader } from './kohya-header.ts'
import { findLoraLayers, type LoraLayer } from './lora-layers.ts'
import { kohyaLayer, splitWeightName, type LoraForm, type LoraNetwork } from './lora-keys.ts'
import { isPickle } from './pickle.ts'
import { parsePeftConfigs, peftConfigKey, scaleOf, writePeftConfigs, type PeftConfig } from './peft-config.ts'

/** What a LoRA file holds. */
export interface LoraFile {
  /** By the full name of the weight that they change, float32 on the CPU; the shapes are those of the weight's kind. */
  readonly adapters: Map<string, Adapter>
  /** The header's text fields. */
  readonly metadata: Readonly<Record<string, string>>
  readonly form: LoraForm
}

/**
 * Reads a LoRA in the form of diffusers (current, with `.lora.down`, and of attention processors), of PEFT itself, or of
 * kohya's scripts (diffusers' or the original names of blocks), or of ComfyUI (`diffusion_model.…`, either names of
 * blocks). All of it has to fit the model: nothing is left out.
 *
 * The scale alpha / rank comes from `lora_adapter_metadata` in the header, for PEFT's own files from `adapter_config.json`
 * beside them; else from `.alpha` keys; else alpha = rank, as diffusers takes it. The tensors belong to the scope in force,
 * or to the caller where there is none.
 *
 * @param targets   shapes by weight name, of the model that it is meant for
 * @param modelName of that model, for messages
 * @throws {FileError} no such file, or a pickled one
 * @throws {FormatError} naming file and key: a layer that the model does not have, shapes that do not fit, half a layer,
 * numbers that are not finite, another kind of adapter (DoRA, LoKr, LoHa, …), a file of PEFT without its
 * configuration, no LoRA at all
 */
export function readLora(file: string, targets: ReadonlyMap<string, readonly number[]>, modelName: string): LoraFile {
  refusePickled(file)
  const { entries, metadata } = readSafetensorsHeader(file)
  const { form, wrapped, layers } = findLoraLayers(file, entries.keys(), targets, modelName, metadata)
  const shapes = new Map(
    layers.map((layer) => [layer, shapesOf(file, layer, targets.get(layer.name)!, entries, modelName)]),
  )
  const configs = peftConfigs(file, metadata, wrapped)

  using scope = tensorScope()
  const { tensors } = readSafetensors(file)
  const read = (key: string) => finite(file, key, tensors.get(key)!.to('float32'))
  const adapters = new Map<string, Adapter>()
  for (const [layer, { down, up }] of shapes) {
    const { network, path } = splitWeightName(layer.name)!
    const config = configs?.get(network)
    const rank = down[0]
    let scale = 1
    if (config !== undefined) scale = scaleOf(`${file} ${layer.down}`, config, path, rank)
    else if (layer.alpha !== undefined) scale = read(layer.alpha).item() / rank
    else if (wrapped) throw withoutScale(file)
    adapters.set(layer.name, {
      down: read(layer.down).reshape(...down),
      up: read(layer.up).reshape(...up),
      scale,
    })
  }
  for (const { down, up } of adapters.values()) {
    scope.keep(down)
    scope.keep(up)
  }
  return { adapters, metadata, form }
}

function refusePickled(file: string): void {
  if (!isPickle(file)) return
  throw new FileError({
    where: file,
    expected: 'a LoRA as .safetensors',
    received: 'a pickle, which runs any code that it holds when it is read',
    remedy: 'take it as .safetensors, or, where you trust it, convert it in Python: save_file(torch.load(file), …)',
  })
}

const floating: ReadonlySet<string> = new Set(['float16', 'bfloat16', 'float32', 'float64'])

/**
 * The shapes in which a layer's two tensors are used. A 1 × 1 convolution and a linear layer have the same numbers, and
 * files of both kinds exist for the same layer.
 */
function shapesOf(
  file: string,
  { name, down, up, alpha }: LoraLayer,
  target: readonly number[],
  entries: ReadonlyMap<string, SafetensorsEntry>,
  modelName: string,
): { readonly down: readonly number[]; readonly up: readonly number[] } {
  const [found, foundUp] = [entries.get(down)!, entries.get(up)!]
  const rank = found.shape[0] ?? 0
  const [outputs, inputs, ...kernel] = target
  const fitting = { down: [rank, inputs, ...kernel], up: [outputs, rank, ...kernel.map(() => 1)] }
  if (rank < 1 || !sameSizes(found.shape, fitting.down) || !sameSizes(foundUp.shape, fitting.up)) {
    throw new FormatError({
      where: `${file} ${down}`,
      expected: `[rank, ${fitting.down.slice(1).join(', ')}] and [${outputs}, rank] for ${name} of ${modelName}`,
      received: `[${found.shape.join(', ')}] and [${foundUp.shape.join(', ')}]`,
      remedy: 'give a LoRA that was trained for this model',
    })
  }
  for (const [key, { dtype }] of [
    [down, found],
    [up, foundUp],
  ] as const) {
    if (floating.has(dtype)) continue
    throw new FormatError({
      where: `${file} ${key}`,
      expected: 'floating-point numbers',
      received: dtype,
      remedy: 'convert the LoRA to float16 or float32 first',
    })
  }
  if (alpha !== undefined && entries.get(alpha)!.shape.some((size) => size !== 1)) {
    throw new FormatError({
      where: `${file} ${alpha}`,
      expected: 'one number',
      received: `shape [${entries.get(alpha)!.shape.join(', ')}]`,
      remedy: 'the file is damaged; fetch it again',
    })
  }
  return fitting
}

/** Equal but for ones at the end. */
function sameSizes(one: readonly number[], other: readonly number[]): boolean {
  const trimmed = (shape: readonly number[]) => shape.join(' ').replace(/( 1)+$/, '')
  return one.length > 1 && trimmed(one) === trimmed(other)
}

/** PEFT's configurations by network; `wrapped`: from PEFT's own file beside, if it is there. */
function peftConfigs(
  file: string,
  metadata: Readonly<Record<string, string>>,
  wrapped: boolean,
): ReadonlyMap<LoraNetwork, PeftConfig> | undefined {
  if (metadata[peftConfigKey] !== undefined) {
    return parsePeftConfigs(`${file} ${peftConfigKey}`, metadata[peftConfigKey])
  }
  const beside = configBeside(file)
  return wrapped && existsSync(beside) ? parsePeftConfigs(beside, readFileSync(beside, 'utf8')) : undefined
}

function configBeside(file: string): string {
  return join(dirname(file), 'adapter_config.json')
}

function withoutScale(file: string): FormatError {
  return new FormatError({
    where: file,
    expected: `${configBeside(file)}, in which PEFT keeps the alpha of such a file`,
    received: 'no such file',
    remedy: 'copy it from where the LoRA comes from',
  })
}

function finite(file: string, key: string, values: Tensor): Tensor {
  const wrong = values.isfinite().logicalNot().sum().item()
  if (wrong === 0) return values
  throw new FormatError({
    where: `${file} ${key}`,
    expected: 'finite numbers',
    received: `${wrong} that are not`,
    remedy: 'the training that made it diverged, or the file is damaged; take an earlier one',
  })
}

/**
 * Writes a LoRA, whole or not at all, float32, with the scale multiplied into `up`:
 *
 * - `diffusers`: `unet.….lora_A.weight` and `.lora_B.weight` with alpha = rank, which `load_lora_weights` reads, ComfyUI
 *   and others. The change is then exactly lora_B · lora_A: what a reader without knowledge of alpha takes it for.
 *   `lora_adapter_metadata` says ranks and alphas too; diffusers before 0.34 does not read it and is right as long as
 *   all layers of a network have one rank.
 * - `kohya`: `lora_unet_….lora_down.weight`, `.lora_up.weight` and `.alpha`. One alpha for the whole file, the largest
 *   rank: of alphas that differ diffusers takes the most frequent one for all attention layers.
 *
 * @param provenance fields of the header that say where the LoRA comes from. Only those that begin with `attune.` are
 * written, so the metadata of a LoRA that was read can be handed on. `attune.predictionType`, `epsilon` or `v`, tells in
 * kohya's form the two models of version 2 apart.
 * @throws {FormatError} an adapter of something that is no layer of a denoiser or a text encoder, or none at all
 * @throws {FileError} the disk is full, or the folder cannot be written
 */
export function writeLora(
  file: string,
  adapters: ReadonlyMap<string, Adapter>,
  form: LoraForm,
  provenance: Readonly<Record<string, string>>,
): void {
  using _scope = tensorScope()
  if (adapters.size === 0) throw notWritable(file, 'no adapter')
  const layers = [...adapters].map(([name, { down, up, scale }]) => {
    const split = splitWeightName(name)
    if (split === undefined) throw notWritable(file, name)
    return { ...split, down: plain(down), up: plain(up), scale, rank: down.shape[0] }
  })
  const own = Object.fromEntries(Object.entries(provenance).filter(([key]) => key.startsWith('attune.')))
  const write = (tensors: ReadonlyMap<string, Tensor>, header: Readonly<Record<string, string>>) =>
    writeSafetensors(file, tensors, { ...header, ...own })
  const tensors = new Map<string, Tensor>()

  if (form === 'diffusers') {
    const ranks = new Map<LoraNetwork, Map<string, number>>()
    for (const { network, path, down, up, scale, rank } of layers) {
      tensors.set(`${network}.${path}.lora_A.weight`, down)
      tensors.set(`${network}.${path}.lora_B.weight`, up.mul(scale))
      ranks.set(network, (ranks.get(network) ?? new Map<string, number>()).set(path, rank))
    }
    return write(tensors, { format: 'pt', [peftConfigKey]: writePeftConfigs(ranks) })
  }

  const textWidth = layers.find(({ path }) => /\.attn2\.to_[kv]$/.test(path))?.down.shape[1]
  const xl = textWidth === 2048 || layers.some(({ network }) => network === 'text_encoder_2')
  const alpha = Math.max(...layers.map(({ rank }) => rank))
  for (const layer of layers) {
    const key = kohyaLayer(layer, xl)
    tensors.set(`${key}.lora_down.weight`, layer.down)
    tensors.set(`${key}.lora_up.weight`, layer.up.mul((layer.scale * layer.rank) / alpha))
    tensors.set(`${key}.alpha`, tensor([alpha], []))
  }
  const rank = layers.every((layer) => layer.rank === alpha) ? alpha : undefined
  const predictionType = provenance['attune.predictionType']
  return write(tensors, kohyaHeader({ title: basename(file, '.safetensors'), rank, alpha, textWidth, predictionType }))
}

function plain(values: Tensor): Tensor {
  return values.detach().to('float32')
}

function notWritable(file: string, received: string): FormatError {
  return new FormatError({
    where: file,
    expected: 'adapters of weights such as unet.….to_q.weight or text_encoder.….q_proj.weight',
    received,
    remedy: 'only LoRA of Stable Diffusion checkpoints can be written in this form',
  })
}
