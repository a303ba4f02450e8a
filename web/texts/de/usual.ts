import type { Texts } from '../en.ts'

export const usual: Texts['usual'] = {
  '# What to look at': '# Worauf Sie achten',
  'Read the prompt, then look at the image. Call it good when everything that the prompt says is right: the object, its colour, how many there are, and the background.':
    'Lesen Sie den Prompt, und sehen Sie dann das Bild an. Nennen Sie es gut, wenn alles stimmt, was der Prompt sagt: der Gegenstand, seine Farbe, die Anzahl und der Hintergrund.',
  '# In doubt': '# Im Zweifel',
  '- One thing wrong is bad.': '- Ist etwas falsch, so ist das Bild schlecht.',
  '- Skip when you cannot tell.': '- Lassen Sie aus, was Sie nicht entscheiden können.',
  '- What the prompt does not mention does not matter.': '- Was der Prompt nicht erwähnt, spielt keine Rolle.',
  '- A plural without a number asks for no number: for “red circles” one red circle is right as well. A number counts exactly.':
    '- Eine Mehrzahl ohne Zahl verlangt keine Anzahl: Bei „red circles“ ist auch ein roter Kreis richtig. Eine Zahl gilt genau.',
  'wrong object': 'falscher Gegenstand',
  'wrong colour': 'falsche Farbe',
  'wrong number': 'falsche Anzahl',
  'wrong background': 'falscher Hintergrund',
  distorted: 'verzerrt',
  unpleasant: 'unschön',
  'A plural without a number: one is right as well.': 'Eine Mehrzahl ohne Zahl: Auch eines ist richtig.',
  'A number counts exactly, and these are three.': 'Eine Zahl gilt genau, und das sind drei.',
  'The prompt does not mention the background: any is right.':
    'Den Hintergrund erwähnt der Prompt nicht: Jeder ist richtig.',
  'One thing wrong is bad: here the background.': 'Ist etwas falsch, so ist das Bild schlecht: hier der Hintergrund.',
}
