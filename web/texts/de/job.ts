import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure } = german

export const job: Texts['job'] = {
  all: 'Alle Aufträge',
  tellMe: 'Der Browser soll mir sagen, wenn Aufträge enden',
  on: (devices) => `auf ${devices}`,
  queued: (when) => `eingereiht ${when}`,
  ended: (when) => `beendet ${when}`,
  started: (when) => `begonnen ${when}`,
  failed: 'Gescheitert',
  saidNothing: 'Es endete, ohne zu sagen, warum.',
  held: 'Hat nicht begonnen',
  stopped: 'Wurde angehalten',
  alarm: 'Anzeichen von Überoptimierung',
  alarmWhatNow:
    'Vielleicht irrt sich die Belohnung bei solchen Bildern: Sehen Sie sich unten die Probebilder an und die Kurven der Proben.',
  sampleNow: 'Jetzt Probebilder zeichnen',
  startAnyhow: 'Trotzdem starten',
  resume: 'Fortsetzen',
  stop: 'Anhalten',
  unqueue: 'Aus der Warteschlange nehmen',
  curvesBegin: 'Die Kurven beginnen mit dem ersten Schritt.',
  next: {
    round: 'Die Bilder bewerten',
    reward: 'Die Belohnung ansehen',
    policy: 'Vergleichen',
    'best-of-n': 'Vergleichen',
    report: 'Den Bericht lesen',
  },
  settings: (count) => `Einstellungen (${figure(count)})`,
  yes: 'ja',
  no: 'nein',
  firstOf: (shown, left) => `${shown} und ${figure(left)} weitere`,

  curves: {
    title: 'Kurven',
    fewer: 'Weniger Kurven',
    more: (count) => counted(count, { one: 'weitere Kurve', other: 'weitere Kurven' }),
    said: (title, points, from, to) =>
      `${title}: ${counted(points, { one: 'Punkt', other: 'Punkte' })}, von ${from} bis ${to}`,
    step: 'Schritt',
  },
  samples: {
    title: 'Probebilder',
    soon: 'Hier erscheinen Probebilder, während das Training läuft.',
    stepOf: (step, place, all) => `Schritt ${figure(step)} · ${figure(place)} von ${figure(all)}`,
    stepOfTraining: 'Schritt des Trainings',
    step: (step) => `Schritt ${figure(step)}`,
    more: (count) => `${counted(count, { one: 'weiteres Probebild', other: 'weitere Probebilder' })} zeigen`,
  },
  log: {
    title: 'Protokoll',
    text: 'Text im Protokoll',
    findIn: 'Im Protokoll suchen',
    find: 'Suchen',
    firstError: 'Erster Fehler',
    lastLines: 'Letzte Zeilen',
    lastLinesOf: 'Letzte Zeilen des Protokolls',
    download: 'Herunterladen',
    found: (lines, text) => `${counted(lines, { one: 'Zeile', other: 'Zeilen' })} mit „${text}“`,
    noError: 'Keine Zeile erzählt von einem Fehler',
    fromError: 'Vom ersten Fehler an',
    findMore: (from) => `Ab ${from} weitersuchen`,
  },
}
