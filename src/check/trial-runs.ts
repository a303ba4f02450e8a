/** Small runs of `policy dpok`: one unbroken, and one of the same settings that is killed and goes on. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '../errors.ts'
import { readRun } from '../run.ts'
import { configName } from '../run-folder.ts'
import { metricsName } from '../run-metrics.ts'
import { durationText, fail, failedBy, notTried, pass, type Finding } from './finding.ts'
import type { Workers } from './workers.ts'

const iterations = 4
/** After so many steps the second run is killed. */
const killedAfter = 2
const perIteration = { transitionsPerRollout: 2, gradientSteps: 2, valueUpdates: 2 }

/** Predictions that an image of training takes in its updates: of the reference, of the policy, and back. */
export const predictionsOfUpdates = (transitions: number): number => 4 * transitions

export interface TrialPlan {
  readonly settings: Readonly<Record<string, unknown>>
  readonly steps: number
  /** Of all runs together. */
  readonly mostSeconds: number
  readonly stepSeconds: number
  readonly decodeSeconds: number
  readonly isOnGpu: boolean
}

export interface Trial {
  readonly findings: readonly Finding[]
  /** Of a prediction for one image, with all that goes with it; undefined where nothing came to its end. */
  readonly predictionSeconds?: number
}

/** What is said of all that needs a training that comes to its end. */
const untrained = (why: string, remedy: string) => ['first ratio', 'resume'].map((name) => notTried(name, why, remedy))

export async function tryRuns(folder: string, plan: TrialPlan, workers: Workers): Promise<Trial> {
  const { steps, stepSeconds, decodeSeconds, mostSeconds } = plan
  const predictions = steps + predictionsOfUpdates(perIteration.transitionsPerRollout)
  // The killed run and its end are as long as the whole one.
  const secondsFor = (rollouts: number) => 2 * iterations * rollouts * (predictions * stepSeconds + decodeSeconds)
  const rollouts = [8, 4].find((count) => secondsFor(count) < mostSeconds / 4) ?? 2
  const foretold = secondsFor(rollouts)
  if (foretold > mostSeconds) {
    const minutes = Math.ceil(foretold / 60) + 1
    return { findings: untrained(`two runs of ${iterations * rollouts} images with ${steps} steps each would take about ${durationText(foretold)}`, `give it --minutes ${minutes}, fewer --steps, a smaller --resolution, or a GPU`) } // prettier-ignore
  }

  const runOf = (out: string) => ({
    ...plan.settings,
    ...perIteration,
    ...{ imagesDrawn: iterations * rollouts, rolloutsPerIteration: rollouts, checkpointEvery: 1 },
    // A GPU repeats itself to the bit so alone.
    ...{ deterministic: plan.isOnGpu, steps, out: join(folder, out) },
  })
  const whole = runOf('whole')
  try {
    await workers.run({ kind: 'train', settings: whole })
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error
    return { findings: failedTraining(error) }
  }
  const { seconds } = readRun(whole.out).results as { seconds: number }
  return {
    findings: [ratioOf(whole.out), await tryResuming(whole.out, runOf('killed'), workers)],
    predictionSeconds: seconds / (iterations * rollouts * predictions),
  }
}

function failedTraining(error: AttuneError): Finding[] {
  const isOfRatio = /^(first update,|--clip-range$)/.test(error.where)
  if (isOfRatio) return [failedBy('first ratio', error), notTried('resume', 'training does not begin', 'mend the ratio first')] // prettier-ignore
  return [failedBy('training', error), ...untrained('a small training does not come to its end', 'mend that first')]
}

interface Row {
  readonly at: string
  readonly first_delta: number
  readonly noise_nats: number
}

function rowsOf(run: string): Row[] {
  const file = join(run, metricsName)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Row)
}

/** A run whose ratios do not begin at one has ended with an error. */
function ratioOf(run: string): Finding {
  const rows = rowsOf(run)
  const { clipRange } = JSON.parse(readFileSync(join(run, configName), 'utf8')) as { clipRange: number }
  const most = (of: (row: Row) => number) => Math.max(...rows.map(of)).toExponential(1)
  return pass(
    'first ratio',
    `log-densities begin within ${most((row) => row.first_delta)} nats of those of the roll-outs; rounding alone moves them by ${most((row) => row.noise_nats)} nats of a clip range of ${clipRange}`, // prettier-ignore
  )
}

async function tryResuming(
  whole: string,
  settings: Readonly<Record<string, unknown>> & { readonly out: string },
  workers: Workers,
): Promise<Finding> {
  const { out } = settings
  try {
    const isKilled = await workers.runAndKill({ kind: 'train', settings }, () => rowsOf(out).length >= killedAfter)
    if (!isKilled) return notTried('resume', 'the run had ended before it could be killed', 'run the check again')
    await workers.run({ kind: 'train', settings: { ...settings, resume: true } })
  } catch (error) {
    return failedBy('resume', error)
  }
  const [before, after] = [whole, out].map((run) => rowsOf(run).map(({ at: _at, ...row }) => JSON.stringify(row)))
  const step = before.findIndex((row, i) => row !== after[i]) + 1
  const [weights, resumed] = [whole, out].map(weightsOf)
  if (step === 0 && weights === resumed) {
    return pass('resume', `a run that was killed after step ${killedAfter} of ${iterations} and went on ended as the unbroken one, to the bit`) // prettier-ignore
  }
  const where = step > 0 ? `the numbers of step ${step} are others` : 'the weights are others'
  return fail('resume', `a run that was killed and went on is not the unbroken one: ${where}`, 'the processor or its memory makes errors, or Attune does: run the check again, and report it if it stays') // prettier-ignore
}

/** Hashes of the weights that a finished run has written. */
const weightsOf = (run: string) =>
  readRun(run)
    .files.filter(({ file }) => file.endsWith('.safetensors'))
    .map(({ file, sha256, bytes }) => `${file} ${sha256 ?? bytes}`)
    .join()
