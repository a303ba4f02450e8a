/** The share of images that show everything their prompt asks for, as a judge reads them. */
import { percentage } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const alignment = {
  name: 'alignment',
  title: 'Alignment',
  unit: percentage,
  better: 'higher',
  needs: 'judge',
  section: 'splits',
  explanation: () =>
    'The share of images in which every attribute that the prompt states (object, colour, count, background) is right. A judge program reads the attributes from the pixels. It serves this report and the simulated rater alone: no checkpoint, stopping time or coefficient was chosen by it. Every prompt weighs the same.',
  of: (set) => bootstrapMean(set.aligned, bootstrapOf(set)),
} as const satisfies Measure
