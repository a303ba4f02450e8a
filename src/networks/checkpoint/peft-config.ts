/**
 * The part of PEFT's LoraConfig that says how strong a layer's change is: scale = alpha / rank. diffusers keeps one for
 * each network in the header of a LoRA file (`lora_adapter_metadata`), PEFT one in `adapter_config.json` beside it.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { otherFileKind } from '../../file-kind.ts'
import { jsonComplaint, parsePythonJson } from './python-json.ts'
import { shortPath, type LoraNetwork } from './lora-keys.ts'

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
export type PeftConfig = z.infer<typeof configSchema>

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
    json = parsePythonJson(text)
  } catch (cause) {
    throw broken('JSON', otherFileKind(Buffer.from(text))?.received ?? jsonComplaint(cause))
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw broken('a JSON object', 'another value')
  const fields = new Map<LoraNetwork, Record<string, unknown>>()
  for (const [name, value] of Object.entries(json)) {
    const [, network = 'unet', field] = /^(?:(unet|text_encoder|text_encoder_2)\.)?(.*)$/s.exec(name)!
    fields.set(network as LoraNetwork, { ...fields.get(network as LoraNetwork), [field]: value })
  }
  const configs = new Map<LoraNetwork, PeftConfig>()
  for (const [network, own] of fields) {
    const parsed = configSchema.safeParse(own)
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]
      throw broken("the fields of PEFT's LoraConfig", `${network}.${path.join('.')}: ${message}`)
    }
    if (parsed.data.use_dora) {
      throw new FormatError({ where, expected: 'plain LoRA', received: 'DoRA', remedy: 'use a LoRA without DoRA' })
    }
    configs.set(network, parsed.data)
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
  const stated = patternOf(where, config.rank_pattern, path) ?? config.r
  if (stated !== rank) {
    throw new FormatError({
      where,
      expected: `rank ${stated}, as its configuration says`,
      received: `${rank}`,
      remedy: 'the file contradicts itself; export the LoRA again',
    })
  }
  const alpha = patternOf(where, config.alpha_pattern, path) ?? config.lora_alpha
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank)
}

/** The first pattern, a regular expression, that matches a path or the end of one from a dot on. */
function patternOf(
  where: string,
  patterns: Readonly<Record<string, number>> | null | undefined,
  path: string,
): number | undefined {
  for (const [pattern, value] of Object.entries(patterns ?? {})) {
    let expression: RegExp
    try {
      expression = new RegExp(`^(?:.*\\.)?(?:${pattern})$`)
    } catch {
      throw new FormatError({
        where,
        expected: `regular expressions in the patterns of ${peftConfigKey}`,
        received: JSON.stringify(pattern),
        remedy: 'export the LoRA again',
      })
    }
    if (expression.test(path) || expression.test(shortPath(path))) return value
  }
  return undefined
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
