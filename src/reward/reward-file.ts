/** A trained reward on disk: the head's weights, bound to the encoder whose embeddings it reads. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { Weights } from '../networks/weights.ts'
import { expectFinite } from '../tensor/finite.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { headKinds, type RewardHead } from './heads/reward-head.ts'

export const rewardFileName = 'reward.safetensors'

const format = 'attune-reward-1'

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
  expectFinite(file, head.weights.tensors())
  writeSafetensors(file, head.weights.tensors(), {
    format,
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
  if (metadata.format !== format) throw refuse('format', format, metadata.format ?? 'nothing')
  const parsed = Metadata.safeParse(metadata)
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues
    throw refuse(path.join('.'), 'the metadata of a reward', message)
  }
  const { head, ...rest } = parsed.data
  return { encoderPath: undefined, ...rest, head: { kind: head, weights: Weights.of(tensors) } }
}
