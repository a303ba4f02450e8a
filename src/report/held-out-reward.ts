/** A reward that measures and that no policy learned from: what it shares with those that taught the policies. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { trainingJudgments } from '../feedback/training-judgments.ts'
import { isDatabaseUrl } from '../feedback/store/database.ts'
import { openExistingFeedback } from '../feedback/store/feedback-file.ts'
import { sharesPart } from '../reward/composition/shared-parts.ts'
import { inputsName } from '../run.ts'
import type { PastRun } from './lineage.ts'

export interface HeldOutFacts {
  /** As the report was told it. */
  readonly name: string
  /**
   * Of the labels in the store that it learned from, how many are in a store that taught the policies or their reward too;
   * null where that store is gone, absent where it learned from no labels of ours.
   */
  readonly labels?: { readonly shared: number; readonly of: number } | null
}

const where = '--held-out-reward'

/**
 * @param run    that trained it, where one did
 * @param taught what the policies were made from: their runs, their rewards, and what these were made from
 * @throws {ConfigError} a policy learned from it, or images were chosen by it
 */
export async function heldOutFacts(
  { name, sha256, run }: { readonly name: string; readonly sha256: string; readonly run: PastRun | undefined },
  reward: { readonly name: string; readonly sha256: string },
  taught: readonly PastRun[],
): Promise<HeldOutFacts> {
  const student = taught.find((one) => learnedFrom(one, name, sha256))
  const isGiven = sharesPart(sha256, reward.sha256)
  if (student !== undefined || isGiven) {
    throw new ConfigError({
      where,
      expected: 'a reward that no policy learned from',
      received: `${name}, ${student === undefined ? 'which --reward is too, or has as a part' : `from which ${student.folder} learned`}`,
      remedy: 'give another reward: one of other labels, or a ready-made one',
    })
  }
  if (run === undefined) return { name }
  const own = await labelIds(run.manifest.parents.feedback)
  if (own === undefined) return { name, labels: null }
  const others = new Set<string>()
  for (const store of new Set(taught.flatMap(({ manifest }) => manifest.parents.feedback ?? [])))
    for (const id of (await labelIds(store)) ?? []) others.add(id)
  return { name, labels: { shared: own.filter((id) => others.has(id)).length, of: own.length } }
}

/** What a reader must know of it. */
export function heldOutCaveat({ labels }: HeldOutFacts): string | undefined {
  if (labels === undefined) return undefined
  if (labels === null) return 'The labels of the held-out reward are not where they were: whether they taught the policies’ reward too is not known.' // prettier-ignore
  return labels.shared === 0
    ? undefined
    : `The held-out reward learned from labels that taught the policies or their reward too (${labels.shared} of ${labels.of}): what these get wrong, it cannot show.`
}

/** By the weights that it or a part of it had then, or where a run did not record them by its name. */
function learnedFrom({ folder, manifest: { parents } }: PastRun, name: string, sha256: string): boolean {
  if (parents.reward === undefined) return false
  const file = join(folder, inputsName)
  const inputs = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {}
  return typeof inputs.reward === 'string'
    ? sharesPart(inputs.reward, sha256)
    : resolve(parents.reward) === resolve(name)
}

async function labelIds(store: string): Promise<string[] | undefined> {
  if (!isDatabaseUrl(store) && !existsSync(store)) return undefined
  await using opened = await openExistingFeedback(store)
  return (await trainingJudgments(opened)).map(({ id }) => id)
}
