/**
 * What a rater may not see under the name of a policy. A comparison is closed for a rater until all is drawn and the rater has
 * opened it, which ends the rater's votes on it: until then its images stand nowhere together with their policy.
 */
import { openedBy } from '../../feedback/raters/opened-comparisons.ts'
import type { Round } from '../../feedback/queue/rounds.ts'
import { getOrAdd } from '../../get-or-add.ts'
import type { Studio } from '../studio.ts'
import { readComparisons } from './comparison-files.ts'
import { refuse } from './failures.ts'

/** By the list of rounds, and by the runs that are closed. */
const known = new WeakMap<readonly Round[], Map<string, ReadonlySet<string>>>()

/** Ids of the images of all comparisons that are closed for a rater; the same set until something changes. */
export async function blindImages(
  { store, rounds, workspace }: Pick<Studio, 'store' | 'rounds' | 'workspace'>,
  rater: string,
): Promise<ReadonlySet<string>> {
  const [all, opened] = await Promise.all([rounds.all(), openedBy(store.database, rater)])
  const runs = new Set(
    readComparisons(workspace)
      .filter(({ id }) => !opened.has(id))
      .flatMap((one) => one.runs),
  )
  const sets = getOrAdd(known, all, () => new Map<string, ReadonlySet<string>>())
  return getOrAdd(
    sets,
    [...runs].sort().join(' '),
    () => new Set(all.filter(({ name }) => runs.has(name)).flatMap(({ images }) => images)),
  )
}

/** @throws {StudioError} one of the images is of a comparison that is closed for the rater */
export async function expectSeen(studio: Studio, rater: string, images: readonly string[]): Promise<void> {
  const blind = await blindImages(studio, rater)
  if (!images.some((id) => blind.has(id))) return
  throw refuse(409, 'blind', {
    where: 'image',
    expected: 'one that you may see beside its policy',
    received: 'one of a comparison that you have not opened',
    remedy: 'vote on the comparison, then open it',
  })
}
