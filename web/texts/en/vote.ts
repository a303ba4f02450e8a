/** Blind votes between two policies. */
export const vote = {
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
  how: 'Both sides come from the same prompt. Which policy drew which is not told, and sides change at random.',
}
