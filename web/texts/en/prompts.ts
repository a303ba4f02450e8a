/** The box of prompts: from words, from a file, and what becomes of them. */
import { english } from '../speech.ts'

const { counted, figure, form } = english
const prompt = { one: 'prompt', other: 'prompts' }

export const prompts = {
  choices: 'One prompt a line; braces choose: {red|blue} circles says two.',
  choosing: (lines: number, made: number) =>
    `${counted(lines, { one: 'line that chooses says', other: 'lines that choose say' })} ${counted(made, prompt)}.`,
  broken: (line: string) => `Braces do not close in “${line}”: it is taken as it stands.`,
  repeated: (lines: number) =>
    `${counted(lines, { one: 'repeated line is', other: 'repeated lines are' })} left out: each prompt counts once.`,
  tooMany: (count: number, most: number) => `${counted(count, prompt)}: ${figure(most)} at most are taken at once.`,
  cut: (count: number, read: number) =>
    `${counted(count, prompt)} ${form(count, { one: 'is', other: 'are' })} longer than the ${read} tokens that the model reads; the end is cut off:`,
  cutOne: (text: string, tokens: number, lost: number) => `“${text}”: ${tokens} tokens, ${lost} cut off`,
  refused: (count: number) => `The model refuses ${counted(count, prompt)}:`,
  refusedOne: (text: string, reason: string) => `“${text}”: ${reason}`,
  more: (count: number) => `and ${count} more`,

  distractors: 'What a reward is shown beside them',
  distractorsWhy:
    'While a reward learns, it has to find the true prompt of a good image among wrong ones such as these. Words that it does not know are not changed.',
  noDistractors: 'none: no colour, number or object to change',
  firstOf: (shown: number, of: number) => `The first ${shown} of ${figure(of)}.`,

  fromWords: 'Make prompts from words',
  categories: { color: 'Colours', count: 'Numbers', background: 'Backgrounds', combination: 'Combinations' },
  add: (category: string, count: number) => `${category} (${figure(count)})`,
  addWhy: 'Adds lines to the box, which you can change there.',
  words: {
    objects: 'Objects, as circle or mouse/mice',
    colors: 'Colours',
    counts: 'Numbers, one first',
    backgrounds: 'Backgrounds',
  },

  fromFile: 'From a file',
  reading: 'Reading …',
  column: 'Column',
  readIt: 'Read it',
  foundIn: (name: string, count: number) => `${name}: ${counted(count, prompt)}`,
  addThese: (count: number) => `Add ${counted(count, prompt)}`,
  notThese: 'Leave them',
  onlyFirst: (most: number) => `The first ${figure(most)} are taken.`,
  again: (count: number) => `${counted(count, { one: 'repetition is', other: 'repetitions are' })} left out:`,
  negatives: (count: number) =>
    `${counted(count, { one: 'prompt has a negative prompt of its own', other: 'prompts have negative prompts of their own' })}, for which the box has no place. Draw them by attune images generate --prompts.`,
  wrong: (count: number) =>
    `${counted(count, { one: 'line is no prompt and', other: 'lines are no prompts and' })} left out:`,
  line: (line: number, text: string) => `line ${line}: ${text}`,
}
