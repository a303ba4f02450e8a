/** Whether an easy reward rises: DPOK for a minute or two, and the same images of the base and of the policy. */
import { join } from 'node:path'
import { AttuneError } from '../errors.ts'
import { clock } from '../progress.ts'
import { bootstrapMean } from '../report/interval.ts'
import { durationText, fail, failedBy, notTried, pass, type Finding } from './finding.ts'
import type { CheckedModel } from './model.ts'
import type { Scored } from './tasks.ts'
import { predictionsOfUpdates } from './trial-runs.ts'
import type { Workers } from './workers.ts'

const iterations = 8
const transitions = 9
/** Roll-outs an iteration; pairs of images that are compared, for each of them. */
const [fewest, most, pairsEach] = [4, 32, 2]
/** Of two minutes, steps that tell nothing more about the machine would take most. */
const mostSteps = 10

export interface RisePlan {
  readonly model: CheckedModel
  readonly settings: Readonly<Record<string, unknown>>
  readonly reward: string
  readonly prompts: readonly string[]
  readonly seed: number
  /** As the model is sampled where nothing else is said. */
  readonly steps: number
  readonly mostSeconds: number
  readonly openSeconds: number
  readonly predictionSeconds: number
  readonly batchSize: number
}

export async function tryRise(folder: string, plan: RisePlan, workers: Workers): Promise<Finding> {
  const { reward, prompts, seed, model, settings } = plan
  const steps = model.steps ?? Math.min(plan.steps, mostSteps)
  const perImage = steps + predictionsOfUpdates(Math.min(transitions, steps))
  const perRollout = (iterations * perImage + 2 * pairsEach * steps) * plan.predictionSeconds
  const secondsFor = (rollouts: number) => rollouts * perRollout + 2 * plan.openSeconds
  const rollouts = Math.min(most, Math.floor((plan.mostSeconds - 2 * plan.openSeconds) / perRollout))
  if (rollouts < fewest) {
    const minutes = Math.ceil(secondsFor(fewest) / 60) + 1
    const said = `it would take about ${durationText(secondsFor(fewest))} with as few images as say anything`
    return notTried('reward', said, `give it --minutes ${minutes}, a smaller --resolution, fewer --steps, or a GPU`)
  }
  const images = iterations * rollouts
  process.stderr.write(`check: ${images} images with ${steps} steps, about ${clock(secondsFor(rollouts))}\n`)
  const out = join(folder, 'rise')
  const began = performance.now()
  try {
    const training = {
      ...{ imagesDrawn: images, rolloutsPerIteration: rollouts, transitionsPerRollout: Math.min(transitions, steps) },
      // Nothing holds it back from the reward.
      ...{ klWeight: 0, steps, out },
    }
    await workers.run({ kind: 'train', settings: { ...settings, ...training } })
    const pairs = pairsEach * rollouts
    const compared = { policy: out, reward, prompts, pairs, batchSize: plan.batchSize, seed }
    const scored = await workers.run<Scored>({ kind: 'compare', model: { ...model, steps }, plan: compared })
    return judged(reward, scored, `after ${images} images in ${clock((performance.now() - began) / 1000)}`)
  } catch (error) {
    if (!(error instanceof AttuneError)) throw error
    return failedBy('reward', error)
  }
}

function judged(reward: string, { base, policy }: Scored, after: string): Finding {
  const mean = (scores: readonly number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length
  const shown = (score: number) => score.toPrecision(4)
  // Pairs are what is resampled: the prompts are those that were trained on.
  const rise = bootstrapMean([policy.map((score, i) => score - base[i])], { seed: 0 })
  const figures = `from ${shown(mean(base))} to ${shown(mean(policy))}, ${rise.mean < 0 ? '' : '+'}${shown(rise.mean)} (95 %: ${shown(rise.low)} … ${shown(rise.high)}) over ${base.length} pairs of the same noise, ${after}` // prettier-ignore
  if (rise.low > 0) return pass('reward', `${reward} rose ${figures}`)
  return fail('reward', `${reward} did not rise: ${figures}`, 'more --minutes or a higher --learning-rate may show it; where neither does, nothing is learned from this reward on this model') // prettier-ignore
}
