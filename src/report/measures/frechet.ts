/** How far the images of a policy are from those that they should be like. */
import { everyNth } from '../feature-rows.ts'
import { distance, whole } from '../format.ts'
import { frechetDistance } from '../frechet.ts'
import { subsetInterval } from '../interval.ts'
import { isJudged, referenceOf, spaceOf } from '../report-facts.ts'
import type { Measure } from './measure.ts'

/** Disjoint subsets for the interval, each spread over all prompts. */
export const frechetSubsets = 4

export const frechet = {
  name: 'frechet',
  title: 'Fréchet distance',
  unit: distance,
  better: 'lower',
  needs: 'images',
  section: 'quality',
  note: (report) => `to ${referenceOf(report)}`,
  explanation(report) {
    const subsets = report.details?.measurement?.frechetSubsets
    const between = isJudged(report)
      ? `Between the images and true renders of the attributes that the judge read from them, in ${spaceOf(report)}; the same number of images for every policy.`
      : `Between a policy's images and ${referenceOf(report)}, in ${spaceOf(report)}; the same number of images for every policy. Few images make a Fréchet distance too large, about equally for every policy, so compare it within this page only. It says how far the two are apart, not which are better.`
    return `${between} Its interval comes from ${subsets ? `${subsets.subsets} disjoint subsets of ${whole(subsets.images)} images` : 'disjoint subsets'} (Student's t).`
  },
  of({ features, reference }) {
    const theirs = everyNth(reference, frechetSubsets)
    const distances = everyNth(features, frechetSubsets).map((subset, s) => frechetDistance(subset, theirs[s]))
    const { mean, low, high } = subsetInterval(distances)
    // The interval is Student's: below zero there is no distance.
    return { mean, low: Math.max(0, low), high }
  },
} as const satisfies Measure
