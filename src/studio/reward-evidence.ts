/** What held-out judgments prove of a reward, in words, and about how many more labels it would take. Pure. */
import { labelsUntilAhead } from '../label-curve.ts'
import { moreUntilClear } from '../more-until-clear.ts'
import type { RewardLack } from './schemas/runs.ts'

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

type Evidence = NonNullable<RewardLack['figures']>

const chance = 0.5

function evidenceOf(heldOut: HeldOutFigures): Evidence | undefined {
  const { n, comparisons, auc, aucInterval, clipScoreAuc, pairAccuracy, pairAccuracyInterval } = heldOut
  if (auc !== null && aucInterval !== null) {
    const bar = Math.max(chance, clipScoreAuc ?? chance)
    return { of: 'auc', value: auc, interval: [...aucInterval], bar, n }
  }
  if (pairAccuracy === null || pairAccuracyInterval === null) return undefined
  return { of: 'pairs', value: pairAccuracy, interval: [...pairAccuracyInterval], bar: chance, n: comparisons }
}

/** Why no policy should follow a reward; null where the interval of its figure lies above chance and above the CLIP score. */
export function rewardLack(reward: MeasuredReward): RewardLack | null {
  const { heldOut } = reward
  const figures = heldOut === null ? undefined : evidenceOf(heldOut)
  if (figures === undefined) return { kind: heldOut === null ? 'unmeasured' : 'too-few', figures: null, wanted: null }
  const [low] = figures.interval
  if (low > figures.bar) return null
  const kind = low > chance ? 'not-above-clip' : figures.value > chance ? 'not-above-chance' : 'at-chance'
  return { kind, figures, wanted: labelsWanted(reward) ?? null }
}

/** The same as a sentence. */
export function lackInWords(name: string, { kind, figures, wanted }: RewardLack): string {
  if (kind === 'unmeasured') return `${name} was measured on no held-out prompts: label images of more prompts.`
  if (figures === null) return `${name} was measured on too few held-out labels to tell: label images of more prompts.`
  const { of, value, interval, bar, n } = figures
  const [low, high] = interval
  const [title, one] = of === 'auc' ? ['AUC', 'held-out label'] : ['pairs in order', 'held-out pair']
  const told = `${title} ${near(value)}, ${near(low)} … ${near(high)}, on ${n} ${one}${n === 1 ? '' : 's'}`
  const more = `about ${wanted} more labels`
  if (kind === 'not-above-clip') {
    return `${name} is better than chance, but not shown to be better than the CLIP score, which is there without any label (${near(bar)}; ${told}): ${more}.`
  }
  const is = kind === 'at-chance' ? 'is no better than chance yet' : 'is not shown to be better than chance yet'
  return `${name} ${is} (${told}): ${more}.`
}

/**
 * About how many more labels it takes until a reward is shown to be better than chance and than the CLIP score. What was
 * measured of the embedded world says when a reward goes ahead of the CLIP score at all. Undefined where nothing was measured.
 */
export function labelsWanted({ labels, comparisons, heldOut, isEmbedded }: MeasuredReward): number | undefined {
  const evidence = heldOut === null ? undefined : evidenceOf(heldOut)
  if (evidence === undefined) return undefined
  const { of, value, interval, bar } = evidence
  const had = of === 'auc' ? labels : comparisons
  // What is not even better than chance has another trouble than the CLIP score.
  const isBehindClip = of === 'auc' && bar > chance && interval[0] > chance && value - bar < 0.01
  const ahead = isBehindClip && isEmbedded ? labelsUntilAhead(had) : 0
  return moreUntilClear(had, value, interval[0], bar, ahead)
}

const near = (value: number) => value.toFixed(2)
