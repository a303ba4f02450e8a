/** What forms of stages are made from: the runs and judgments that are there, and seeds that nothing has used. */
import { basename } from 'node:path'
import type { FormContext } from '../jobs/stage-forms.ts'
import { baseOf } from '../next-step.ts'
import { loraFiles } from '../models/lora-files.ts'
import { playgroundRound } from '../playground/playground-round.ts'
import type { Studio } from '../studio.ts'
import { lorasName } from '../workspace.ts'
import { worldOf } from '../worlds.ts'
import { policyStandings } from './situation.ts'

/** Seeds of rounds count up from 1; those of comparisons lie far above. */
export const firstComparisonSeed = 2_000_000

export async function formContext(studio: Studio): Promise<FormContext> {
  const counts = await studio.store.counts()
  const seeds = (await usedSeeds(studio)).filter((seed) => seed < firstComparisonSeed)
  return {
    runs: studio.runs,
    loras: loraFiles(studio).map(({ name }) => `${lorasName}/${name}`),
    open: studio.queue.open(),
    devices: studio.queue.devices,
    model: studio.model,
    isEmbedded: worldOf(studio.model) !== undefined,
    good: counts.good,
    bad: counts.bad,
    compared: counts.pairs + counts.rankings,
    pairs: (await studio.pairs.all()).pairs,
    base: baseOf(await policyStandings(studio)),
    nextSeed: seeds.reduce((most, seed) => Math.max(most, seed), 0) + 1,
  }
}

/** Of all images that were drawn, and of those that are to be: a job that waits or failed has taken its seed as well. */
export async function usedSeeds({ store, runs, queue }: Pick<Studio, 'store' | 'runs' | 'queue'>): Promise<number[]> {
  // Whoever typed a seed in the playground did not mean the next rounds to count on from it.
  const images = (await store.images()).filter(({ folder }) => basename(folder) !== playgroundRound)
  const drawn = images.map(({ record }) => record.seed)
  const ordered = [
    ...queue.all().map(({ stage, settings }) => stage === 'images generate' && settings.seed),
    ...runs.all().map(({ manifest, config }) => manifest.stage === 'images generate' && config.seed),
  ]
  return [...drawn, ...ordered.filter((seed) => typeof seed === 'number')]
}
