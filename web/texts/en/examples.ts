/** Example images of the guidelines: for raters, and where they are chosen. */
import { english } from '../speech.ts'

const { counted } = english

export const examples = {
  title: 'Examples',
  answers: { good: 'Good', bad: 'Bad' },
  deleted: (count: number) => `${counted(count, { one: 'example was', other: 'examples were' })} deleted since.`,
  choose: 'Example images',
  hint: 'Raters find them below the text. Nobody is asked about an image that has been an example, gold or not.',
  none: 'None: raters read the text alone.',
  note: (prompt: string) => `Why, for “${prompt.slice(0, 120)}”`,
  notePlaceholder: 'Why (optional)',
  add: 'Add examples',
  doneAdding: 'Done adding',
  full: (most: number) => `There are ${most}, which is all that fit.`,
}
