import type { Texts } from '../en.ts'

export const sharing: Texts['sharing'] = {
  download: 'Herunterladen',
  share: 'Teilen',
  byLink: 'Über einen Link teilen',
  what: 'Wer den Link hat, liest diese eine Seite, ohne Konto, und sonst nichts aus dem Studio. Sie können ihn jederzeit zurückziehen.',
  thisMachine:
    'Dieses Studio läuft nur für diesen Rechner, und seine Links auch: Anderen können Sie die Datei schicken.',
  make: 'Link anlegen',
  toldOnce: 'Der Link; er wird nur jetzt gezeigt',
  none: 'Es gibt keinen Link dazu.',
  links: 'Links zu dieser Seite',
  madeBy: (name, when) => `von ${name}, ${when}`,
  withdraw: 'Zurückziehen',
}
