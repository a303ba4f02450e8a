/** The share of images that are a valid picture of anything. */
import { percentage } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const validShare = {
  name: 'valid-share',
  title: 'Clean renders',
  unit: percentage,
  better: 'higher',
  needs: 'judge',
  section: 'quality',
  note: () => 'of images',
  explanation: () => 'The share of images that are a clean picture of something, whatever the prompt asked for.',
  of: (set) => (set.clean === null ? undefined : bootstrapMean(set.clean, bootstrapOf(set))),
} as const satisfies Measure
