/** How many different images a policy draws of one prompt. */
import { plainNumber, whole } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { vendiScore } from '../vendi-score.ts'
import { bootstrapOf, featuresByPrompt, type Measure } from './measure.ts'

export const vendiWithin = {
  name: 'vendi-within',
  title: 'Vendi score, within a prompt',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'diversity',
  note: ({ details }) => {
    const images = details?.measurement?.imagesPerPrompt
    return images === undefined ? undefined : `of at most ${whole(images)}`
  },
  explanation: () =>
    'How many different images there are (Friedman & Dieng 2023): exp of the entropy of the eigenvalues of K/n, where K has the cosines between the features of n images. It is 1 where all point one way, n where all are at right angles. Within a prompt: the mean over prompts. Over all prompts: the mean over the subsets of the Fréchet distance.',
  of: (set) =>
    bootstrapMean(
      featuresByPrompt(set).map((rows) => [vendiScore(rows)]),
      bootstrapOf(set),
    ),
} as const satisfies Measure
