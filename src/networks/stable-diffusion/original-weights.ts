/**
 * Networks in a file of the original names, found under those of diffusers and transformers: where each tensor of a
 * network stands there, and what is to be done to it. The elements stay in the file until they are asked for.
 */
import { FormatError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import type { SafetensorsEntry } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { FoundWeights, TensorSource, WeightEntry } from '../checkpoint/find-weights.ts'
import { originalNames } from '../checkpoint/original-names.ts'
import { Weights } from '../weights.ts'
import type { TextSpelling } from './original-config.ts'

/** The names and shapes that a network asks for. */
export type AskedShapes = ReadonlyMap<string, readonly number[]>

/** @param use runs the network once, on tensors without elements */
export function parametersOf(use: (weights: Weights) => void): AskedShapes {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const weights = Weights.fresh(0, { device: 'meta' })
  use(weights)
  const made = weights.tensors()
  const shapes = new Map([...made].map(([name, { shape }]) => [name, shape]))
  for (const one of made.values()) one.dispose()
  return shapes
}

/** Where one tensor stands, without the network's prefix. */
export type Spell = (name: string) => TensorSource

/** Of a denoiser: `input_blocks.1.1.proj_in.weight`. */
export function denoiserSpelling(parameters: AskedShapes): Spell {
  const pathOf = (name: string) => name.replace(/\.(weight|bias)$/, '')
  const originals = originalNames([...new Set([...parameters.keys()].map(pathOf))])
  return (name) => {
    const path = pathOf(name)
    return { key: (originals.get(path) ?? path) + name.slice(path.length) }
  }
}

/**
 * Of an autoencoder: `decoder.up.3.block.0.conv1.weight`, with the levels of the decoder counted as those of the encoder.
 * Its attention is written as 1 × 1 convolutions.
 */
export function autoencoderSpelling(levels: number): Spell {
  const fromFinest = (i: string) => levels - 1 - Number(i)
  return (name) => ({
    key: name
      .replace(/down_blocks\.(\d+)\.resnets\./, 'down.$1.block.')
      .replace(/down_blocks\.(\d+)\.downsamplers\.0\./, 'down.$1.downsample.')
      .replace(/up_blocks\.(\d+)\.resnets\./, (_, i: string) => `up.${fromFinest(i)}.block.`)
      .replace(/up_blocks\.(\d+)\.upsamplers\.0\./, (_, i: string) => `up.${fromFinest(i)}.upsample.`)
      .replace(/mid_block\.resnets\.(\d)\./, (_, i: string) => `mid.block_${Number(i) + 1}.`)
      .replace('mid_block.attentions.0.', 'mid.attn_1.')
      .replace(/(mid\.attn_1\.)(group_norm|to_q|to_k|to_v|to_out\.0)\./, (_, at: string, own: string) => {
        return `${at}${attentionNames[own]}.`
      })
      .replace('conv_norm_out', 'norm_out')
      .replace('conv_shortcut', 'nin_shortcut'),
  })
}
const attentionNames: Readonly<Record<string, string>> = {
  group_norm: 'norm',
  to_q: 'q',
  to_k: 'k',
  to_v: 'v',
  'to_out.0': 'proj_out',
}

/** Of a text encoder; OpenCLIP's has one matrix for three projections, and its own projection the other way round. */
export function textSpelling(spelling: TextSpelling): Spell {
  return spelling === 'transformers' ? (name) => ({ key: name }) : openClip
}

const openClipOutside: Readonly<Record<string, TensorSource>> = {
  'text_model.embeddings.token_embedding.weight': { key: 'token_embedding.weight' },
  'text_model.embeddings.position_embedding.weight': { key: 'positional_embedding' },
  'text_model.final_layer_norm.weight': { key: 'ln_final.weight' },
  'text_model.final_layer_norm.bias': { key: 'ln_final.bias' },
  'text_projection.weight': { key: 'text_projection', transposed: true },
}
const openClipLayers: Readonly<Record<string, string>> = {
  layer_norm1: 'ln_1',
  layer_norm2: 'ln_2',
  'mlp.fc1': 'mlp.c_fc',
  'mlp.fc2': 'mlp.c_proj',
  'self_attn.out_proj': 'attn.out_proj',
}

function openClip(name: string): TensorSource {
  const [, layer, module, kind] = /^text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? []
  if (layer === undefined) return openClipOutside[name] ?? { key: name }
  const block = `transformer.resblocks.${layer}`
  const third = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'].indexOf(module)
  if (third >= 0) return { key: `${block}.attn.in_proj_${kind}`, third }
  return { key: `${block}.${openClipLayers[module] ?? module}.${kind}` }
}

/** The tensors of one network in a file with others. */
export interface OriginalNetwork {
  readonly file: string
  /** All of the file. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly prefix: string
  readonly spell: Spell
}

/**
 * What a tensor's shape becomes on the way; undefined where the file has none.
 */
export function shapeIn({ entries, prefix, spell }: OriginalNetwork, name: string): readonly number[] | undefined {
  const { key, third, transposed } = spell(name)
  const shape = entries.get(prefix + key)?.shape
  if (shape === undefined) return undefined
  const [rows, ...rest] = shape
  const part = third === undefined ? shape : [rows / 3, ...rest]
  return transposed === true ? part.toReversed() : part
}

/**
 * The network's tensors by the names that it asks for; those that are missing are left to the network to complain of.
 *
 * @param parameters that it asks for
 * @param passedOver what may stand under the prefix besides
 * @throws {FormatError} a tensor under the prefix that the network has no use for
 */
export function originalWeights(network: OriginalNetwork, parameters: AskedShapes, passedOver = /(?!)/): FoundWeights {
  const { file, entries, prefix, spell } = network
  const found = new Map<string, WeightEntry>()
  const used = new Set<string>()
  for (const [name, wanted] of parameters) {
    const source = spell(name)
    const key = prefix + source.key
    const own = shapeIn(network, name)
    if (own === undefined) continue
    used.add(key)
    // A 1 × 1 convolution and a linear layer have the same numbers.
    const shape = wanted.length < own.length && own.slice(wanted.length).every((size) => size === 1) ? wanted : own
    found.set(name, { file, dtype: entries.get(key)!.dtype, shape, from: { ...source, key } })
  }
  const unknown = [...entries.keys()].filter(
    (key) => key.startsWith(prefix) && !used.has(key) && !passedOver.test(key.slice(prefix.length)),
  )
  if (unknown.length > 0) {
    throw new FormatError({
      where: `${file} ${unknown[0]}`,
      expected: 'only tensors of the network that the shapes of this file describe',
      received: unknown.length === 1 ? 'this one' : `this one and ${unknown.length - 1} others`,
      remedy: 'choose a checkpoint of Stable Diffusion 1, 2 or XL',
    })
  }
  const bytes = [...used].reduce((sum, key) => sum + entries.get(key)!.end - entries.get(key)!.begin, 0)
  return { entries: found, files: [file], bytes }
}
