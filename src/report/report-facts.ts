/** What sentences about a report name. */
import type { Report } from './schema.ts'

export const isJudged = ({ policies }: Pick<Report, 'policies'>): boolean => policies[0].seen.measuredBy === 'judge'

/** The reward that stands for a judge. */
export const scorerOf = ({ details }: Report): string => details?.measurement?.scorer ?? 'a reward'

/** The features in which images are compared, as a phrase that ends with how images were resized for them. */
export function spaceOf(report: Report): string {
  const { features } = report.details?.measurement ?? {}
  if (features !== undefined) return `the ${features.width} features of ${features.network} (${features.resize})`
  return isJudged(report)
    ? 'the features of a network that no reward uses'
    : `the image features of the CLIP network by which ${scorerOf(report)} scores`
}

/** What the Fréchet distance is to. */
export const referenceOf = (report: Report): string =>
  isJudged(report) ? 'true renders' : (report.details?.measurement?.reference ?? 'reference images')
