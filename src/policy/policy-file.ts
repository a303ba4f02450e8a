/**
 * The file of a policy: adapters as a LoRA file that diffusers reads, anything else as the changed parameters by their
 * names.
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, FormatError } from '../errors.ts'
import { parametersOf } from '../networks/adapters.ts'
import { readLora, writeLora } from '../networks/checkpoint/lora-file.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import type { Adapter, Change } from '../networks/weights.ts'
import { tellNote } from '../notes.ts'
import { readRun } from '../run.ts'
import { loraFileName, policyFileName } from '../run-files.ts'
import { expectFinite, largestValues } from '../tensor/finite.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../tensor/safetensors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { PolicyChange, TrainableChange } from './trainable.ts'

const policyFormat = 'attune-policy-1'

/** Where a policy comes from; the keys of the header begin with `attune.`. */
export type PolicyProvenance = Readonly<Record<string, string | number>>

/**
 * Writes the change into a run folder.
 * @param path of a file of the run
 * @throws {DivergenceError} a parameter is not finite; nothing is written then
 * @throws {FileError}
 */
export function writePolicy(
  path: (name: string) => string,
  model: GenerativeModel,
  { parameters, change: { trained, adapters = new Map() } }: Pick<TrainableChange, 'parameters' | 'change'>,
  provenance: PolicyProvenance,
): void {
  expectFinite('policy', parameters)
  const { name, sha256 } = model
  const { predictionType } = policyOf(model).process
  const texts = Object.entries({ ...provenance, model: name, modelSha256: sha256, predictionType }).map(
    ([key, value]) => [`attune.${key}`, String(value)],
  )
  const header = Object.fromEntries(texts) as Record<string, string>
  if (adapters.size > 0) writeLora(path(loraFileName), adapters, 'diffusers', header)
  else writeSafetensors(path(policyFileName), trained ?? new Map(), { format: policyFormat, ...header })
}

/**
 * The change that a policy makes to a model: `model.with(openChange(model, folder).change)`. What it was trained on is
 * known by a hash, which differs between precisions and fine-tunes of one model: names and shapes decide whether it fits,
 * and a note tells of another base. The change of adapters is multiplied by `loraScale`.
 *
 * @param source folder of a `policy dpok` or `policy reward-weighted` run, or a LoRA file of diffusers' or kohya's form
 * @throws {FileError} no such run or file, or a run that is not finished
 * @throws {FormatError} not a policy, one of a model of other shapes, or one with numbers that are not finite
 * @throws {ConfigError} a strength for a policy without adapters
 */
export function openChange(model: GenerativeModel, source: string, { loraScale = 1 } = {}): PolicyChange {
  const read = readChange(model, policyFileOf(source))
  expectFiniteChange(read)
  if (loraScale === 1) return read
  const { adapters } = read.change
  if (adapters === undefined) {
    throw new ConfigError({
      where: '--lora-scale',
      expected: `1 for ${source}, whose parameters were trained themselves`,
      received: String(loraScale),
      remedy: 'give a policy made of low-rank adapters, or leave it out',
    })
  }
  return { ...read, change: { adapters: scaled(adapters, loraScale) } }
}

const scaled = (adapters: ReadonlyMap<string, Adapter>, strength: number) =>
  new Map([...adapters].map(([name, own]) => [name, { ...own, scale: own.scale * strength }]))

/**
 * A change at another strength: 0 is the model itself, 1 the change as it was trained. The product of adapters is scaled;
 * parameters that were trained themselves lie on the line through the model's own. New tensors belong to the scope in force.
 */
export function changeAt(model: GenerativeModel, { trained, adapters }: Change, strength: number): Change {
  const own = model.weights.tensors()
  const between = (name: string, tuned: Tensor) => {
    const base = own.get(name)!.to(tuned.dtype)
    return base.add(tuned.sub(base).mul(strength))
  }
  return {
    ...(adapters !== undefined && { adapters: scaled(adapters, strength) }),
    ...(trained !== undefined && {
      trained: new Map([...trained].map(([name, tuned]) => [name, strength === 1 ? tuned : between(name, tuned)])),
    }),
  }
}

/** Whether a file holds changed parameters, and no adapters. */
export const isPolicyFile = (file: string): boolean =>
  file.endsWith('.safetensors') && readSafetensorsHeader(file).metadata.format === policyFormat

function expectFiniteChange({ file, change }: PolicyChange): void {
  for (const [name, one] of parametersOf(change)) {
    const [largest] = largestValues([one])
    if (Number.isFinite(largest)) continue
    throw new FormatError({
      where: `${file} ${name}`,
      expected: 'finite numbers',
      received: `${largest}`,
      remedy: 'such a policy draws nothing; give one whose training went well',
    })
  }
}

/**
 * The file of a policy.
 *
 * @param source folder of a run, or the file itself
 * @throws {FileError} no such run, or one that is not finished
 * @throws {FormatError} a run of another stage
 */
export function policyFileOf(source: string): string {
  if (existsSync(source) && statSync(source).isFile()) return source
  const lora = join(source, loraFileName)
  // A folder of diffusers holds the LoRA file and no manifest.
  if (existsSync(lora) && !existsSync(join(source, 'config.json'))) return lora
  const { stage } = readRun(source)
  const own = existsSync(lora) ? lora : join(source, policyFileName)
  if (existsSync(own)) return own
  throw new FormatError({
    where: source,
    expected: `a policy run, with ${loraFileName} or ${policyFileName}`,
    received: `a run of ${stage}`,
    remedy:
      stage === 'policy best-of-n'
        ? 'best-of-n picks among images and trains nothing: draw more and pick again, or train on them with policy reward-weighted --images'
        : 'give the folder of a policy dpok or policy reward-weighted run, or a LoRA file',
  })
}

function readChange(model: GenerativeModel, file: string): PolicyChange {
  const metadata = file.endsWith('.safetensors') ? readSafetensorsHeader(file).metadata : {}
  if (metadata.format === policyFormat) {
    const own = readSafetensors(file).tensors
    expectParameters(model, file, own)
    tellOtherBase(model, file, metadata)
    return { file, change: { trained: new Map([...own].map(([name, one]) => [name, one.to(model.device)])) } }
  }
  const targets = new Map([...model.weights.tensors()].map(([name, { shape }]) => [name, shape]))
  const { adapters } = readLora(file, targets, model.name)
  tellOtherBase(model, file, metadata)
  const placed = [...adapters].map(
    ([name, { down, up, scale }]) => [name, { down: down.to(model.device), up: up.to(model.device), scale }] as const,
  )
  return { file, change: { adapters: new Map(placed) } }
}

/** @throws {FormatError} a parameter that the model does not have, or has in another shape */
function expectParameters(model: GenerativeModel, file: string, own: ReadonlyMap<string, Tensor>): void {
  const known = model.weights.tensors()
  for (const [name, { shape }] of own) {
    const expected = known.get(name)?.shape
    if (expected?.join() === shape.join()) continue
    throw new FormatError({
      where: `${file} ${name}`,
      expected: expected === undefined ? `a parameter of ${model.name}` : `shape [${expected.join(', ')}]`,
      received: expected === undefined ? 'one that it does not have' : `[${shape.join(', ')}]`,
      remedy: 'give a policy that started from this model, or from one of its shapes',
    })
  }
}

function tellOtherBase(model: GenerativeModel, file: string, metadata: Readonly<Record<string, string>>): void {
  const fields = ['model', 'modelSha256', 'predictionType'].map((field) => metadata[`attune.${field}`])
  const [of, sha256, predicts] = fields as (string | undefined)[]
  if (sha256 === undefined || sha256 === model.sha256) return
  const own = policyOf(model).process.predictionType
  const otherwise =
    predicts === undefined || predicts === own ? '' : ` That one predicts ${predicts}, this one ${own}: expect noise.`
  tellNote(
    `${file} was trained on ${of ?? 'other weights'} ${sha256.slice(0, 12)}, and not on ${model.name} ${model.sha256.slice(0, 12)}. Its shapes fit, so it is used: on a fine-tune or another precision of that model it does what it should.${otherwise}`,
  )
}

/** What the header of a policy's file says of its making. */
export function provenanceOf(file: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(readSafetensorsHeader(file).metadata).filter(([key]) => key.startsWith('attune.')),
  )
}
