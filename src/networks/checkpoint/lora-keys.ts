/**
 * How LoRA files name what they change. One weight of a model has many spellings; all of them are made from the names of
 * the model at hand and looked up, so that kohya's underscores, which stand for dots and for themselves, are never
 * guessed.
 */
import { originalNames, originalOutside } from './original-names.ts'

/** `unet.….lora_A.weight` as diffusers and PEFT write it, or `lora_unet_….lora_down.weight` as kohya's scripts do. */
export type LoraForm = 'diffusers' | 'kohya'

/** One key of a file, taken apart. */
export interface LoraKey {
  readonly form: LoraForm
  /** As the file spells it, without the part. */
  readonly layer: string
  readonly part: 'down' | 'up' | 'alpha'
}

const kohyaKey = /^(?<layer>lora_(?:unet|te|te1|te2)_[^.]+)\.(?:lora_(?<part>down|up)\.weight|alpha)$/
// PEFT's, perhaps with the adapter's name; diffusers' since 0.17; ComfyUI's; the attention processors before that, whose layers end in `_lora`.
const diffusersKey =
  /^(?<layer>.+?)(?:\.lora_(?<letter>[AB])(?:\.(?!weight$|bias$)[^.]+)?(?:\.weight)?|(?:\.lora[._]|\.lora_linear_layer\.|_lora\.)(?<part>down|up)\.weight|(?:\.lora|_lora)?\.alpha)$/

/** Takes a key apart; `undefined` if it is none of a plain LoRA. */
export function parseLoraKey(key: string): LoraKey | undefined {
  const kohya = kohyaKey.exec(key)?.groups
  if (kohya !== undefined)
    return { form: 'kohya', layer: kohya.layer, part: (kohya.part ?? 'alpha') as LoraKey['part'] }
  const groups = diffusersKey.exec(key)?.groups
  if (groups === undefined) return undefined
  const byLetter = { A: 'down', B: 'up' } as const
  const part = groups.letter === undefined ? (groups.part ?? 'alpha') : byLetter[groups.letter as 'A' | 'B']
  return { form: 'diffusers', layer: groups.layer, part: part as LoraKey['part'] }
}

/** Networks that a LoRA can change, with kohya's prefixes. */
const kohyaPrefixes = {
  unet: ['lora_unet_'],
  text_encoder: ['lora_te_', 'lora_te1_'],
  text_encoder_2: ['lora_te2_'],
} as const
export type LoraNetwork = keyof typeof kohyaPrefixes

/** `unet` and `conv_in` of `unet.conv_in.weight`; `undefined` for weights of other networks, and for biases. */
export function splitWeightName(name: string): { readonly network: LoraNetwork; readonly path: string } | undefined {
  const [, network, path] = /^(unet|text_encoder|text_encoder_2)\.(.+)\.weight$/.exec(name) ?? []
  return network === undefined ? undefined : { network: network as LoraNetwork, path }
}

/** A text encoder's path without the prefix that some versions of transformers have and others have not. */
export function shortPath(path: string): string {
  return path.replace(/^text_model\./, '')
}

/**
 * The layer of a weight in kohya's form, with diffusers' names of blocks, which all readers know; only for the embedding
 * of sizes in Stable Diffusion XL they know the original name alone.
 * @param xl its two text encoders are told apart by number
 */
export function kohyaLayer({ network, path }: { network: LoraNetwork; path: string }, xl: boolean): string {
  const prefix = network === 'text_encoder' && xl ? 'lora_te1_' : kohyaPrefixes[network][0]
  const spelled = (path.startsWith('add_embedding.') ? originalOutside[path] : undefined) ?? path
  return prefix + spelled.replaceAll('.', '_')
}

/** Names of an adapted layer's weight by every spelling of `LoraKey.layer`. */
export type LayerIndex = ReadonlyMap<string, string>

/**
 * Every spelling of every layer that a LoRA can change: linear layers and convolutions of denoiser and text encoders.
 * @param targets shapes by weight name, of the model
 */
export function indexLayers(targets: ReadonlyMap<string, readonly number[]>): LayerIndex {
  const layers: { name: string; network: LoraNetwork; path: string }[] = []
  for (const [name, { length }] of targets) {
    const split = splitWeightName(name)
    // Tables of embeddings look like the weights of linear layers.
    if (split === undefined || (length !== 2 && length !== 4) || split.path.includes('embeddings.')) continue
    layers.push({ name, ...split })
  }
  const originals = originalNames(layers.filter(({ network }) => network === 'unet').map(({ path }) => path))
  const index = new Map<string, string>()
  for (const { name, network, path } of layers) {
    const paths = network === 'unet' ? unetPaths(path, originals.get(path)) : textPaths(path)
    for (const spelling of paths) {
      index.set(`${network}.${spelling}`, name)
      for (const prefix of kohyaPrefixes[network]) index.set(prefix + spelling.replaceAll('.', '_'), name)
    }
  }
  return index
}

/** Attention processors said `to_out` of what is now the first of two layers. */
function unetPaths(path: string, original: string | undefined): readonly string[] {
  const paths = original === undefined ? [path] : [path, original]
  return path.endsWith('.to_out.0') ? [...paths, path.slice(0, -2)] : paths
}

/** Attention processors called CLIP's projections as the denoiser's. */
function textPaths(path: string): readonly string[] {
  const old = path.replace(/\.(q|k|v|out)_proj$/, '.to_$1')
  return [...new Set([path, old, shortPath(path), shortPath(old)])]
}

/** ComfyUI's names of the networks; what follows is in the original names, or in diffusers'. */
const comfyNetworks: readonly (readonly [pattern: RegExp, network: string])[] = [
  [/^(?:model\.)?diffusion_model\./, 'unet.'],
  [/^(?:text_encoders\.)?clip_[lh]\.transformer\./, 'text_encoder.'],
  [/^(?:text_encoders\.)?clip_g\.transformer\./, 'text_encoder_2.'],
]

/** What several spellings of diffusers' form share: no wrapper of PEFT, no processor, diffusers' names of networks. */
export function plainLayer(layer: string): string {
  const plain = layer.replace(/^base_model\.model\./, '').replace('.processor.', '.')
  const comfy = comfyNetworks.find(([pattern]) => pattern.test(plain))
  return comfy === undefined ? plain : plain.replace(...comfy)
}

/** Whether a layer of diffusers' form says which network it is of. */
export function namesNetwork(plain: string): boolean {
  return /^(unet|text_encoder|text_encoder_2)\./.test(plain)
}

const otherKinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/dora_scale|lora_magnitude_vector/, 'DoRA'],
  [/\.lokr_/, 'LoKr'],
  [/\.hada_/, 'LoHa'],
  [/\.oft_|\.boft_/, 'OFT'],
  [/\.lora_mid\./, 'LoRA with a Tucker core'],
  [/\.lora_embedding_/, 'LoRA of token embeddings'],
  [/^(?:lora|lycoris)_\w+\.[ab]\d\.weight$/, 'GLoRA'],
  [/\.on_input$/, '(IA)³'],
  [/\bvera_(?:A|B|lambda_[bd])\b/, 'VeRA'],
  [/^bundle_emb\.|^clip_[lg]$/, 'LoRA with words learned by textual inversion'],
  [/\.(?:w|b)_norm$/, 'LoRA with trained norms'],
  [/\.lora_\w+(\.\w+)*\.bias$|\.diff(_b)?$/, 'LoRA with trained biases or whole weights'],
]

/** The name of a kind of adapter that this key belongs to, if it is one that is not read. */
export function unsupportedKind(key: string): string | undefined {
  return otherKinds.find(([pattern]) => pattern.test(key))?.[1]
}
