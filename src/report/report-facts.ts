/** What sentences about a report name. */
import type { Report } from './schema.ts'

export const isJudged = ({ policies }: Pick<Report, 'policies'>): boolean => policies[0].seen.measuredBy === 'judge'

/** The reward that stands for a judge. */
export const scorerOf = ({ details }: Report): string => details?.measurement?.scorer ?? 'a reward'

/** What the Fréchet distance is to. */
export const referenceOf = (report: Report): string =>
  isJudged(report) ? 'true renders' : (report.details?.measurement?.reference ?? 'reference images')
