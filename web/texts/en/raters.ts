/** Who judges, how far they agree, one rater over time, and who may come in. */
import { english } from '../speech.ts'

const { counted, figure, fixed, percent } = english

export const raters = {
  about: 'Who judges, how fast, and how well they agree.',
  log: 'What admins did',
  asking: 'How raters are asked',
  nobody: 'Nobody has judged yet',
  all: 'All raters',
  columns: {
    rater: 'Rater',
    answers: 'Answers',
    seconds: 'Seconds each',
    agreement: 'Agreement, κ',
    gold: 'Gold',
    last: 'Last',
    trains: 'Trains rewards',
    day: 'Day',
    asOthers: 'As others said',
  },
  simulated: 'simulated',
  shareSkipped: (share: number) => `${percent(share)} skipped`,
  skipped: (count: number) => `${figure(count)} skipped`,
  rightOf: (right: number, asked: number) => `${figure(right)} of ${figure(asked)}`,
  shareOf: (share: number, of: number) => `${percent(share)} of ${figure(of)}`,
  trainsOf: (name: string) => `Answers of ${name} train rewards`,

  agreement: 'Agreement',
  noAgreement: 'Agreement is measured on what two raters or more have judged. So far nothing was judged twice.',
  kinds: { 'good-bad-skip': 'Good or bad', pair: 'Pairs', rating: 'Ratings', ranking: 'Rankings' },
  judgedBySeveral: (items: number, raters: number) =>
    `${counted(items, { one: 'item', other: 'items' })} judged by two or more of ${counted(raters, { one: 'rater', other: 'raters' })}`,
  alphaNominal: 'Krippendorff’s α, nominal',
  alphaOrdinal: 'Krippendorff’s α, ordinal',
  fleissKappa: 'Fleiss’ κ',
  notDefined: 'not defined',
  cohensKappa: 'Cohen’s κ of two raters',
  and: 'and',
  allEqual: 'All answers are equal, so agreement cannot be told from chance.',
  inBrackets: 'In brackets: 95 % intervals, where there are five items or more. 1 is full agreement, 0 is chance.',

  settle: 'Disagreements to settle',
  dayByDay: 'How much, how fast, and how far in agreement with others, day by day.',
  allAnswers: 'All answers',
  moreAnswers: 'More answers',
  later: 'Later',
  earlier: 'Earlier',
  image: (name: string) => `Image ${name}`,
  left: 'left',
  right: 'right',
  after: (seconds: number) => `after ${fixed(seconds, 1)} s`,
  leftOut: 'left out',
  overtaken: 'taken back or changed',
}
