/** Comparisons of policies: what is drawn, what votes came to, and how policies stand in a report. */
import {
  intervalSentence,
  severalSentence,
  verdictSentence,
  wantedSentence,
  type SaidVerdict,
} from '../../../src/report/votes/verdict-words.ts'
import { english } from '../speech.ts'

const { counted, figure, percent } = english

export const compare = {
  about: 'The same prompts and the same noise, drawn by each policy.',
  sizes: (prompts: number, images: number) =>
    `${counted(prompts, { one: 'prompt', other: 'prompts' })} × ${counted(images, { one: 'image', other: 'images' })}`,
  drawing: 'drawing',
  all: 'All comparisons',
  against: (policies: readonly string[]) => policies.join(' against '),
  collectAgain: (policy: string) => `Collect again with ${policy}`,
  areDrawn: 'The images are being drawn',
  notAllDrawn: 'Not all images are drawn',
  lookAtJobs: 'Look at the jobs',
  whenDrawn: 'The images are shown when all are drawn: who sees before which policy drew what cannot vote blind.',
  sideBySide: 'Side by side',
  voteFirst: 'Vote first, then look',
  voteFirstWhy:
    'The images are drawn. Who has seen which policy drew what cannot vote blind any more: showing them ends your votes on this comparison.',
  showSideBySide: 'Show side by side',
  askShow: 'Show which policy drew what?',
  showThem: 'Show them',
  showingEnds: 'Your votes so far count. You cannot vote on this comparison any more.',
  by: (prompt: string, policy: string) => `${prompt}, by ${policy}`,
  morePrompts: (count: number) => `Show ${counted(count, { one: 'more prompt', other: 'more prompts' })}`,

  nothing: 'Nothing to compare yet',
  nothingWhy: 'A comparison needs a policy beside the pre-trained model.',
  fresh: 'New comparison',
  policies: 'Policies',
  prompts: 'Prompts',
  promptsEmpty: 'one a line; empty: prompts that no training has seen',
  howMany: 'How many prompts',
  imagesOfEach: 'Images of each',
  fourMakeASet: 'Four make a set that can be voted on as a whole.',
  starting: 'Starting …',
  start: 'Draw and compare',

  voted: 'What people voted',
  nobodyVoted: 'Nobody has voted yet. Votes are blind: which side is which policy is not told.',
  questions: { alignment: 'Which shows the prompt better?', fidelity: 'Which is the better picture?' },
  forms: { single: 'single pairs', set: 'sets of images' },
  /** The second one may be the pre-trained model, null. */
  verdict: (said: Pick<SaidVerdict, 'better'>, first: string, second: string | null) =>
    `${verdictSentence(said, first, second ?? 'the pre-trained model')}.`,
  counts: (won: number, tied: number, lost: number) =>
    [
      counted(won, { one: 'win', other: 'wins' }),
      counted(tied, { one: 'tie', other: 'ties' }),
      counted(lost, { one: 'loss', other: 'losses' }),
    ].join(', '),
  several: (verdicts: number) => severalSentence(verdicts),
  interval: (said: SaidVerdict) => intervalSentence(said),
  wanted: (said: SaidVerdict) => wantedSentence(said),
  byTwoThirds: (first: number, second: number, undecided: number) =>
    `With at least two thirds of the votes on a prompt: ${figure(first)} won, ${figure(second)} lost, ${figure(undecided)} undecided.`,
  votes: (votes: number, raters: number) =>
    `${counted(votes, { one: 'vote', other: 'votes' })} of ${counted(raters, { one: 'rater', other: 'raters' })}; what was compared counts once, however many voted on it.`,

  alignmentAndFidelity: 'Alignment and fidelity',
  placed: (name: string, alignment: number, frechet: number) =>
    `${name}: alignment ${percent(alignment)}, Fréchet distance ${figure(frechet)}`,
  frechetAxis: 'Fréchet distance, smaller is closer to true pictures →',
  alignmentAxis:
    'Up: share of images that show everything in their prompt, on seen prompts. Lines are 95\u00a0% intervals.',
}
