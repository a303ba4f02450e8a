import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form } = german

export const frame: Texts['frame'] = {
  titled: (page) => `${page} · Attune-Studio`,
  skip: 'Zum Inhalt springen',
  menu: 'Menü',
  pages: 'Seiten',
  places: {
    home: 'Start',
    label: 'Bewerten',
    gallery: 'Galerie',
    playground: 'Spielwiese',
    train: 'Trainieren',
    runs: 'Läufe',
    compare: 'Vergleichen',
    rewards: 'Belohnungen',
    reports: 'Berichte',
    models: 'Modelle',
    history: 'Verlauf',
    data: 'Daten',
    raters: 'Bewertende',
  },
  runningOrWaiting: (jobs) => `${jobs} laufend oder wartend`,
  progressOf: (run) => `Fortschritt von ${run}`,
  colours: 'Farben',
  themes: { system: 'Auto', light: 'Hell', dark: 'Dunkel' },
  language: 'Sprache',
  signOut: 'Abmelden',
  offline: 'Das Studio antwortet nicht; es wird weiter versucht.',
  answersWait: (waiting) =>
    `${counted(waiting, { one: 'Antwort', other: 'Antworten' })} ${form(waiting, { one: 'wartet', other: 'warten' })} sicher in diesem Browser.`,
  noPage: 'Diese Seite gibt es nicht',
  noPageWhy: 'Vielleicht ist die Adresse veraltet, oder die Seite ist nur für Admins.',
  toFirstPage: 'Zur ersten Seite',
  close: 'Schließen',
  cancel: 'Abbrechen',
  loading: 'Wird geladen',
  earlier: 'Zurück',
  further: 'Weiter',
  shownOf: (from, to, all) => `${figure(from)} bis ${figure(to)} von ${figure(all)}`,
  needed: {
    images: 'Die ersten Bilder zeichnen',
    labels: 'Bilder bewerten',
    reward: 'Eine Belohnung trainieren',
    policy: 'Eine Policy trainieren',
    report: 'Einen Bericht schreiben',
  },
}
