/**
 * The part of PEFT's LoraConfig that says how strong a layer's change is: scale = alpha / rank. diffusers keeps one for
 * each network in the header of a LoRA file (`lora_adapter_metadata`), PEFT one in `adapter_config.json` beside it.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { otherFileKind } from '../../file-kind.ts'
import { layerPattern } from './layer-pattern.ts'
import { shortPath, type LoraNetwork } from './lora-keys.ts'
import { jsonComplaint, mostConfigCharacters, parsePythonJson } from './python-json.ts'

/** Field of a LoRA file's header. */
export const peftConfigKey = 'lora_adapter_metadata'

// Defaults are PEFT's.
const configSchema = z.object({
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  rank_pattern: z.record(z.string(), z.number()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
})

/** Values of layers by patterns, of which the first that matches counts. */
type ByLayer = (path: string) => number | undefined

export interface PeftConfig {
  readonly rank: number
  readonly alpha: number
  readonly rankOf: ByLayer
  readonly alphaOf: ByLayer
  /** rsLoRA: alpha counts against √rank. */
  readonly isRootScaled: boolean
}

/**
 * Configurations by network. Fields without a network's name in front (`r` instead of `unet.r`) are the denoiser's.
 * @param where file and field, for messages
 * @throws {FormatError}
 */
export function parsePeftConfigs(where: string, text: string): ReadonlyMap<LoraNetwork, PeftConfig> {
  const broken = (expected: string, received: string) =>
    new FormatError({
      where,
      expected,
      received,
      remedy: 'export the LoRA again, or remove this entry if alpha = rank',
    })
  let json: unknown
  try {
    json = parsePythonJson(text, mostConfigCharacters)
  } catch (cause) {
    throw broken('JSON', otherFileKind(Buffer.from(text))?.received ?? jsonComplaint(cause))
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw broken('a JSON object', 'another value')
  const fields = new Map<LoraNetwork, [field: string, value: unknown][]>()
  for (const [name, value] of Object.entries(json)) {
    const [, network = 'unet', field] = /^(?:(unet|text_encoder|text_encoder_2)\.)?(.*)$/s.exec(name)!
    const own = fields.get(network as LoraNetwork) ?? []
    own.push([field, value])
    fields.set(network as LoraNetwork, own)
  }
  const configs = new Map<LoraNetwork, PeftConfig>()
  for (const [network, own] of fields) {
    const parsed = configSchema.safeParse(Object.fromEntries(own))
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]
      throw broken("the fields of PEFT's LoraConfig", `${network}.${path.join('.')}: ${message}`)
    }
    if (parsed.data.use_dora) {
      throw new FormatError({ where, expected: 'plain LoRA', received: 'DoRA', remedy: 'use a LoRA without DoRA' })
    }
    const { r, lora_alpha, rank_pattern, alpha_pattern, use_rslora } = parsed.data
    configs.set(network, {
      rank: r,
      alpha: lora_alpha,
      rankOf: byLayer(where, rank_pattern ?? {}),
      alphaOf: byLayer(where, alpha_pattern ?? {}),
      isRootScaled: use_rslora,
    })
  }
  return configs
}

/**
 * The scale of one layer: alpha / rank, or alpha / √rank if the configuration says so (rsLoRA).
 * @param path of the layer in its network
 * @param rank of its tensors
 * @throws {FormatError} the configuration gives this layer another rank
 */
export function scaleOf(where: string, config: PeftConfig, path: string, rank: number): number {
  const stated = config.rankOf(path) ?? config.rank
  if (stated !== rank) {
    throw new FormatError({
      where,
      expected: `rank ${stated}, as its configuration says`,
      received: `${rank}`,
      remedy: 'the file contradicts itself; export the LoRA again',
    })
  }
  const alpha = config.alphaOf(path) ?? config.alpha
  return alpha / (config.isRootScaled ? Math.sqrt(rank) : rank)
}

/** In all patterns of a network; each may be run on each of its layers. */
const mostStates = 5000

/** A pattern, a regular expression, matches a path or the end of one from a dot on; paths count with their prefix and without. */
function byLayer(where: string, patterns: Readonly<Record<string, number>>): ByLayer {
  const entries = Object.entries(patterns)
  const plain = entries.flatMap(([name, value], order) => (isPlain(name) ? [{ name, value, order }] : []))
  const others = entries.flatMap(([source, value], order) =>
    isPlain(source) ? [] : [{ pattern: layerPattern(source, where), value, order }],
  )
  const states = others.reduce((sum, { pattern }) => sum + pattern.states, 0)
  if (states > mostStates) {
    throw new FormatError({
      where,
      expected: `regular expressions of ${mostStates} states in all`,
      received: `${states}`,
      remedy: 'state the names of the layers instead',
    })
  }
  return (path) => {
    const paths = [...new Set([path, shortPath(path)])]
    const found = [
      plain.find(({ name }) => paths.some((one) => endsAs(one, name))),
      others.find(({ pattern }) => paths.some((one) => pattern.matches(one))),
    ].filter((one) => one !== undefined)
    return found.sort((a, b) => a.order - b.order).at(0)?.value
  }
}

/** A name, whose dots stand for any character all the same. */
const isPlain = (pattern: string) => /^[\w.]*$/.test(pattern)

function endsAs(path: string, name: string): boolean {
  const from = path.length - name.length
  if (from < 0 || (from > 0 && path[from - 1] !== '.')) return false
  for (let i = name.length - 1; i >= 0; i--) if (name[i] !== '.' && name[i] !== path[from + i]) return false
  return true
}

/**
 * `lora_adapter_metadata` for layers with alpha = rank. Ranks that are not the most frequent one of their network stand in
 * both patterns. Paths of text encoders are short: whatever stands before them, they match as endings.
 */
export function writePeftConfigs(ranks: ReadonlyMap<LoraNetwork, ReadonlyMap<string, number>>): string {
  const fields: [string, unknown][] = []
  for (const [network, own] of ranks) {
    const byPath = new Map([...own].map(([path, rank]) => [shortPath(path), rank]))
    const r = mostFrequent([...byPath.values()])
    const others = Object.fromEntries([...byPath].filter(([, rank]) => rank !== r))
    const config = { alpha_pattern: others, lora_alpha: r, r, rank_pattern: others, target_modules: [...byPath.keys()] }
    for (const [field, value] of Object.entries(config)) fields.push([`${network}.${field}`, value])
  }
  return JSON.stringify(Object.fromEntries(fields), null, 2)
}

function mostFrequent(numbers: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const one of numbers) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}
