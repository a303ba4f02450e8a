import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form } = german
const prompt = { one: 'Prompt', other: 'Prompts' }

export const prompts: Texts['prompts'] = {
  choices: 'Ein Prompt je Zeile; geschweifte Klammern lassen wählen: {red|blue} circles ergibt zwei.',
  choosing: (lines, made) =>
    `${counted(lines, { one: 'Zeile mit Auswahl ergibt', other: 'Zeilen mit Auswahl ergeben' })} ${counted(made, prompt)}.`,
  broken: (line) => `In „${line}“ ist eine Klammer nicht geschlossen: Die Zeile wird genommen, wie sie dasteht.`,
  repeated: (lines) =>
    `${counted(lines, { one: 'wiederholte Zeile fällt', other: 'wiederholte Zeilen fallen' })} weg: Jeder Prompt zählt einmal.`,
  tooMany: (count, most) => `${counted(count, prompt)}: Auf einmal werden höchstens ${figure(most)} genommen.`,
  cut: (count, read) =>
    `${counted(count, prompt)} ${form(count, { one: 'ist', other: 'sind' })} länger als die ${read} Tokens, die das Modell liest; das Ende wird abgeschnitten:`,
  cutOne: (text, tokens, lost) => `„${text}“: ${tokens} Tokens, ${lost} abgeschnitten`,
  refused: (count) => `Das Modell lehnt ${counted(count, prompt)} ab:`,
  refusedOne: (text, reason) => `„${text}“: ${reason}`,
  more: (count) => `und ${count} weitere`,

  distractors: 'Was eine Belohnung daneben zu sehen bekommt',
  distractorsWhy:
    'Während eine Belohnung lernt, muss sie den wahren Prompt eines guten Bildes unter falschen wie diesen finden. Unbekannte Wörter werden nicht verändert.',
  noDistractors: 'keine: weder Farbe noch Zahl noch Gegenstand, die sich ändern ließen',
  firstOf: (shown, of) => `Die ersten ${shown} von ${figure(of)}.`,

  fromWords: 'Prompts aus Wörtern bilden',
  categories: { color: 'Farben', count: 'Anzahlen', background: 'Hintergründe', combination: 'Kombinationen' },
  add: (category, count) => `${category}: ${figure(count)}`,
  addWhy: 'Fügt Zeilen an, die Sie dann noch ändern können.',
  words: {
    objects: 'Gegenstände, etwa circle oder mouse/mice',
    colors: 'Farben',
    counts: 'Anzahlen, die Eins zuerst',
    backgrounds: 'Hintergründe',
  },

  fromFile: 'Aus einer Datei',
  reading: 'Wird gelesen …',
  column: 'Spalte',
  readIt: 'Lesen',
  foundIn: (name, count) => `${name}: ${counted(count, prompt)}`,
  addThese: (count) => `${counted(count, prompt)} hinzufügen`,
  notThese: 'Nicht hinzufügen',
  onlyFirst: (most) => `Genommen werden die ersten ${figure(most)}.`,
  again: (count) => `${counted(count, { one: 'Wiederholung fällt', other: 'Wiederholungen fallen' })} weg:`,
  negatives: (count) =>
    `${counted(count, { one: 'Prompt hat einen eigenen negativen Prompt', other: 'Prompts haben eigene negative Prompts' })}, für die im Feld kein Platz ist. Zeichnen Sie sie mit attune images generate --prompts.`,
  wrong: (count) =>
    `${counted(count, { one: 'Zeile ist kein Prompt und fällt', other: 'Zeilen sind keine Prompts und fallen' })} weg:`,
  line: (line, text) => `Zeile ${line}: ${text}`,
}
