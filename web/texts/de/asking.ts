import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure } = german

export const asking: Texts['asking'] = {
  title: 'Wie gefragt wird',
  about:
    'Was den Bewertenden gesagt wird, wie viel zwei von ihnen beantworten, und was zeigt, wie sorgfältig sie sind.',
  saving: 'Wird gespeichert …',
  accepted: (expected) => `Möglich: ${expected}.`,
  expected: {
    '0 to 100 %': '0 bis 100 %',
    '1 to 60 lower-case letters, digits and hyphens': '1 bis 60 Kleinbuchstaben, Ziffern und Bindestriche',
    '1 to 200 characters': '1 bis 200 Zeichen',
    'at most 30 reasons': 'höchstens 30 Gründe',
    'codes that differ': 'verschiedene Codes',
  },

  guidelines: {
    title: 'Richtlinien',
    about: 'Wer bewertet, findet sie jederzeit neben den Bildern.',
    text: 'Wortlaut',
    textHint: '„# “ beginnt eine Überschrift, „- “ eine Zeile einer Liste; leere Zeilen trennen Absätze.',
    asSeen: 'So sieht man es beim Bewerten',
    empty: 'Noch steht hier nichts.',
    consent: 'Einwilligung',
    consentHint:
      'Ihr stimmt man vor der ersten Antwort zu, und wieder, wenn sie sich ändert; jede Ausgabe der Urteile enthält sie. Leer: Es wird nichts gefragt.',
    overtaken:
      'Die Richtlinien wurden anderswo geändert, seit Sie begonnen haben. Ihre ersetzen sie, wenn Sie speichern; keine Fassung geht verloren.',
    notSaved: 'Nicht gespeichert.',
    acceptedReasons: (expected) => `Möglich sind ${expected}.`,
    marked: 'Was sich ändern muss, ist oben markiert.',
    save: 'Richtlinien speichern',
    discard: 'Änderungen verwerfen',
    isChanged: 'Noch nicht gespeichert. Was Sie schreiben, bleibt in diesem Browser.',
    isSaved: 'Als neue Fassung gespeichert: Sie gilt ab jetzt, und frühere Fassungen bleiben erhalten.',
    isOld: 'Speichern macht eine neue Fassung; frühere bleiben erhalten.',
  },

  reasons: {
    title: 'Gründe zum Auswählen',
    none: 'Keine: Es wird nur geantwortet.',
    whatRatersRead: 'was man beim Bewerten liest',
    code: 'Code',
    reason: (number) => `Grund ${number}`,
    codeOf: (number) => `Code von Grund ${number}`,
    up: (number) => `Grund ${number} nach oben`,
    down: (number) => `Grund ${number} nach unten`,
    remove: (number) => `Grund ${number} entfernen`,
    acceptedCode: (expected) => `Möglich als Code: ${expected}.`,
    acceptedLabel: (expected) => `Möglich als Text: ${expected}.`,
    add: 'Grund hinzufügen',
    hint: 'In dieser Reihenfolge, unter jeder Frage. In den Daten steht der Code: Lassen Sie ihn, wenn Sie nur die Worte ändern.',
  },

  questions: {
    title: 'Fragen',
    shares: {
      overlapShare: {
        label: 'Doppelt gefragt, %',
        sentence:
          'So viele Bilder werden zwei Personen gezeigt; daran sieht man, wie einig sie sind. Die übrigen einer.',
      },
      goldShare: {
        label: 'Goldbilder, %',
        sentence:
          'So viele Fragen enthalten ein Goldbild, dessen Antwort bekannt ist; daran sieht man, wie sorgfältig jemand ist.',
      },
    },
    mode: 'Womit das Bewerten beginnt',
    modeHint: 'Damit öffnet sich die Seite zum Bewerten. Jede Person kann eine andere Art wählen und behält sie.',
    unsure: 'Bei einem neuen Prompt zuerst die Bilder, bei denen die Belohnung am unsichersten ist',
    unsureHint:
      'Sonst zufällig. Beim eingebauten Modell brauchte es so mehr Antworten für eine ebenso gute Belohnung; bei anderen Bildern kann das anders sein.',
    save: 'Fragen speichern',
    isChanged: 'Noch nicht gespeichert.',
    isSaved: 'Gespeichert: Die nächsten Fragen werden so gestellt.',
  },

  gold: {
    title: 'Goldbilder',
    about:
      'Sie wissen, ob sie gut oder schlecht sind. Sie kommen ungekennzeichnet unter den anderen vor, bei „Gut oder schlecht“; wie viele jemand richtig hatte, steht',
    besideNames: 'neben dem Namen',
    notTrained: 'Mit ihnen wird keine Belohnung trainiert.',
    notGold: 'Kein Goldbild mehr.',
    isNow: { good: 'Die Antwort ist gut.', bad: 'Die Antwort ist schlecht.' },
    none: 'Es gibt noch keine Goldbilder',
    drawFirst: 'Zuerst muss das Modell einige Bilder zeichnen.',
    aDozen: 'Ein Dutzend eindeutige, gute wie schlechte, zeigen, wer sorgfältig antwortet.',
    count: (all, good, bad) =>
      `${counted(all, { one: 'Goldbild', other: 'Goldbilder' })}: ${figure(good)} gut, ${figure(bad)} schlecht.`,
    notAsked: 'Nach keinem davon wird gefragt: Der Anteil der Goldbilder ist 0 %.',
    add: 'Goldbilder hinzufügen',
    doneAdding: 'Fertig mit Hinzufügen',
    answerOf: (prompt) => `Antwort zu „${prompt}“`,
    remove: 'Entfernen',
  },

  picker: {
    title: 'Bilder zur Auswahl',
    search: 'Prompts durchsuchen',
    round: 'Runde',
    allRounds: 'alle Runden',
    roundOf: (name, images) => `${name} (${counted(images, { one: 'Bild', other: 'Bilder' })})`,
    noPrompt: (round, text) => `${round === null ? 'Kein Prompt' : `Kein Prompt von ${round}`} enthält „${text}“.`,
    images: 'Bilder',
    later: 'Weiter',
  },
}
