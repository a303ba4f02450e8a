/**
 * The file of a policy: adapters as a LoRA file that diffusers reads, anything else as the changed parameters by their
 * names.
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../errors.ts'
import { readLora, writeLora } from '../networks/checkpoint/lora-file.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { readRun } from '../run.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../tensor/safetensors.ts'
import type { Start, TrainableDelta } from './trainable.ts'

/** Adapters, under diffusers' name. */
export const loraFileName = 'pytorch_lora_weights.safetensors'
/** Changed parameters. */
export const policyFileName = 'policy.safetensors'
const policyFormat = 'attune-policy-1'

/** Where a policy comes from; the keys of the header begin with `attune.`. */
export type PolicyProvenance = Readonly<Record<string, string | number>>

/**
 * Writes the change into a run folder.
 * @param path of a file of the run
 * @throws {FileError}
 */
export function writePolicy(
  path: (name: string) => string,
  { name, sha256, schedule: { predictionType } }: GenerativeModel,
  { delta: { trained, adapters = new Map() } }: TrainableDelta,
  provenance: PolicyProvenance,
): void {
  const texts = Object.entries({ ...provenance, model: name, modelSha256: sha256, predictionType }).map(
    ([key, value]) => [`attune.${key}`, String(value)],
  )
  const header = Object.fromEntries(texts) as Record<string, string>
  if (adapters.size > 0) writeLora(path(loraFileName), adapters, 'diffusers', header)
  else writeSafetensors(path(policyFileName), trained ?? new Map(), { format: policyFormat, ...header })
}

/**
 * The change that a policy makes to a model: `model.with(openPolicy(model, folder).delta)`.
 *
 * @param source folder of a `policy dpok` or `policy reward-weighted` run, or a LoRA file of diffusers' or kohya's form
 * @throws {FileError} no such run or file, or a run that is not finished
 * @throws {FormatError} not a policy, or one of another model
 */
export function openPolicy(model: GenerativeModel, source: string): Start {
  return readPolicy(model, fileOf(source))
}

function fileOf(source: string): string {
  if (existsSync(source) && statSync(source).isFile()) return source
  const lora = join(source, loraFileName)
  // A folder of diffusers holds the LoRA file and no manifest.
  if (existsSync(lora) && !existsSync(join(source, 'config.json'))) return lora
  readRun(source)
  return existsSync(lora) ? lora : join(source, policyFileName)
}

function readPolicy(model: GenerativeModel, file: string): Start {
  const metadata = file.endsWith('.safetensors') ? readSafetensorsHeader(file).metadata : {}
  const [of, sha256] = [metadata['attune.model'], metadata['attune.modelSha256']]
  if (sha256 !== undefined && sha256 !== model.sha256) {
    throw new FormatError({
      where: file,
      expected: `a change of ${model.name} ${model.sha256.slice(0, 12)}`,
      received: `one of ${of} ${sha256.slice(0, 12)}`,
      remedy: 'give a policy that started from this model',
    })
  }
  if (metadata.format === policyFormat) {
    const trained = [...readSafetensors(file).tensors].map(([name, own]) => [name, own.to(model.device)] as const)
    return { file, delta: { trained: new Map(trained) } }
  }
  const targets = new Map([...model.weights.tensors()].map(([name, { shape }]) => [name, shape]))
  const { adapters } = readLora(file, targets, model.name)
  const placed = [...adapters].map(
    ([name, { down, up, scale }]) => [name, { down: down.to(model.device), up: up.to(model.device), scale }] as const,
  )
  return { file, delta: { adapters: new Map(placed) } }
}

/** What the header of a policy's file says of its making. */
export function provenanceOf(file: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(readSafetensorsHeader(file).metadata).filter(([key]) => key.startsWith('attune.')),
  )
}
