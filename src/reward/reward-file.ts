/** A trained reward on disk: the head's weights, bound to the encoder whose embeddings it reads. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { Weights } from '../networks/weights.ts'
import { tensor } from '../tensor/create.ts'
import { expectFinite } from '../tensor/finite.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorScope } from '../tensor/scope.ts'
import { headKinds, type ClipMixture, type RewardHead } from './heads/reward-head.ts'

export const rewardFileName = 'reward.safetensors'

/** The second one mixes the head with the CLIP score: programs that know the first alone must not take the head for all. */
const formats = { plain: 'attune-reward-1', mixed: 'attune-reward-2' } as const
/** Numbers of the mixture, float64 [3]: of the head, of the cosine, and the offset. */
const mixtureName = 'mixture'

const Metadata = z.object({
  encoder: z.string().min(1),
  encoderSha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256'),
  encoderPath: z.string().min(1).optional(),
  head: z.enum(headKinds).default('agreement'),
})

export interface RewardFile {
  readonly head: RewardHead
  /** Name of the encoder. */
  readonly encoder: string
  readonly encoderSha256: string
  /** Folder or hub name of the encoder, as it was given; undefined where the model brought its own. */
  readonly encoderPath: string | undefined
}

/**
 * @param encoderPath folder or hub name of the encoder; undefined where the model brought its own
 * @throws {DivergenceError} a weight is not finite; nothing is written then
 * @throws {FileError}
 */
export function writeReward(file: string, head: RewardHead, encoder: ImageTextEncoder, encoderPath?: string): void {
  using _scope = tensorScope()
  const { mixture } = head
  const tensors = new Map(head.weights.tensors())
  if (mixture !== undefined) {
    tensors.set(mixtureName, tensor(Float64Array.of(mixture.head, mixture.clip, mixture.offset)))
  }
  expectFinite(file, tensors)
  writeSafetensors(file, tensors, {
    format: mixture === undefined ? formats.plain : formats.mixed,
    head: head.kind,
    encoder: encoder.name,
    encoderSha256: encoder.sha256,
    ...(encoderPath !== undefined && { encoderPath }),
  })
}

/**
 * @throws {FileError} no such file
 * @throws {FormatError} not a reward
 */
export function readReward(file: string): RewardFile {
  const { tensors, metadata } = readSafetensors(file)
  const refuse = (where: string, expected: string, received: string) =>
    new FormatError({
      where: `${file} ${where}`,
      expected,
      received,
      remedy: 'give the folder of a `reward train` run, or train it again',
    })
  const isMixed = metadata.format === formats.mixed
  if (!isMixed && metadata.format !== formats.plain) {
    throw refuse('format', `${formats.plain} or ${formats.mixed}`, metadata.format ?? 'nothing')
  }
  const parsed = Metadata.safeParse(metadata)
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues
    throw refuse(path.join('.'), 'the metadata of a reward', message)
  }
  const { head: kind, ...rest } = parsed.data
  const mixture = isMixed ? mixtureOf(tensors.get(mixtureName)) : undefined
  if (isMixed && mixture === undefined)
    throw refuse(mixtureName, 'three finite numbers', describe(tensors.get(mixtureName)))
  tensors.delete(mixtureName)
  return { encoderPath: undefined, ...rest, head: { kind, weights: Weights.of(tensors), ...(mixture && { mixture }) } }
}

function mixtureOf(stored: Tensor | undefined): ClipMixture | undefined {
  if (stored === undefined || stored.numel !== 3) return undefined
  const [head, clip, offset] = stored.toArray()
  return [head, clip, offset].every(Number.isFinite) ? { head, clip, offset } : undefined
}

const describe = (stored: Tensor | undefined) =>
  stored === undefined
    ? 'no such tensor'
    : stored.numel === 3
      ? stored.toArray().join(', ')
      : `[${stored.shape.join(', ')}]`
