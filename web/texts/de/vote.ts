import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted } = german

export const vote: Texts['vote'] = {
  comparisons: 'Vergleichen',
  twoModels: 'Zwei Modelle haben dieselben Prompts gezeichnet. Welches hat es besser gemacht?',
  noComparisons: 'Noch gibt es nichts zu vergleichen',
  adminStarts: 'Ein Admin beginnt einen Vergleich; dann können Sie hier abstimmen.',
  voteBlind: 'Blind abstimmen',
  prompts: (count) => counted(count, { one: 'Prompt', other: 'Prompts' }),
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
  decided: 'Es ist entschieden: Die Stimmen aller zeigen, was besser ist. Sie dürfen weitermachen.',
  wanted: (count) =>
    `Etwa ${counted(count, { one: 'weitere Stimme', other: 'weitere Stimmen' })} würden es entscheiden.`,
  wantedAtLeast: (count) =>
    `Mindestens ${counted(count, { one: 'weitere Stimme ist nötig', other: 'weitere Stimmen sind nötig' })}, um einen Unterschied zu sehen.`,
  opened: 'Sie haben gesehen, welches Modell was gezeichnet hat',
  openedWhy: 'Ihre Stimmen zu diesem Vergleich zählen. Weitere wären nicht mehr blind.',
  how: 'Beide Seiten gehören zum selben Prompt. Welches Modell welche gezeichnet hat, wird nicht verraten, und die Seiten wechseln zufällig.',
}
