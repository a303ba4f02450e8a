import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, listed } = german

export const rewards: Texts['rewards'] = {
  title: 'Belohnungen',
  about: 'Was aus den Antworten gelernt wurde.',
  none: 'Es gibt noch keine Belohnung',
  noneWhy: 'Sie lernt aus Antworten, was Menschen mögen, und bewertet jedes Bild zu einem Prompt.',
  noPolicyStarts: 'Mit dieser Belohnung beginnt keine Policy von selbst',

  quality: {
    title: 'An Urteilen, die sie nicht gesehen hat',
    notMeasured: 'Es wurden keine Prompts zurückgelegt; wie gut diese Belohnung ist, weiß man also nicht.',
    accuracy: 'Trefferquote',
    auc: 'AUC',
    clipAuc: 'AUC des CLIP-Scores',
    clipShare: 'CLIP-Score in der Belohnung',
    pairs: 'Richtig geordnete Paare',
    frozenPairs: 'Dasselbe bei unverändertem Encoder',
    gain: 'Vorsprung davor',
    ties: 'Gleich gute',
    tiesExpected: (share) => `${share} erwartet`,
    calibrationError: 'Kalibrierungsfehler',
    between: (low, high) => `${low} bis ${high}`,
    on: (labels, comparisons, prompts) =>
      `${listed([
        ...(labels > 0 ? [counted(labels, { one: 'Antwort', other: 'Antworten' })] : []),
        ...(comparisons > 0 ? [counted(comparisons, { one: 'Vergleich', other: 'Vergleiche' })] : []),
      ])} zu ${counted(prompts, { one: 'Prompt', other: 'Prompts' })}, die das Training nicht gesehen hat, mit 95‑%‑Intervallen über Prompts.`,
  },

  calibration: {
    title: 'Kalibrierung',
    tooFew: 'Dafür sind zu wenige Urteile zurückgelegt.',
    point: (predicted, observed, low, high, count) =>
      `vorhergesagt ${predicted}, Menschen ${observed} (${low} bis ${high}) von ${figure(count)}`,
    ofImages:
      'Nach rechts: was die Belohnung vorhersagt, in %. Nach oben: wie viele es gut nannten. Auf der gestrichelten Linie stimmen beide überein; größere Punkte stehen für mehr Bilder, die Striche sind 95‑%‑Intervalle.',
    ofPairs:
      'Nach rechts: wie sicher die Belohnung erwartet, dass das erste Bild eines Paares gewinnt, in %. Nach oben: wie oft es gewann. Auf der gestrichelten Linie stimmen beide überein; größere Punkte stehen für mehr Paare, die Striche sind 95‑%‑Intervalle.',
  },

  facts: {
    labels: 'Antworten',
    comparisons: 'Vergleiche',
    prompts: 'Prompts',
    raters: 'Bewertende',
    ratersOf: (count, isSimulated) => `${figure(count)}${isSimulated ? ', davon eine simuliert' : ''}`,
    head: 'Kopf',
    encoder: 'Encoder',
    trainedEncoder: {
      lora: (encoder) => `${encoder}, mit Adaptern trainiert`,
      all: (encoder) => `${encoder}, mit allen Gewichten trainiert`,
    },
    trained: 'Trainiert',
    trainedIn: (when, time) => `${when}, in ${time}`,
    policies: 'Damit trainierte Policies',
    noPolicies: 'noch keine',
    trainPolicy: 'Eine Policy damit trainieren',
  },

  disagreements: {
    title: 'Wo Menschen und Belohnung sich nicht einig sind',
    how: 'Wo es geht, bewertet ein Bild eine Fassung der Belohnung, die kein Urteil zu seinem Prompt gesehen hat. Wurde ein Bild nur verglichen, sind beide Zahlen sein Anteil an Siegen, wobei „gleich gut“ als halber Sieg zählt. Der größte Unterschied steht vorn.',
    none: 'Bei keinem beurteilten Bild sagt die eine Seite gut und die andere schlecht.',
    reward: 'Belohnung',
    people: 'Menschen',
    ofAnswers: (count) => `aus ${figure(count)}`,
    ofComparisons: (count) => `aus ${counted(count, { one: 'Vergleich', other: 'Vergleichen' })}`,
  },
}
