/** Words of plain English that a prompt of any kind may vary in, where no vocabulary says which words there are. */
import type { PromptVocabulary } from './vocabulary.ts'

/** The eleven basic colour words of English (Berlin & Kay 1969). */
const colors = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'white', 'gray']
const counts = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

const wordsWith = (gray: string): PromptVocabulary => {
  const spelled = colors.map((color) => (color === 'gray' ? gray : color))
  return { objects: [], colors: spelled, counts, backgrounds: spelled }
}
const american = wordsWith('gray')
const british = wordsWith('grey')

/** Colours and numbers, gray as the text spells it. Objects and places are not among them. */
export function generalWords(text: string): PromptVocabulary {
  return /\bgrey\b/i.test(text) ? british : american
}
