import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, fixed, percent } = german

export const raters: Texts['raters'] = {
  about: 'Wer bewertet, wie schnell, und wie einig sich alle sind.',
  log: 'Was Admins getan haben',
  asking: 'Wie gefragt wird',
  nobody: 'Noch hat niemand bewertet',
  all: 'Alle Bewertenden',
  columns: {
    rater: 'Wer',
    answers: 'Antworten',
    seconds: 'Sekunden je Antwort',
    agreement: 'Einigkeit, κ',
    gold: 'Goldbilder',
    last: 'Zuletzt',
    trains: 'Trainiert Belohnungen',
    day: 'Tag',
    asOthers: 'Wie andere',
  },
  simulated: 'simuliert',
  shareSkipped: (share) => `${percent(share)} ausgelassen`,
  skipped: (count) => `${figure(count)} ausgelassen`,
  rightOf: (right, asked) => `${figure(right)} von ${figure(asked)}`,
  shareOf: (share, of) => `${percent(share)} von ${figure(of)}`,
  trainsOf: (name) => `Antworten von ${name} trainieren Belohnungen`,

  agreement: 'Einigkeit',
  noAgreement: 'Einigkeit wird an dem gemessen, was zwei oder mehr bewertet haben. Noch wurde nichts zweimal bewertet.',
  kinds: { 'good-bad-skip': 'Gut oder schlecht', pair: 'Paare', rating: 'Punkte', ranking: 'Reihenfolgen' },
  judgedBySeveral: (items, raters) =>
    `${counted(items, { one: 'Frage', other: 'Fragen' })}, von mindestens zwei unter ${counted(raters, { one: 'Person', other: 'Personen' })} beantwortet`,
  alphaNominal: 'Krippendorffs α, nominal',
  alphaOrdinal: 'Krippendorffs α, ordinal',
  fleissKappa: 'κ nach Fleiss',
  notDefined: 'nicht definiert',
  cohensKappa: 'κ nach Cohen, je zwei Personen',
  and: 'und',
  allEqual: 'Alle Antworten sind gleich, daher lässt sich Einigkeit nicht vom Zufall unterscheiden.',
  inBrackets: 'In Klammern: 95‑%‑Intervalle, ab fünf Fragen. 1 ist völlige Einigkeit, 0 ist Zufall.',

  settle: 'Strittiges klären',
  dayByDay: 'Wie viel, wie schnell und wie einig mit anderen, Tag für Tag.',
  allAnswers: 'Alle Antworten',
  moreAnswers: 'Weitere Antworten',
  later: 'Spätere',
  earlier: 'Frühere',
  image: (name) => `Bild ${name}`,
  left: 'links',
  right: 'rechts',
  after: (seconds) => `nach ${fixed(seconds, 1)} s`,
  leftOut: 'ausgeschlossen',
  overtaken: 'zurückgenommen oder geändert',
}
