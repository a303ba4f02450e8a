import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure } = german
const runForms = { one: 'Lauf', other: 'Läufe' }

export const runs: Texts['runs'] = {
  title: 'Läufe',
  about:
    'Alles, was hier entstanden ist. Wählen Sie zwei oder mehr, um zu sehen, in welchen Einstellungen sie sich unterscheiden, und ihre Kurven übereinander.',
  none: 'Noch ist nichts entstanden',
  begin: 'Anfangen',
  noneLikeThat: 'So einen Lauf gibt es nicht',
  shown: (count, size) => `${counted(count, runForms)}, ${size} auf der Platte`,

  filters: {
    text: 'Name oder Einstellung',
    stage: 'Art',
    allStages: 'Alle Arten',
    state: 'Zustand',
    allStates: 'Alle Zustände',
    archived: 'Archiv',
    withoutArchived: 'Ohne Archiviertes',
    withArchived: 'Mit Archiviertem',
    onlyArchived: 'Nur Archiviertes',
  },
  columns: {
    chosen: 'Ausgewählt',
    run: 'Lauf',
    state: 'Zustand',
    reward: 'Belohnung',
    alignment: 'Treue',
    kl: 'KL, Nat',
    frechet: 'Fréchet',
    auc: 'AUC',
    took: 'Dauer',
    size: 'Größe',
    when: 'Wann',
  },
  choose: (run) => `${run} auswählen`,
  archived: 'archiviert',
  andMore: (shown, left) => `${shown} + ${figure(left)}`,

  chosen: 'Ausgewählte Läufe',
  chosenCount: (count) => `${counted(count, runForms)} ausgewählt`,
  again: 'Noch einmal starten',
  changeFirst: 'Mit anderen Einstellungen starten',
  rename: 'Umbenennen',
  archive: 'Ins Archiv legen',
  takeBack: 'Zurückholen',
  delete: 'Löschen …',
  chooseNone: 'Auswahl aufheben',

  renaming: {
    title: (run) => `Titel von ${run}`,
    field: 'Titel',
    hint: (run) => `Erscheint statt ${run}. Der Ordner behält seinen Namen.`,
    save: 'Speichern',
  },
  deleting: {
    one: (run) => `${run} löschen?`,
    several: (count) => `${figure(count)} Läufe löschen?`,
    frees: (size, bytes) =>
      `Das macht ${size} frei (${figure(bytes)} Bytes) und lässt sich nicht rückgängig machen. Soll es nur nicht mehr im Weg sein, legen Sie es ins Archiv.`,
    notNow: (run) => `${run} lässt sich jetzt nicht löschen`,
    leftWithout: (count) =>
      `${counted(count, { one: 'Sache', other: 'Sachen' })} gehören dazu und bleiben ohne es zurück`,
    child: (name, what, from) => `${name} (${what}), aus ${from}`,
    judgments: (count, from) => `${counted(count, { one: 'Urteil', other: 'Urteile' })} über seine Bilder, aus ${from}`,
    what: {
      'an unfinished run': 'ein unfertiger Lauf',
      'a comparison of it': 'ein Vergleich damit',
      'a comparison of its images': 'ein Vergleich seiner Bilder',
      'images that it drew': 'Bilder, die er gezeichnet hat',
    },
    allTheSame: 'Trotzdem löschen',
    delete: 'Löschen',
  },

  curves: {
    title: 'Kurven',
    below: 'Waagerechte Achse',
    tabs: { step: 'Nach Schritten', images_drawn: 'Nach Bildern', seconds: 'Nach Zeit' },
    by: { step: 'nach Schritten', images_drawn: 'nach Bildern', seconds: 'nach Zeit' },
    axes: { step: 'Schritt', images_drawn: 'gezeichnete Bilder', seconds: 'Sekunden' },
    onlyFirst: (count) => `Die ersten ${figure(count)} davon: Mehr ließen sich nicht unterscheiden.`,
    last: 'zuletzt',
    at: {
      step: (place) => `nach ${counted(place, { one: 'Schritt', other: 'Schritten' })}`,
      images_drawn: (place) => `nach ${counted(place, { one: 'Bild', other: 'Bildern' })}`,
      seconds: (place) => `nach ${figure(place)} s`,
    },
  },
}
