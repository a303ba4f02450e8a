/** What held-out judgments prove of a reward, in words, and about how many more labels it would take. Pure. */
import { labelsUntilAhead } from '../label-curve.ts'

/** Figures of a reward as they are known: null where there is none. */
export interface HeldOutFigures {
  /** Labels. */
  readonly n: number
  /** Pairs of images. */
  readonly comparisons: number
  readonly auc: number | null
  readonly aucInterval: readonly [number, number] | null
  readonly clipScoreAuc: number | null
  readonly pairAccuracy: number | null
  readonly pairAccuracyInterval: readonly [number, number] | null
}

export interface MeasuredReward {
  /** What it has learned from: labels, and pairs of images. */
  readonly labels: number
  readonly comparisons: number
  readonly heldOut: HeldOutFigures | null
  /** It judges by the encoder of the embedded world, of which it was measured what labels buy. */
  readonly isEmbedded: boolean
}

/** A figure of a reward beside what it has to be above. */
interface Evidence {
  readonly of: 'AUC' | 'pairs in order'
  readonly value: number
  readonly interval: readonly [number, number]
  /** Chance, or what the CLIP score reaches on the same images where that is more. */
  readonly bar: number
  /** `11 held-out labels` */
  readonly on: string
}

const chance = 0.5
const [leastWanted, mostWanted] = [20, 5000]

function evidenceOf(heldOut: HeldOutFigures): Evidence | undefined {
  const { n, comparisons, auc, aucInterval, clipScoreAuc, pairAccuracy, pairAccuracyInterval } = heldOut
  if (auc !== null && aucInterval !== null) {
    const bar = Math.max(chance, clipScoreAuc ?? chance)
    return { of: 'AUC', value: auc, interval: aucInterval, bar, on: counted(n, 'held-out label') }
  }
  if (pairAccuracy === null || pairAccuracyInterval === null) return undefined
  return {
    of: 'pairs in order',
    value: pairAccuracy,
    interval: pairAccuracyInterval,
    bar: chance,
    on: counted(comparisons, 'held-out pair'),
  }
}

/**
 * Why no policy should follow a reward, with the figure and its 95 % interval; null where the interval lies above chance and
 * above the CLIP score.
 */
export function rewardLack(name: string, reward: MeasuredReward): string | null {
  const { heldOut } = reward
  if (heldOut === null) return `${name} was measured on no held-out prompts: label images of more prompts.`
  const evidence = evidenceOf(heldOut)
  if (evidence === undefined)
    return `${name} was measured on too few held-out labels to tell: label images of more prompts.`
  const { of, value, interval, bar, on } = evidence
  const [low, high] = interval
  if (low > bar) return null
  const figures = `${of} ${told(value)}, ${told(low)} … ${told(high)}, on ${on}`
  const wanted = labelsWanted(reward)!
  const more = `about ${wanted} more labels`
  if (low <= chance) {
    const is = value <= chance ? 'is no better than chance yet' : 'is not shown to be better than chance yet'
    return `${name} ${is} (${figures}): ${more}.`
  }
  return `${name} is better than chance, but not shown to be better than the CLIP score, which is there without any label (${told(bar)}; ${figures}): ${more}.`
}

/**
 * About how many more labels it takes until a reward is shown to be better than chance and than the CLIP score. Were it as
 * good as it seems, its interval narrows with the root of their number; where it seems no better at all, as many again. What
 * was measured of the embedded world says when a reward goes ahead of the CLIP score at all. Rounded; undefined where nothing
 * was measured.
 */
export function labelsWanted({ labels, comparisons, heldOut, isEmbedded }: MeasuredReward): number | undefined {
  const evidence = heldOut === null ? undefined : evidenceOf(heldOut)
  if (evidence === undefined) return undefined
  const { of, value, interval, bar } = evidence
  const had = of === 'AUC' ? labels : comparisons
  const ahead = value - bar
  const byInterval = ahead <= 0 ? had : had * (((value - interval[0]) / ahead) ** 2 - 1)
  // What is not even better than chance has another trouble than the CLIP score.
  const isBehindClip = of === 'AUC' && bar > chance && interval[0] > chance && ahead < 0.01
  const more = isBehindClip && isEmbedded ? Math.max(byInterval, labelsUntilAhead(had)) : byInterval
  const step = more < 100 ? 10 : 50
  return Math.min(mostWanted, Math.max(leastWanted, Math.ceil(more / step) * step))
}

const told = (value: number) => value.toFixed(2)
const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`
