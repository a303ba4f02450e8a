/** How far the images of a policy are from those that they should be like, without a bias of few images. */
import { compact, whole, type Unit } from '../format.ts'
import { everyNth } from '../feature-rows.ts'
import { subsetInterval } from '../interval.ts'
import { kernelDistance as distanceOf } from '../kernel-distance.ts'
import { isJudged, referenceOf } from '../report-facts.ts'
import type { Measure } from './measure.ts'

/** Images of a subset, of which there are at least four and, where enough images are there, at least ten. */
const subsetSize = { least: 50, most: 1000 }

const thousandths: Unit = { text: '× 10⁻³', write: (value) => compact(1000 * value) }

/** How many disjoint subsets of so many images. */
function kernelSubsets(images: number): number {
  const wanted = Math.min(10, Math.floor(images / subsetSize.least))
  return Math.max(4, wanted, Math.ceil(images / subsetSize.most))
}

export const kernelDistance = {
  name: 'kernel-distance',
  title: 'Kernel distance',
  unit: thousandths,
  better: 'lower',
  needs: 'images',
  section: 'quality',
  note: (report) => `to ${referenceOf(report)}`,
  explanation: (report) =>
    `KID (Bińkowski et al. 2018): the squared maximum mean discrepancy by the kernel (x·y/d + 1)³, in the features and against the images of the Fréchet distance, without its bias: sets that are alike are at 0 on average, and some are below.${isJudged(report) ? ' No image is compared with its own true render.' : ''} Mean over disjoint subsets, at least four and of at most ${whole(subsetSize.most)} images, with Student's t.`,
  of({ features, reference, measuredBy }) {
    const subsets = kernelSubsets(Math.min(features.shape[0], reference.shape[0]))
    const theirs = everyNth(reference, subsets)
    const isPaired = measuredBy === 'judge'
    return subsetInterval(everyNth(features, subsets).map((subset, s) => distanceOf(subset, theirs[s], { isPaired })))
  },
} as const satisfies Measure
