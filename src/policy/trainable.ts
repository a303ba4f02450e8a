/** What a fine-tuning run may change, and its file. Everything else is shared with the frozen reference. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import type { Adapter, Delta } from '../networks/weights.ts'
import { seedOf } from '../random.ts'
import { randn, zeros } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import type { Tensor } from '../tensor/tensor.ts'

export const policyFileName = 'policy.safetensors'

export const trainableFields = {
  parameters: z
    .enum(['text', 'lora', 'all'])
    .default('text')
    .describe('What is trained: the part that reads the prompt, low-rank adapters, or everything.'),
  loraRank: z.int().positive().default(8).describe('Rank of the adapters (with --parameters lora).'),
  loraAlpha: z.number().positive().default(8).describe('The adapters’ change is scaled by alpha / rank.'),
}
export type Trainable = z.infer<z.ZodObject<typeof trainableFields>>

/** A change under training: the parameters by their names in the file, and the delta that uses them. */
export interface TrainableDelta {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly delta: Delta
}

function deltaOf(parameters: ReadonlyMap<string, Tensor>, scale: number): Delta {
  const trained = new Map<string, Tensor>()
  const adapters = new Map<string, Adapter>()
  for (const [name, tensor] of parameters) {
    if (name.endsWith('.lora_A')) {
      const target = name.slice(0, -'.lora_A'.length)
      adapters.set(target, { down: tensor, up: parameters.get(`${target}.lora_B`)!, scale })
    } else if (!name.endsWith('.lora_B')) trained.set(name, tensor)
  }
  return { trained, adapters }
}

/**
 * Starts from the pre-trained model, or from an earlier run's change of the same kind. Adapters start with B = 0, so that
 * the policy starts as the model it came from.
 * @throws {FormatError} the earlier run trained other parameters
 */
export function trainableDelta(
  model: GenerativeModel,
  { parameters: kind, loraRank, loraAlpha }: Trainable,
  seed: number,
  start?: StoredPolicy,
): TrainableDelta {
  const made = new Map<string, Tensor>()
  for (const [name, tensor] of model.weights.tensors()) {
    if (kind === 'lora') {
      if (!model.isAdapterTarget(name)) continue
      const [out, inputs] = tensor.shape
      const generator = new Generator(seedOf(seed, made.size))
      made.set(`${name}.lora_A`, randn([loraRank, inputs], generator).mul_(1 / Math.sqrt(inputs)))
      made.set(`${name}.lora_B`, zeros([out, loraRank]))
    } else if (kind === 'all' || model.isTextPath(name)) made.set(name, tensor.detach().clone())
  }
  const scale = loraAlpha / loraRank
  if (start !== undefined) {
    for (const name of new Set([...made.keys(), ...start.parameters.keys()])) {
      const own = made.get(name)
      const tensor = start.parameters.get(name)
      if (
        own?.shape.join() !== tensor?.shape.join() ||
        own === undefined ||
        tensor === undefined ||
        start.scale !== scale
      ) {
        throw new FormatError({
          where: `${start.file} ${name}`,
          expected: `the parameters of --parameters ${kind}`,
          received: 'a policy that trained others',
          remedy: 'continue with the same --parameters, --lora-rank and --lora-alpha as that run',
        })
      }
      own.copy_(tensor)
    }
  }
  for (const tensor of made.values()) tensor.requireGrad()
  return { parameters: made, delta: deltaOf(made, scale) }
}

/** Merges adapters into full weights: W + scale · B A. The inverse is to go back to the unmerged weights. */
export function mergeAdapters(model: GenerativeModel, delta: Delta): Map<string, Tensor> {
  const merged = new Map(delta.trained)
  for (const [name, { down, up, scale }] of delta.adapters ?? []) {
    const weight = merged.get(name) ?? model.weights.tensors().get(name)!
    merged.set(name, weight.add(up.matmul(down).mul(scale)))
  }
  return merged
}

/** A change read from a file. */
export interface StoredPolicy {
  readonly file: string
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly scale: number
  readonly delta: Delta
}

/** @throws {FileError} */
export function writePolicy(
  file: string,
  model: GenerativeModel,
  parameters: ReadonlyMap<string, Tensor>,
  { loraRank, loraAlpha }: Trainable,
): void {
  writeSafetensors(file, parameters, {
    format: 'attune-policy-1',
    model: model.name,
    modelSha256: model.sha256,
    adapterScale: String(loraAlpha / loraRank),
  })
}

/**
 * @throws {FileError} no such file
 * @throws {FormatError} not a policy, or one of another model
 */
export function readPolicy(file: string, model: GenerativeModel): StoredPolicy {
  const { tensors, metadata } = readSafetensors(file)
  const mismatch =
    metadata.format !== 'attune-policy-1'
      ? ['format attune-policy-1', metadata.format ?? 'none']
      : metadata.modelSha256 !== model.sha256
        ? [
            `a change of ${model.name} ${model.sha256.slice(0, 12)}`,
            `${metadata.model} ${metadata.modelSha256?.slice(0, 12)}`,
          ]
        : undefined
  if (mismatch !== undefined) {
    throw new FormatError({
      where: file,
      expected: mismatch[0],
      received: mismatch[1],
      remedy: 'give the folder of a `policy` run that started from this model',
    })
  }
  const scale = Number(metadata.adapterScale)
  return { file, parameters: tensors, scale, delta: deltaOf(tensors, scale) }
}
