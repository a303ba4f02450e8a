/** What it took to make a policy. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openExistingFeedback } from '../feedback/store/feedback-file.ts'
import { readImages } from '../images/image-run.ts'
import { manifestName } from '../run-folder.ts'
import { factsOf } from '../stages.ts'
import { pastRun, type PastRun } from './lineage.ts'
import type { PolicyReport } from './schema.ts'

export type PolicyCost = Pick<PolicyReport, 'imagesDrawn' | 'updates' | 'seconds'>

/** Ids of the images that people judged for the reward; none of a reward from elsewhere. */
export async function judgedImages(reward: PastRun | undefined): Promise<ReadonlySet<string>> {
  if (reward === undefined) return new Set()
  await using store = await openExistingFeedback(reward.manifest.parents.feedback)
  return new Set((await store.judgments()).flatMap(({ images }) => images))
}

/**
 * Of a policy and of those that it was trained further from. Every image that was drawn for it counts once: those that
 * were judged for its reward, those that it was fitted to, which are among the `imagesDrawn` of its results, and its own
 * roll-outs.
 */
export async function costOf(
  { manifest: { stage, results, parents } }: PastRun,
  judged: ReadonlySet<string>,
): Promise<PolicyCost> {
  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  const counted = factsOf(stage)?.cost ?? []
  const own = (cost: (typeof counted)[number]) => (counted.includes(cost) ? number(results[cost]) : 0)
  // It may have begun at a LoRA file from elsewhere, of which nobody knows the cost.
  const start = parents.policy !== undefined && existsSync(join(parents.policy, manifestName))
  const earlier = start ? await costOf(pastRun(parents.policy), new Set()) : undefined
  const folders = Object.entries(parents).flatMap(([role, folder]) => (role.startsWith('images') ? [folder] : []))
  const fitted = folders.length === 0 ? [] : (await readImages(...folders)).map(({ record }) => record.id)
  return {
    imagesDrawn:
      new Set([...judged, ...fitted]).size +
      Math.max(0, own('imagesDrawn') - fitted.length) +
      (earlier?.imagesDrawn ?? 0),
    updates: own('updates') + (earlier?.updates ?? 0),
    seconds: number(results.seconds) + (earlier?.seconds ?? 0),
  }
}
