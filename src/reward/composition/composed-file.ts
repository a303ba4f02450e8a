/** `composed-reward.json`: a composition with what brings its parts to one scale, so that other stages can take the same reward. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { writeFileAtomic } from '../../files.ts'
import type { Reward } from '../reward.ts'
import { composedReward, type NormalisedReward } from './composed-reward.ts'
import { compositionKinds, type Composition } from './composition.ts'

const format = 'attune-composed-reward-1'
const remedy = 'give the file that a run with such a --reward wrote'

export const ComposedFile = z.strictObject({
  format: z.literal(format),
  /** As `--reward` had it. */
  reward: z.string().min(1),
  kind: z.enum(compositionKinds),
  k: z.number().nonnegative(),
  parts: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        weight: z.number(),
        sha256: z.string(),
        mean: z.number(),
        deviation: z.number().positive(),
      }),
    )
    .min(2),
  /** What the means and deviations are of. */
  base: z.string(),
})
export type ComposedFile = z.infer<typeof ComposedFile>

/** Whether this may be such a file; what it is, reading tells. */
export const isComposedFile = (name: string): boolean =>
  /\.json$/i.test(name) && statSync(name, { throwIfNoEntry: false })?.isFile() === true

export const describeComposed = (
  name: string,
  { kind, k, parts }: Composition,
  normalised: readonly NormalisedReward[],
  base: string,
): ComposedFile => ({
  format,
  reward: name,
  kind,
  k,
  parts: parts.map((part, i) => ({ ...part, sha256: normalised[i].reward.sha256, ...normalised[i].normal })),
  base,
})

export const writeComposed = (file: string, composed: ComposedFile): void =>
  writeFileAtomic(file, `${JSON.stringify(composed, null, 1)}\n`)

/** @throws {FormatError} it is none */
export function readComposed(file: string): ComposedFile {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new FormatError({ where: file, expected: 'a composed reward', received: String((cause as Error).message), remedy, cause }) // prettier-ignore
  }
  const parsed = ComposedFile.safeParse(content)
  if (parsed.success) return parsed.data
  const [{ path, message }] = parsed.error.issues
  throw new FormatError({
    where: `${file} ${path.join('.')}`.trim(),
    expected: `a composed reward (${format})`,
    received: message,
    remedy,
  })
}

/** What a reward is made of in the end, by name: parts of a composition, or itself. */
export function partNames(name: string, composition: Composition | undefined): string[] {
  if (composition !== undefined) return composition.parts.map((part) => part.name)
  return isComposedFile(name) && existsSync(name) ? readComposed(name).parts.map((part) => part.name) : [name]
}

/**
 * @param where    the file, or what else told it
 * @param rewards  the parts, opened
 * @throws {FormatError} a part is another one than the one that was measured
 */
export function openComposed(
  where: string,
  { reward: name, kind, k, parts }: ComposedFile,
  rewards: readonly Reward[],
): Reward {
  const other = parts.findIndex(({ sha256 }, i) => sha256 !== rewards[i].sha256)
  if (other >= 0) {
    throw new FormatError({
      where: `${where} ${parts[other].name}`,
      expected: 'the reward whose mean and deviation it has',
      received: 'another one of this name',
      remedy: 'put that one in its place, or compose the reward again: `--reward` with all parts and weights',
    })
  }
  return composedReward(
    name,
    { kind, k, parts },
    rewards.map((reward, i) => ({ reward, normal: parts[i] })),
  )
}
