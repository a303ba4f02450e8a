import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, fixed } = german

export const history: Texts['history'] = {
  about: 'Was woraus entstanden ist: jede Belohnung, Policy und Runde mit ihrer Herkunft.',
  none: 'Der Verlauf beginnt mit der ersten Runde',
  noneWhy: 'Runden von Bildern, Belohnungen und Policies erscheinen hier, sobald sie entstehen.',
  begin: 'Beginnen',
  kinds: {
    pretrained: 'Vortrainiertes Modell',
    round: 'Runde',
    judgments: 'Urteile',
    reward: 'Belohnung',
    policy: 'Policy',
    report: 'Bericht',
  },
  embedded: 'eingebautes Modell',
  checkpoint: 'aus einem Checkpoint',
  facts: {
    images: (count) => counted(count, { one: 'Bild', other: 'Bilder' }),
    judged: (count) => `${figure(count)} bewertet`,
    labels: (count) => counted(count, { one: 'Antwort', other: 'Antworten' }),
    auc: (auc) => `AUC ${fixed(auc, 2)}`,
    updates: (count) => counted(count, { one: 'Schritt', other: 'Schritte' }),
  },
  picture: 'Bild des Verlaufs; die Liste darunter sagt dasselbe',
  inOrder: 'Der Zeit nach',
  kindAndTime: (kind, when) => `${kind} · ${when}`,
  from: (parents) => `Herkunft: ${parents.join(', ')}`,
}
