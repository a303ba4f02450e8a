import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted } = german

export const examples: Texts['examples'] = {
  title: 'Beispiele',
  answers: { good: 'Gut', bad: 'Schlecht' },
  deleted: (count) => `${counted(count, { one: 'Beispiel wurde', other: 'Beispiele wurden' })} inzwischen gelöscht.`,
  choose: 'Beispielbilder',
  hint: 'Sie stehen für die Bewertenden unter dem Text. Nach einem Bild, das einmal Beispiel war, wird niemand mehr gefragt, auch nicht zur Kontrolle.',
  none: 'Keine: Die Bewertenden lesen nur den Text.',
  note: (prompt) => `Warum, bei „${prompt.slice(0, 120)}“`,
  notePlaceholder: 'Warum (freiwillig)',
  add: 'Beispiele hinzufügen',
  doneAdding: 'Fertig',
  full: (most) => `Es sind ${most}; mehr haben keinen Platz.`,
}
