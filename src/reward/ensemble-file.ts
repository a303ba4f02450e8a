/** The members of an ensemble on disk, beside the reward that they belong to. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { Weights } from '../networks/weights.ts'
import { expectFinite } from '../tensor/finite.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { below, under } from '../tensor/training-state.ts'
import type { RewardHead } from './heads/reward-head.ts'

export const ensembleName = 'ensemble.safetensors'
const format = 'attune-ensemble-1'

const Metadata = z.object({
  format: z.literal(format),
  members: z.coerce.number().int().min(2).max(1000),
})

/**
 * Heads of one kind, whose mixture with the CLIP score is that of the reward.
 *
 * @throws {DivergenceError} a weight is not finite; nothing is written then
 * @throws {FileError}
 */
export function writeEnsemble(file: string, members: readonly RewardHead[]): void {
  const tensors = new Map(members.flatMap(({ weights }, i) => [...under(String(i), weights.tensors())]))
  expectFinite(file, tensors)
  writeSafetensors(file, tensors, { format, members: String(members.length) })
}

/**
 * @param reward whose head they are like
 * @throws {FileError} no such file
 * @throws {FormatError} not such members
 */
export function readEnsemble(file: string, { kind, mixture, weights }: RewardHead): RewardHead[] {
  const { tensors, metadata } = readSafetensors(file)
  const refuse = (received: string) =>
    new FormatError({ where: file, expected: 'the members of a reward', received, remedy: 'train the reward again' })
  const parsed = Metadata.safeParse(metadata)
  if (!parsed.success) throw refuse(`the format ${metadata.format ?? 'of another file'}`)
  const names = [...weights.tensors()].map(([name, { shape }]) => `${name} ${shape.join()}`).sort()
  return Array.from({ length: parsed.data.members }, (_, i) => {
    const own = below(String(i), tensors)
    const found = [...own].map(([name, { shape }]) => `${name} ${shape.join()}`).sort()
    if (found.join('\n') !== names.join('\n')) throw refuse(`another network as member ${i + 1}`)
    return { kind, weights: Weights.of(own), ...(mixture && { mixture }) }
  })
}
