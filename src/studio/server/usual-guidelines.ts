import type { Guidelines } from '../schemas/labelling.ts'

/** Until an admin writes others; example images come with them where there are some: usual-examples.ts. Pages in another language say the same in theirs: web/texts/de/usual.ts. */
export const usualGuidelines: Omit<Guidelines, 'examples'> = {
  text: [
    '# What to look at',
    'Read the prompt, then look at the image. Call it good when everything that the prompt says is right: the object, its colour, how many there are, and the background.',
    '# In doubt',
    '- One thing wrong is bad.',
    '- Skip when you cannot tell.',
    '- What the prompt does not mention does not matter.',
    '- A plural without a number asks for no number: for “red circles” one red circle is right as well. A number counts exactly.',
  ].join('\n\n'),
  reasons: [
    { code: 'wrong-object', label: 'wrong object' },
    { code: 'wrong-color', label: 'wrong colour' },
    { code: 'wrong-count', label: 'wrong number' },
    { code: 'wrong-background', label: 'wrong background' },
    { code: 'distorted', label: 'distorted' },
    { code: 'unpleasant', label: 'unpleasant' },
  ],
  consent: '',
}
