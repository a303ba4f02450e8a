/** Which rewards a reward is made of, as its SHA-256 tells: so it stands in the records of every run that used it. */
import type { Reward } from '../reward.ts'

/** @param own what it is beside its parts */
export const sha256OfParts = (own: string, parts: readonly Pick<Reward, 'sha256'>[]): string =>
  [own, ...parts.map(({ sha256 }) => `[${sha256}]`)].join(' ')

/** Of what it is made from in the end: of a reward that is no composition its own. */
function leavesOf(sha256: string): string[] {
  const inner = [...sha256.matchAll(/\[([^[\]]*)\]/g)].map(([, leaf]) => leaf)
  return inner.length === 0 ? [sha256] : inner
}

/** Whether two rewards, by their SHA-256, are one or have a part in common. */
export function sharesPart(one: string, other: string): boolean {
  const own = new Set(leavesOf(one))
  return leavesOf(other).some((leaf) => own.has(leaf))
}
