/** All measures, in the order of the table: report.json, the page and the results of the recipes read this list. */
import { alignment } from './alignment.ts'
import { differenceToBase } from './difference-to-base.ts'
import { diversity } from './diversity.ts'
import { frechet } from './frechet.ts'
import { kl } from './kl.ts'
import { meanReward } from './mean-reward.ts'
import type { EvaluatedSet, Measure } from './measure.ts'
import { validShare } from './valid-share.ts'
import { winRate } from './win-rate.ts'

/** All measures, in the order of a report. */
export const measures: readonly Measure[] = [
  alignment,
  winRate,
  differenceToBase,
  frechet,
  validShare,
  diversity,
  meanReward,
  kl,
]

/** What a report is about: how well images do what their prompts ask for. */
export const chiefMeasure = (measuredBy: EvaluatedSet['measuredBy']): Measure =>
  measuredBy === 'judge' ? alignment : winRate
