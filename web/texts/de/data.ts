import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form } = german
const judgments = { one: 'Urteil', other: 'Urteile' }
const images = { one: 'Bild', other: 'Bilder' }

export const data: Texts['data'] = {
  title: 'Daten',
  about: 'Urteile kommen und gehen in Formaten, die auch andere Programme lesen.',
  formats: {
    csv: 'eine Zeile je Antwort; öffnet sich in jeder Tabellenkalkulation',
    jsonl: 'alles, was über jedes Urteil bekannt ist',
    'pick-a-pic': 'Parquet mit den Bildern darin, auch von ImageRewardDB',
    'image-reward': 'JSON mit Paaren und Reihenfolgen, die Bilder daneben',
    hpdv2: 'JSON mit Vorlieben oder Rängen',
    'label-studio': 'JSON-Ausfuhr von Auswahlen, Paaren, Reihenfolgen und Sternen',
    d3po: 'JSON mit einer Zahl je Bild; seine prompt.json gehört zu den Bildern',
    'flow-factory': 'JSON-Zeilen (Schema 2) mit bevorzugten und abgelehnten Bildern daneben',
    kohya: 'Ordner w und l mit Beschreibungen, für sd-scripts; auch ein Datensatz für Flow-Factory',
  },

  export: 'Urteile ausgeben',
  nothingToExport: 'Es gibt noch nichts auszugeben.',
  exported: (count) =>
    `${counted(count, judgments)}, mit SHA-256 der Bilder, Pseudonymen der Bewertenden, Zeiten und dem Text der Einwilligung. Stimmen zu Vergleichen, die Sie nicht geöffnet haben, sind nicht dabei.`,
  download: 'Herunterladen',
  downloadAs: (format) => `Als ${format} herunterladen`,

  backup: 'Sicherung',
  backupWhat:
    'Alles aus diesem Studio in einer Datei: Urteile, Personen, Bilder und was jeder Lauf erzählt hat, so wie es jetzt ist, während andere weiter bewerten. Auf jedem Rechner macht `attune studio restore FILE` daraus ein Studio, mit SQLite oder PostgreSQL. Bewahren Sie sie auf, wo niemand sonst sie liest: Sie enthält, wer sich anmelden darf.',
  downloadBackup: 'Sicherung herunterladen',
  withWeights: 'Mit den Gewichten von Modellen und Belohnungen, die groß sind',

  ownImages: 'Eigene Bilder',
  ownImagesHow: 'PNG, JPEG oder WebP, jedes mit seinem Prompt. Daraus wird eine Runde, die man bewerten kann.',
  chooseImages: 'Bilder auswählen',
  dropThem: 'oder hier ablegen',
  promptOf: (file) => `Prompt von ${file}`,
  leaveOut: (file) => `${file} weglassen`,
  takenIn: (count) => `${counted(count, images)} aufgenommen.`,
  labelThem: 'Jetzt bewerten',
  sending: 'Wird gesendet …',
  takeIn: (count) => `${counted(count, images)} aufnehmen`,

  import: 'Urteile einlesen',
  chooseFile: 'Datei auswählen',
  dropIt: 'oder hier ablegen',
  format: 'Dateiformat',
  rater: 'Wer geurteilt hat',
  raterHint: 'Für Zeilen, die niemanden nennen.',
  chooseItsImages: 'Zugehörige Bilder auswählen',
  dropThose: 'oder hier ablegen: ',
  fileNames: 'Die Datei nennt sie',
  sentAlong: (files) => `${counted(files, { one: 'Datei wird', other: 'Dateien werden' })} mitgesendet`,
  importing: 'Wird eingelesen …',
  importIt: 'Einlesen',
  added: (count) => `${counted(count, judgments)} hinzugefügt`,
  known: (count) => `${figure(count)} schon bekannt`,
  newImages: (count) => counted(count, { one: 'neues Bild', other: 'neue Bilder' }),
  unanswered: (count) => `${figure(count)} ohne Antwort`,
  nothing: 'In dieser Datei ist kein Urteil: Es wurde nichts hinzugefügt.',
  leftOut: (line) => `Weggelassen: ${line}`,
  moreLeftOut: (count) =>
    `${figure(count)} ${form(count, { one: 'weitere wurde', other: 'weitere wurden' })} weggelassen.`,
}
