import type { Texts } from '../en.ts'

export const errors: Texts['errors'] = {
  tryAgain: 'Noch einmal versuchen',
  noAnswer: 'Das Studio antwortet nicht',
  stillRunning: 'Läuft es noch? Diese Seite versucht es von selbst wieder.',
  pageFailed: 'Die Seite hat einen Fehler gemacht',
  expected: (expected, received) => `Erwartet: ${expected}; erhalten: ${received}.`,
  inEnglish: 'Genauer, auf Englisch',
  byCode: {
    'sign-in': {
      what: 'Sie sind nicht angemeldet',
      then: 'Öffnen Sie den Link, den Ihnen ein Admin geschickt hat, oder melden Sie sich neu an.',
    },
    forbidden: { what: 'Das ist Ihnen nicht erlaubt', then: 'Bitten Sie einen Admin darum.' },
    'wrong-password': {
      what: 'Der Name oder das Passwort stimmt nicht',
      then: 'Versuchen Sie es noch einmal, oder bitten Sie einen Admin um einen Link.',
    },
    busy: { what: 'Es melden sich gerade zu viele an', then: 'Versuchen Sie es in einigen Sekunden noch einmal.' },
    process: {
      what: 'Das Programm, das zeichnet, wurde beendet',
      then: 'Versuchen Sie es noch einmal, mit weniger Bildern oder Policies auf einmal.',
    },
    'device-busy': { what: 'Gerade wird schon gerechnet', then: 'Versuchen Sie es etwas später noch einmal.' },
    'not-found': {
      what: 'Das gibt es hier nicht (mehr)',
      then: 'Gehen Sie zurück zur Liste, oder laden Sie die Seite neu.',
    },
    'unknown-record': { what: 'Das gibt es hier nicht (mehr)', then: 'Laden Sie die Seite neu.' },
    'expired-link': {
      what: 'Dieser Link gilt nicht mehr',
      then: 'Bitten Sie um einen neuen, wo Sie diesen bekommen haben.',
    },
    'too-many-requests': {
      what: 'Das waren zu viele Versuche in kurzer Zeit',
      then: 'Warten Sie einen Augenblick, und versuchen Sie es dann noch einmal.',
    },
    'too-large': { what: 'Das ist zu groß', then: 'Nehmen Sie weniger auf einmal oder eine kleinere Datei.' },
    'too-slow': {
      what: 'Es kam nicht schnell genug an',
      then: 'Versuchen Sie es bei besserer Verbindung noch einmal.',
    },
    'media-type': {
      what: 'Diese Art von Datei passt hier nicht',
      then: 'Nehmen Sie eine der Arten, die auf der Seite stehen.',
    },
    invalid: {
      what: 'Das wurde so nicht angenommen',
      then: 'Laden Sie die Seite neu, und versuchen Sie es noch einmal.',
    },
    config: { what: 'Eine Angabe passt nicht', then: 'Ändern Sie die Angabe, die unten genannt ist.' },
    format: {
      what: 'Der Inhalt hat nicht die richtige Form',
      then: 'Sehen Sie sich die Stelle an, die unten genannt ist.',
    },
    vocabulary: { what: 'Ein Wort ist dem Modell unbekannt', then: 'Nehmen Sie andere Wörter.' },
    'ranking-conflict': {
      what: 'Reihenfolge und Punkte widersprechen sich',
      then: 'Verschieben Sie ein Bild, oder nehmen Sie die Punkte zurück.',
    },
    'has-children': {
      what: 'Daraus ist anderes entstanden',
      then: 'Sehen Sie nach, was davon ohne es bliebe, oder legen Sie es ins Archiv.',
    },
    'too-many-keys': { what: 'Das sind zu viele Schlüssel', then: 'Widerrufen Sie die, die Sie nicht brauchen.' },
    'name-taken': { what: 'Dieser Name ist schon vergeben', then: 'Nehmen Sie einen anderen Namen.' },
    blind: {
      what: 'Dieses Bild gehört zu einem Vergleich, den Sie noch nicht aufgedeckt haben',
      then: 'Stimmen Sie erst ab, und decken Sie ihn dann auf.',
    },
    opened: {
      what: 'Sie haben diesen Vergleich aufgedeckt: Weitere Stimmen wären nicht blind',
      then: 'Stimmen Sie über einen anderen Vergleich ab.',
    },
    'wrong-state': {
      what: 'Das geht in diesem Zustand nicht',
      then: 'Laden Sie die Seite neu, um den Zustand zu sehen.',
    },
    'run-in-use': {
      what: 'Daran wird gerade gearbeitet',
      then: 'Warten Sie, bis die Arbeit beendet ist, oder halten Sie sie an.',
    },
    missing: { what: 'Es fehlt noch etwas', then: 'Was zuerst da sein muss, steht unten.' },
    'last-admin': { what: 'Das ist der letzte Admin', then: 'Machen Sie zuerst jemand anderen zum Admin.' },
    'no-accounts': {
      what: 'Dieses Studio kommt ohne Konten aus',
      then: 'Starten Sie es mit Anmeldung, um einzuladen.',
    },
    reward: { what: 'Diese Belohnung passt nicht', then: 'Wählen Sie eine andere.' },
    unreachable: { what: 'Ein anderer Dienst antwortet nicht', then: 'Versuchen Sie es später noch einmal.' },
    'wrong-kind': { what: 'Das ist von anderer Art als verlangt', then: 'Wählen Sie etwas anderes.' },
    licence: {
      what: 'Die Lizenz ist nicht angenommen',
      then: 'Lesen Sie sie noch einmal, und nehmen Sie sie dann an.',
    },
    unavailable: { what: 'Das steht gerade nicht zur Verfügung', then: 'Versuchen Sie es später noch einmal.' },
    answer: { what: 'Das Studio hat unverständlich geantwortet', then: 'Laden Sie die Seite neu.' },
    internal: {
      what: 'Im Studio ist etwas schiefgegangen',
      then: 'Versuchen Sie es noch einmal; bleibt es dabei, sagen Sie es einem Admin.',
    },
  },
}
