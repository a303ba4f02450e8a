import type { Texts } from '../en.ts'

export const reports: Texts['reports'] = {
  about: 'Was das Training verändert hat, gemessen.',
  none: 'Es gibt noch keinen Bericht',
  noneWhy: 'Er misst Policies an Prompts und Rauschen, die kein Training benutzt hat.',
  all: 'Alle Berichte',
  written: (when) => `geschrieben ${when}, auf Englisch`,
}
