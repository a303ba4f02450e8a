/** All measures, in the order of the table: report.json, the page and the results of the recipes read this list. */
import { alignment } from './alignment.ts'
import { coverage } from './coverage.ts'
import { density } from './density.ts'
import { differenceToBase } from './difference-to-base.ts'
import { diversity } from './diversity.ts'
import { frechet } from './frechet.ts'
import { heldOutChange } from './held-out-change.ts'
import { heldOutReward } from './held-out-reward.ts'
import { kernelDistance } from './kernel-distance.ts'
import { kl } from './kl.ts'
import { meanReward } from './mean-reward.ts'
import type { EvaluatedSet, Measure } from './measure.ts'
import { objectsAsAsked } from './objects-as-asked.ts'
import { peopleAlignment, peopleFidelity } from './people.ts'
import { precision } from './precision.ts'
import { recall } from './recall.ts'
import { validShare } from './valid-share.ts'
import { vendiOverall } from './vendi-overall.ts'
import { vendiWithin } from './vendi-within.ts'
import { winRate } from './win-rate.ts'

/** All measures, in the order of a report. */
export const measures: readonly Measure[] = [
  alignment,
  winRate,
  differenceToBase,
  objectsAsAsked,
  heldOutReward,
  heldOutChange,
  peopleAlignment,
  peopleFidelity,
  frechet,
  kernelDistance,
  precision,
  density,
  validShare,
  recall,
  coverage,
  diversity,
  vendiWithin,
  vendiOverall,
  meanReward,
  kl,
]

/** What a report is about: how well images do what their prompts ask for. */
export const chiefMeasure = (measuredBy: EvaluatedSet['measuredBy']): Measure =>
  measuredBy === 'judge' ? alignment : winRate
