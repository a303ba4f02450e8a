/** Answers to look at, and labels about which raters differ. */
import { english } from '../speech.ts'

const { counted, figure, form } = english

export const flags = {
  title: 'Answers to look at',
  about:
    'Given faster than a person can look, against a known answer, or at odds with another answer of the same rater. They train rewards, and votes count, until you leave them out.',
  which: 'Which answers',
  open: (count: number) => `Open (${figure(count)})`,
  leftOut: (count: number) => `Left out (${figure(count)})`,
  kept: (count: number) => `Kept (${figure(count)})`,
  kind: 'Kind',
  allKinds: 'All kinds',
  kinds: {
    fast: 'Too fast to have looked',
    gold: 'Known answer missed',
    changed: 'Answered both ways',
    cycle: 'Goes round in a circle',
    against: 'Verdict against comparison',
  },
  kindAndCount: (kind: string, count: number) => `${kind} (${figure(count)})`,
  nothing: 'Nothing to look at.',
  none: 'None.',
  more: 'More answers to look at',
  gone: 'an image that is gone',
  takeIn: 'Take in again',
  lookAgain: 'Look at it again',
  askedAgain: (when: string) => `asked again ${when}`,
  askAgain: 'Ask again',
  leaveOut: 'Leave out',
  keep: 'Keep',

  skipped: 'skipped',
  better: (better: string, worse: string) => `${better} is better than ${worse}`,
  alike: (first: string, second: string) => `${first} and ${second} are alike`,
  bothBad: (first: string, second: string) => `${first} and ${second} are both bad`,
  ofSeven: (value: string) => `${value} of 7`,
  order: (names: readonly string[]) => `order: ${names.join(', ')}`,
  answers: { good: 'good', bad: 'bad', tie: 'tie', skip: 'skipped' },

  disagreements: 'Disagreements to settle',
  moreDisagreements: 'More disagreements',
  differ: (labels: number, asked: number, settled: number) =>
    `${counted(labels, { one: 'label', other: 'labels' })} on which raters differ and no answer has most of them behind it; ${figure(asked)} with another rater, ${figure(settled)} settled.`,
  askAboutAll: (labels: number) =>
    `Ask a third rater about ${form(labels, { one: 'the one', other: `all ${figure(labels)}` })} shown`,
  sides: { first: 'left is better', second: 'right is better', 'both-bad': 'both bad' },
  whatAbout: 'What raters differ about',
  misses: (word: string) => `misses “${word}”`,
  askThird: 'Ask a third rater',
  asked: (when: string) => `asked ${when}`,
}
