import type { RewardSummary } from '../src/studio/schemas/runs.ts'

const [least, most] = [20, 5000]

/**
 * About how many more answers it would take until a reward is shown to be better than chance and than the CLIP score, were
 * it as good as it seems: its interval narrows with the root of their number. Where it seems no better at all, as many
 * again. Rounded; undefined where nothing was measured.
 */
export function labelsWanted({
  labels,
  comparisons,
  heldOut,
}: Pick<RewardSummary, 'labels' | 'comparisons' | 'heldOut'>): number | undefined {
  if (heldOut === null) return undefined
  const { auc, aucInterval, clipScoreAuc, pairAccuracy, pairAccuracyInterval } = heldOut
  const byLabels = auc !== null && aucInterval !== null
  const value = byLabels ? auc : pairAccuracy
  const low = byLabels ? aucInterval[0] : pairAccuracyInterval?.[0]
  if (value === null || low === undefined) return undefined
  const ahead = value - (byLabels ? Math.max(0.5, clipScoreAuc ?? 0.5) : 0.5)
  const had = byLabels ? labels : comparisons
  const more = ahead <= 0 ? had : had * (((value - low) / ahead) ** 2 - 1)
  const step = more < 100 ? 10 : 50
  return Math.min(most, Math.max(least, Math.ceil(more / step) * step))
}
