/** What `reward train` says of its figures on held-out prompts. */
import type { RewardQuality } from '../training/measure-reward.ts'
import type { Ends } from '../training/prompt-interval.ts'

const figure = (value: number) => value.toFixed(3)
const within = (ends: Ends | null) => (ends === null ? '' : ` (${ends.map(figure).join(' to ')})`)

type Figures = Pick<
  RewardQuality,
  | 'n'
  | 'accuracy'
  | 'accuracyInterval'
  | 'auc'
  | 'aucInterval'
  | 'clipScoreAuc'
  | 'clipScoreAucInterval'
  | 'ece'
  | 'comparisons'
  | 'pairAccuracy'
  | 'pairAccuracyInterval'
  | 'clipScorePairAccuracy'
  | 'clipScorePairAccuracyInterval'
>

/**
 * @param prompts how many were held out
 * @returns lines: the figures with their 95 % intervals over prompts, and a warning of each that is not shown to be above
 *   that of the CLIP score, or above chance
 */
export function heldOutWords(prompts: number, quality: Figures): string[] {
  const { n, accuracy, auc, ece, comparisons, pairAccuracy, clipScoreAuc, clipScorePairAccuracy } = quality
  const lines: string[] = []
  const of = `of ${prompts} ${prompts === 1 ? 'prompt' : 'prompts'}`
  if (auc !== null && accuracy !== null && clipScoreAuc !== null) {
    lines.push(
      `held out: ${n} labels ${of}; accuracy ${figure(accuracy)}${within(quality.accuracyInterval)}, ` +
        `AUC ${figure(auc)}${within(quality.aucInterval)}, of the CLIP score ${figure(clipScoreAuc)}${within(quality.clipScoreAucInterval)}` +
        (ece === null ? '' : `, calibration error ${figure(ece)}`),
      ...doubts('its AUC', quality.aucInterval, clipScoreAuc),
    )
  }
  if (pairAccuracy !== null && clipScorePairAccuracy !== null) {
    lines.push(
      `held out: ${comparisons} comparisons ${of}; right ${figure(pairAccuracy)}${within(quality.pairAccuracyInterval)}, ` +
        `the CLIP score ${figure(clipScorePairAccuracy)}${within(quality.clipScorePairAccuracyInterval)}`,
      ...doubts('its share of right comparisons', quality.pairAccuracyInterval, clipScorePairAccuracy),
    )
  }
  return lines.length > 0 ? lines : [`held out: judgments ${of}, which tell no image from another`]
}

/** @param share of the CLIP score in the reward, by what judgments of prompts that a fit had not seen are foretold with */
export function clipShareWords(share: number): string {
  const percent = Math.round(100 * share)
  const more = share > 0.5 ? '; more judgments, of more prompts, would give what was learned more say' : ''
  return `the reward is ${percent} % CLIP score and ${100 - percent} % what was learned${more}`
}

/** An interval that holds chance, or what the CLIP score reaches without any training, proves nothing. */
function doubts(what: string, interval: Ends | null, clipScore: number): string[] {
  const remedy = 'judge more images, of more prompts, before a policy follows it'
  if (interval === null) return [`warning: ${what} has no interval, since a single prompt was held out; ${remedy}`]
  const bar = Math.max(0.5, clipScore)
  if (interval[0] > bar) return []
  const than = bar === 0.5 ? 'chance, 0.500' : `the CLIP score, ${figure(bar)}`
  return [`warning: the reward is not shown to be better than ${than}: ${what} lies${within(interval)}; ${remedy}`]
}
