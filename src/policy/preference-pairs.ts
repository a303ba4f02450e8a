/** Of pairs that people compared: which teach a policy, which measure it, and how often they tie. */
import { random } from '../random.ts'
import type { Comparison } from '../reward/examples/reward-examples.ts'
import { policyStreams } from '../streams.ts'

/** More measure little better: pairs of one prompt share images. */
const mostHeldOut = 256

/**
 * Pairs of some prompts apart, to measure by.
 *
 * @param share of the prompts; where it is less than one, none
 * @returns     held out are those that one was preferred of, and of very many a fair sample
 */
export function withHeldOut(
  pairs: readonly Comparison[],
  share: number,
  seed: number,
): { readonly training: readonly Comparison[]; readonly heldOut: readonly Comparison[] } {
  const texts = [...new Set(pairs.map(({ text }) => text))].sort()
  const stream = random(...policyStreams.heldOutPrompts(seed))
  const isHeldOut = new Set(stream.shuffle(texts).slice(0, Math.floor(share * texts.length)))
  const decided = pairs.filter(({ text, isTie }) => isHeldOut.has(text) && !isTie)
  return {
    training: pairs.filter(({ text }) => !isHeldOut.has(text)),
    heldOut: decided.length <= mostHeldOut ? decided : stream.shuffle(decided).slice(0, mostHeldOut),
  }
}

/** From ν = 2s/(1 − s), by which two equal images tie with the share s of ties among the pairs. */
export function logNuOf(pairs: readonly Comparison[]): number {
  const weightOf = (some: readonly Comparison[]) => some.reduce((sum, { weight }) => sum + weight, 0)
  const share = weightOf(pairs.filter(({ isTie }) => isTie)) / weightOf(pairs)
  return Math.log((2 * share) / (1 - share))
}
