/** The share of images that a reward scores higher than the base's, where there is no judge. */
import { percentage } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { scorerOf } from '../report-facts.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const winRate = {
  name: 'win-rate',
  title: 'Win rate',
  unit: percentage,
  better: 'higher',
  needs: 'scorer',
  section: 'splits',
  ofBase: 0.5,
  note: () => "against the base's; ties count half",
  explanation: (report) =>
    `The share of images that ${scorerOf(report)} scores higher than the base's image of the same prompt and noise; equal scores count half, so the base has 50 % by definition. Every prompt weighs the same. A win says nothing of how much higher the score is, and is worth as much as the scorer's taste.`,
  of: (set) => bootstrapMean(set.aligned, bootstrapOf(set)),
} as const satisfies Measure
