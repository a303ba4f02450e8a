/** How long a stage takes on this machine, by what finished runs took. */
import { median } from 'simple-statistics'
import { factsOf, formStages, stages, type FormStage } from '../../stages.ts'
import type { StudioRun } from '../runs.ts'
import type { Estimate } from '../schemas/jobs.ts'
import { productOf } from '../work.ts'

/** Starting a process and loading the embedded model; of a checkpoint it is a part of the rate. */
const embeddedStart = 2
/** The newest runs of a stage alone: a machine may have become busier, or have got a GPU. */
const lookedAt = 10
/** A run that took hardly longer than its start tells nothing. */
const leastSeconds = 0.5

type TimedRun = Pick<StudioRun, 'name' | 'config'> & {
  readonly manifest: Pick<StudioRun['manifest'], 'stage' | 'seconds' | 'results'>
}
interface Timed {
  readonly run: string
  readonly work: number
  readonly rate: number
}

/**
 * By the largest of the latest runs of the stage; of the embedded model before any, by its usual rates, as much faster or
 * slower as other stages were here.
 *
 * @param runs  finished runs, the oldest first
 * @param model of the workspace: runs of another one tell nothing of it
 * @returns null where nothing is known: of a checkpoint before the stage has run
 */
export function estimateOf(
  stage: FormStage,
  runs: readonly TimedRun[],
  { model, isEmbedded }: { readonly model: string; readonly isEmbedded: boolean },
): Estimate | null {
  const { work, secondsPerWork } = stages[stage].form
  const start = isEmbedded ? embeddedStart : 0
  const here = runs.filter(({ config }) => (config.model ?? model) === model)
  const estimate = (rate: number, run: string | null, isOfThisMachine: boolean): Estimate => ({
    ...{ work: work.map((names) => [...names]), startSeconds: start, secondsPerWork: rate, run, isOfThisMachine },
  })
  const own = largestOf(stage, here, start)
  if (own !== undefined) return estimate(own.rate, own.run, true)
  if (!isEmbedded) return null
  const scales = formStages.flatMap((other) => {
    const found = largestOf(other, here, start)
    return found === undefined ? [] : [found.rate / stages[other].form.secondsPerWork]
  })
  return estimate(secondsPerWork * (scales.length === 0 ? 1 : median(scales)), null, scales.length > 0)
}

/** The larger a run, the less its start and chance count. */
function largestOf(stage: FormStage, runs: readonly TimedRun[], start: number): Timed | undefined {
  return runs
    .filter(({ manifest }) => manifest.stage === stage)
    .slice(-lookedAt)
    .flatMap((run): Timed[] => {
      const work = workOf(run)
      const { seconds, results } = run.manifest
      // A run that was gone on with took longer than the process that finished it.
      const all = typeof results.seconds === 'number' ? Math.max(seconds, results.seconds) : seconds
      const own = all - start
      return work === undefined || own < leastSeconds ? [] : [{ run: run.name, work, rate: own / work }]
    })
    .reduce<Timed | undefined>((most, one) => (one.work >= (most?.work ?? 0) ? one : most), undefined)
}

/** By what the run says of itself, else by its settings; its prompts lie in a file. */
function workOf({ manifest: { stage, results }, config }: TimedRun): number | undefined {
  if (stage === 'images generate') return productOf([['images']], (name) => results[name])
  return productOf(factsOf(stage)?.form?.work ?? [], (name) => results[name] ?? config[name])
}
