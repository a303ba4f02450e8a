/** `policy export`: a policy as a file for other programs, with a model card beside it. */
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { optionalText } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import { writeFileAtomic, writing } from '../files.ts'
import { loraScaleField, modelFields, type Open } from '../images/open-model.ts'
import { readLora, writeLora } from '../networks/checkpoint/lora-file.ts'
import type { Adapter } from '../networks/weights.ts'
import { tellNote } from '../notes.ts'
import { isPolicyFile, openChange, policyFileOf, provenanceOf } from '../policy/policy-file.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import { baseModelOf, publicName } from './base-model.ts'
import { cardFacts } from './card-facts.ts'
import { cardMark, modelCard } from './model-card.ts'

export const PolicyExportConfig = z.strictObject({
  policy: z.string().min(1).describe('Run of `policy dpok` or another that trains one, or a LoRA file of either form.'),
  form: z
    .enum(['diffusers', 'kohya', 'attune'])
    .default('kohya')
    .describe(
      'diffusers: lora_A and lora_B by module, as runs write it; kohya: lora_down, lora_up and alpha; attune: the file of the run as it is, also of changed weights.',
    ),
  ...loraScaleField,
  ...modelFields,
  model: optionalText.describe(
    'The model that it was trained on, for a LoRA file from elsewhere; the file of a run says itself what it changes.',
  ),
  out: z
    .string()
    .min(1)
    .endsWith('.safetensors')
    .describe('File to write, *.safetensors; its model card comes beside it as README.md.'),
})
export type PolicyExportConfig = z.infer<typeof PolicyExportConfig>

const cardName = 'README.md'

/**
 * @param options `repository`: where it is to be published, for the card
 * @returns the path that was written; the card lies beside it
 * @throws {ConfigError} a policy without adapters in a form of adapters, or a file that does not say what it changes
 * @throws {FileError | FormatError} no policy, or one of another model
 */
export async function exportPolicy(
  config: PolicyExportConfig,
  open: Open,
  { repository }: { readonly repository?: string } = {},
): Promise<string> {
  const { policy, form, out, loraScale, model } = config
  const file = policyFileOf(policy)
  const isWhole = isPolicyFile(file)
  const provenance = publicProvenance(provenanceOf(file))
  if (form === 'attune') copyAsItIs(file, provenance, config)
  else writeLora(out, await adaptersOf(file, config, open), form, provenance)
  const shown = form === 'attune' && !isWhole ? 'diffusers' : form
  const handed = { file: out, name: basename(out), form: shown, strength: loraScale, repository }
  writeCard(out, modelCard(await cardFacts(policy, handed, model)))
  return out
}

/** Names of model and reward without the places of this machine: the file is handed on. */
function publicProvenance(provenance: Readonly<Record<string, string>>): Record<string, string> {
  const { 'attune.model': model, 'attune.reward': reward } = provenance
  const told = { name: null, sha256: null }
  return {
    ...provenance,
    ...(model !== undefined && { 'attune.model': baseModelOf(model, told, 'unknown').name ?? model }),
    ...(reward !== undefined && { 'attune.reward': publicName(reward) }),
  }
}

/** Byte for byte, unless its header names a place of this machine. @throws {ConfigError} a strength, which only adapters have */
function copyAsItIs(
  file: string,
  provenance: Readonly<Record<string, string>>,
  { loraScale, out }: PolicyExportConfig,
): void {
  if (loraScale !== 1) {
    throw new ConfigError({
      where: '--lora-scale',
      expected: '1 for a file that is handed on as it is',
      received: String(loraScale),
      remedy: 'leave it out, or choose --form diffusers or kohya',
    })
  }
  if (isDeepStrictEqual(provenance, provenanceOf(file))) return writing(out, () => copyFileSync(file, out))
  using _scope = tensorScope()
  const { tensors, metadata } = readSafetensors(file)
  writeSafetensors(out, tensors, { ...metadata, ...provenance })
}

async function adaptersOf(file: string, config: PolicyExportConfig, open: Open): Promise<ReadonlyMap<string, Adapter>> {
  const { model, loraScale } = config
  if (isPolicyFile(file)) {
    throw new ConfigError({
      where: '--policy',
      expected: 'a policy made of low-rank adapters',
      received: `${file}, whose parameters were trained themselves`,
      remedy: 'train with --parameters lora, or hand it on as it is with --form attune',
    })
  }
  if (model !== null) {
    const opened = await open({ ...config, model })
    return openChange(opened.model, file, config).change.adapters!
  }
  const own = ownAdapters(file)
  return new Map([...own].map(([name, one]) => [name, { ...one, scale: one.scale * loraScale }]))
}

const ownKey = /^(.+)\.lora_[AB]\.weight$/

/**
 * Adapters of a file that names the weights which it changes, as those of runs do: no model is needed to read them.
 *
 * @throws {ConfigError} another file, of which only the model says what its names mean
 */
function ownAdapters(file: string): ReadonlyMap<string, Adapter> {
  const { entries, metadata } = readSafetensorsHeader(file)
  const model = metadata['attune.model']
  const keys = [...entries.keys()]
  if (model === undefined || !keys.every((key) => ownKey.test(key))) {
    throw new ConfigError({
      where: '--model',
      expected: `the model that ${file} was trained on${model === undefined ? '' : `, ${model}`}`,
      received: 'none',
      remedy: 'give it: a LoRA file from elsewhere does not say which weights its names stand for',
    })
  }
  const targets = new Map(
    keys.map((key) => {
      const [, layer] = ownKey.exec(key)!
      const [down, up] = ['A', 'B'].map((letter) => entries.get(`${layer}.lora_${letter}.weight`)?.shape ?? [])
      return [`${layer}.weight`, [up[0], ...down.slice(1)]] as const
    }),
  )
  return readLora(file, targets, model).adapters
}

/** Beside the file; a README that somebody else wrote stays, and the card goes under the file's own name. */
function writeCard(out: string, card: string): void {
  const usual = join(dirname(out), cardName)
  const isTaken = existsSync(usual) && !readFileSync(usual, 'utf8').includes(cardMark)
  const place = isTaken ? out.replace(/\.safetensors$/, `.${cardName}`) : usual
  if (isTaken) tellNote(`${usual} is no model card: that of the policy is ${place}`)
  writeFileAtomic(place, card)
}
