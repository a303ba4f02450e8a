import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure } = german

export const train: Texts['train'] = {
  title: 'Trainieren',
  about: 'Eine Belohnung lernt aus den Antworten, eine Policy lernt von der Belohnung.',
  whatToStart: 'Was beginnen soll',
  kinds: { reward: 'Belohnung', policy: 'Policy', round: 'Bilder zeichnen', report: 'Bericht' },
  method: 'Verfahren',
  jobs: 'Aufträge',
  noJobs: 'Noch wurde nichts trainiert',
  noJobsWhy: 'Was Sie oben starten, erscheint hier, mit Kurven und Probebildern, während es läuft.',
  showMore: (count) => `${counted(count, { one: 'weiteren', other: 'weitere' })} zeigen`,

  form: {
    like: ['Mit den Einstellungen, dem Seed und den Prompts von', '; was Sie ändern, gilt.'],
    missing: {
      'Draw images first.': 'Zeichnen Sie zuerst Bilder.',
      'Label at least one image good and one bad first.':
        'Bewerten Sie zuerst mindestens ein Bild als gut und eines als schlecht.',
      'Compare images first, or label one good and another of its prompt bad.':
        'Vergleichen Sie zuerst Bilder, oder bewerten Sie zu einem Prompt ein Bild als gut und ein anderes als schlecht.',
      'Fine-tune a policy first.': 'Trainieren Sie zuerst eine Policy.',
      'Train a reward first.': 'Trainieren Sie zuerst eine Belohnung.',
    },
    notProven: 'Diese Belohnung ist nicht belegt',
    notProvenWhy: 'Eine Policy, die von ihr lernt, zeichnet womöglich schlechter.',
    more: (count) => `Mehr Einstellungen (${figure(count)})`,
    name: 'Name des Laufs',
    nameHint: 'Kleinbuchstaben, Ziffern, Punkte und Bindestriche.',
    start: 'Starten',
    starting: 'Wird gestartet …',
    unknownTime: 'Wie lange es dauert, ist bekannt, sobald es hier einmal gelaufen ist.',
    takesAs: (time, run) => `Dauert etwa ${time}, wie bei ${run}.`,
    takesHere: (time) => `Dauert etwa ${time}, nach anderen Läufen hier zu urteilen.`,
    takesUsually: (time) => `Dauert etwa ${time} auf einem üblichen Rechner.`,
  },
  plan: {
    title: 'Danach',
    policy: (method) => `Eine Policy damit trainieren (${method})`,
    report: 'Einen Bericht darüber schreiben',
    compare: 'Einen blinden Vergleich mit dem vortrainierten Modell zeichnen',
    goesOn: 'Das Studio macht von selbst weiter, auch wenn diese Seite geschlossen ist.',
  },

  devices: {
    title: 'Geräte',
    idle: 'Eine GPU ist frei',
    atOnce: (count) => `${counted(count, { one: 'Auftrag', other: 'Aufträge' })} zugleich`,
    nothingTells: 'Wie beschäftigt es ist, lässt sich nicht erfahren.',
    busy: 'Last',
    memory: 'Speicher',
    of: (used, total) => `${used} von ${total}`,
    progress: (run, device) => `Fortschritt von ${run} auf ${device}`,
    playground: 'Die Spielwiese hat hier ihr Modell.',
    playgroundMakesWay: 'Die Spielwiese hat hier ihr Modell und macht für einen Auftrag Platz.',
    waiting: (runs) => `Wartend: ${runs}`,
    takesNone: 'nimmt keine Aufträge',
    free: 'frei',
    hasOne: 'hat einen Auftrag',
    has: (count, slots) => `${figure(count)} von ${counted(slots, { one: 'Auftrag', other: 'Aufträgen' })}`,
  },
}
