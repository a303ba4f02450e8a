import type { Texts } from '../en.ts'

export const vote: Texts['vote'] = {
  title: 'Abstimmen',
  whatIsCompared: 'Was verglichen wird',
  forms: { single: 'Einzelne Paare', set: 'Gruppen' },
  question: 'Frage',
  properties: { alignment: 'Treue zum Prompt', fidelity: 'Bildqualität' },
  questions: {
    alignment: 'Welche Seite zeigt besser, was verlangt ist?',
    fidelity: 'Welche Seite ist das bessere Bild?',
  },
  voted: 'Abgestimmt',
  nothing: 'Hier gibt es nichts abzustimmen',
  nothingWhy: 'Vielleicht sind die Bilder noch nicht gezeichnet, oder beide Seiten haben dasselbe gezeichnet.',
  allCast: 'Alle Stimmen sind abgegeben. Vielen Dank!',
  otherForm: 'Sie können noch in der anderen Form oder zur anderen Frage abstimmen.',
  seeResult: 'Ergebnis ansehen',
  how: 'Beide Seiten gehören zum selben Prompt. Welches Modell welche gezeichnet hat, wird nicht verraten, und die Seiten wechseln zufällig.',
}
