import type { Texts } from '../en.ts'

export const home: Texts['home'] = {
  welcome: (name) => (name === null ? 'Willkommen' : `Willkommen, ${name}`),
  answersTeach: 'Mit Ihren Antworten lernt das Modell, was Menschen sehen möchten.',
  label: 'Bewerten',
}
