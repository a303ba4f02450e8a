/** Blind votes between two policies. */
import { english } from '../speech.ts'

const { counted } = english

export const vote = {
  comparisons: 'Compare',
  twoModels: 'Two models have drawn the same prompts. Which one did better?',
  noComparisons: 'Nothing to compare yet',
  adminStarts: 'An admin starts a comparison; then you can vote here.',
  voteBlind: 'Vote blind',
  prompts: (count: number) => counted(count, { one: 'prompt', other: 'prompts' }),
  title: 'Vote',
  whatIsCompared: 'What is compared',
  forms: { single: 'Single pairs', set: 'Sets' },
  question: 'Question',
  properties: { alignment: 'Alignment', fidelity: 'Quality' },
  questions: {
    alignment: 'Which side shows the prompt better?',
    fidelity: 'Which side is the better picture?',
  },
  voted: 'Voted',
  nothing: 'Nothing to vote on here',
  nothingWhy: 'The images may not be drawn yet, or both sides drew the same.',
  allCast: 'All votes are cast. Thank you!',
  otherForm: 'You may vote in another form, or on the other question.',
  seeResult: 'See the result',
  decided: 'It is decided: the votes of all raters show which one is better. You may go on.',
  wanted: (count: number) => `About ${counted(count, { one: 'more vote', other: 'more votes' })} would decide it.`,
  wantedAtLeast: (count: number) =>
    `At least ${counted(count, { one: 'more vote is', other: 'more votes are' })} needed to tell them apart.`,
  opened: 'You have seen which policy drew what',
  openedWhy: 'Your votes on this comparison count, and have ended: those that came now would not be blind.',
  how: 'Both sides come from the same prompt. Which policy drew which is not told, and sides change at random.',
}
