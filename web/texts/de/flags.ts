import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form } = german

export const flags: Texts['flags'] = {
  title: 'Antworten zum Nachsehen',
  about:
    'Schneller gegeben, als jemand hinsehen kann, gegen eine bekannte Antwort oder im Widerspruch zu einer anderen derselben Person. Sie trainieren Belohnungen, und Stimmen zählen, bis Sie sie ausschließen.',
  which: 'Welche Antworten',
  open: (count) => `Offen (${figure(count)})`,
  leftOut: (count) => `Ausgeschlossen (${figure(count)})`,
  kept: (count) => `Behalten (${figure(count)})`,
  kind: 'Art',
  allKinds: 'Alle Arten',
  kinds: {
    fast: 'Zu schnell, um hingesehen zu haben',
    gold: 'Bekannte Antwort verfehlt',
    changed: 'Einmal so, einmal anders',
    cycle: 'Dreht sich im Kreis',
    against: 'Urteil gegen Vergleich',
  },
  kindAndCount: (kind, count) => `${kind}: ${figure(count)}`,
  nothing: 'Es gibt nichts nachzusehen.',
  none: 'Keine.',
  more: 'Weitere Antworten zum Nachsehen',
  gone: 'ein Bild, das fehlt',
  takeIn: 'Wieder aufnehmen',
  lookAgain: 'Noch einmal ansehen',
  askedAgain: (when) => `noch einmal gefragt ${when}`,
  askAgain: 'Noch einmal fragen',
  leaveOut: 'Ausschließen',
  keep: 'Behalten',

  skipped: 'ausgelassen',
  better: (better, worse) => `${better} ist besser als ${worse}`,
  alike: (first, second) => `${first} und ${second} sind gleich gut`,
  bothBad: (first, second) => `${first} und ${second} sind beide schlecht`,
  ofSeven: (value) => `${value} von 7`,
  order: (names) => `Reihenfolge: ${names.join(', ')}`,
  answers: { good: 'gut', bad: 'schlecht', tie: 'gleich gut', skip: 'ausgelassen' },

  disagreements: 'Strittiges klären',
  moreDisagreements: 'Weiteres Strittiges',
  differ: (labels, asked, settled) =>
    `Bei ${counted(labels, { one: 'Frage', other: 'Fragen' })} gehen die Antworten auseinander, und keine hat die meisten hinter sich; ${figure(asked)} bei einer weiteren Person, ${figure(settled)} geklärt.`,
  askAboutAll: (labels) =>
    `Zu ${form(labels, { one: 'der gezeigten', other: `allen ${figure(labels)} gezeigten` })} eine dritte Person fragen`,
  sides: { first: 'links ist besser', second: 'rechts ist besser', 'both-bad': 'beide schlecht' },
  whatAbout: 'Worüber man sich uneinig ist',
  misses: (word) => `„${word}“ fehlt`,
  askThird: 'Eine dritte Person fragen',
  asked: (when) => `gefragt ${when}`,
}
