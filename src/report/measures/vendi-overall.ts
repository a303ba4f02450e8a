/** How many different images a policy draws over all prompts. */
import { everyNth } from '../feature-rows.ts'
import { plainNumber, whole } from '../format.ts'
import { subsetInterval } from '../interval.ts'
import { vendiScore } from '../vendi-score.ts'
import { frechetSubsets } from './frechet.ts'
import type { Measure } from './measure.ts'

export const vendiOverall = {
  name: 'vendi-overall',
  title: 'Vendi score, all prompts',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'diversity',
  note({ details }) {
    const images = details?.measurement?.frechetSubsets?.images
    return images === undefined ? undefined : `of at most ${whole(images)}`
  },
  explanation: () => undefined,
  of: ({ features }) => subsetInterval(everyNth(features, frechetSubsets).map(vendiScore)),
} as const satisfies Measure
