import type { Texts } from '../en.ts'

export const account: Texts['account'] = {
  title: 'Ihr Konto',
  about: (name, isAdmin) => `${name}, ${isAdmin ? 'mit allen Rechten' : 'bewertet Bilder'}`,
  password: 'Passwort',
  whyPassword: 'Mit einem Passwort melden Sie sich in jedem Browser wieder an, ohne Link.',
  none: 'Sie haben noch keines.',
  changed: (when) => `Gesetzt ${when}.`,
  current: 'Bisheriges Passwort',
  fresh: 'Neues Passwort',
  rule: 'Mindestens 10 Zeichen; mehrere Wörter lassen sich gut merken.',
  show: 'Zeigen, was ich tippe',
  set: 'Passwort setzen',
  change: 'Passwort ändern',
  othersEnd: 'Dabei werden Sie in allen anderen Browsern abgemeldet.',
  saved: 'Gespeichert. Alle anderen Browser sind abgemeldet.',
  wrongCurrent: 'Das bisherige Passwort stimmt nicht.',
  local: 'Dieses Studio läuft nur für diesen Rechner und hat keine Konten.',
}
