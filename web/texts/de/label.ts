import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form } = german
/** No "Noten": of those the lowest would be the best. */
const points = (count: number) => counted(count, { one: 'Punkt', other: 'Punkte' })

export const label: Texts['label'] = {
  title: 'Bewerten',
  wayOfAsking: 'Art der Fragen',
  modes: { 'good-bad': 'Gut oder schlecht', pair: 'Paare', rating: 'Punkte' },
  questions: {
    'good-bad': 'Zeigt das Bild, was verlangt ist?',
    pair: 'Welches Bild ist besser?',
    rating: 'Wie gut ist das Bild?',
  },
  undo: 'Zurück',
  guidelines: 'Richtlinien',
  guidelinesAndKeys: 'Richtlinien und Tasten',
  editGuidelines: 'Richtlinien bearbeiten',
  answered: 'Beantwortet',
  doneOf: (done, total) => `${figure(done)} von ${figure(total)}`,
  left: (count) => (count === 0 ? 'nichts mehr übrig' : `noch ${figure(count)}`),
  thisTime: (given) => `${counted(given, { one: 'Antwort', other: 'Antworten' })} diesmal`,
  buys: (labels, ahead, steps) =>
    `Bisher ${counted(labels, { one: 'Antwort', other: 'Antworten' })}. Beim eingebauten Modell brachten weniger als ${figure(ahead)} noch nichts über den CLIP-Score hinaus (${steps}).`,
  ownReward: (name, auc, labels) => `${name}: AUC ${auc} aus ${figure(labels)}.`,
  askedAgain: 'das wurde Ihnen schon gezeigt: bitte sehen Sie noch einmal hin',
  oneMoreOpinion: 'hier ist noch eine Meinung gefragt',
  outOfReach: 'Nicht erreichbar',
  outOfReachWhy:
    'Alle Fragen, die hier waren, sind beantwortet, und Ihre Antworten sind in diesem Browser gespeichert. Es geht von selbst weiter, sobald das Studio wieder antwortet.',
  allDone: 'Alles erledigt. Vielen Dank!',
  nothingLeft: 'Hier ist nichts mehr zu fragen',
  othersHold:
    'Im Augenblick gibt es für Sie keine Frage mehr; vielleicht liegen noch Bilder bei anderen: Sehen Sie in ein paar Minuten wieder nach.',
  answeredAll: 'Sie haben alle Fragen dieser Art beantwortet.',
  whatComesNext: 'Wie es weitergeht',
  lookAgain: 'Noch einmal nachsehen',

  whoIsLabelling: 'Wer bewertet?',
  whyName:
    'Antworten werden unter einem Namen abgelegt, damit man die Bewertenden auseinanderhalten kann. Jeder Name ist recht.',
  yourName: 'Ihr Name',
  start: 'Anfangen',
  beforeYouStart: 'Bevor Sie anfangen',
  agree: 'Ich bin einverstanden',

  drawing: 'Das Modell zeichnet gerade',
  drawingThen: 'Die Fragen beginnen hier von selbst, sobald es Bilder gibt.',
  noImages: 'Es gibt noch keine Bilder',
  adminDraws: 'Zuerst lässt ein Admin das Modell einige zeichnen.',
  mustDraw: 'Das Modell muss einige zeichnen, bevor man sie bewerten kann.',
  drawFirst: 'Die ersten Bilder zeichnen',
  oneMoment: 'Einen Augenblick …',

  good: 'Gut',
  bad: 'Schlecht',
  skip: 'Auslassen',
  tie: 'Gleich gut',
  bothBad: 'Beide schlecht',
  next: 'Weiter',
  done: 'Fertig',
  image: (number) => `Bild ${number}`,
  imageOf: (number, of) => `Bild ${number} von ${of}`,
  imageJudged: (number, of, answer) =>
    `Bild ${number} von ${of}${answer === null ? '' : `, ${{ good: 'gut', bad: 'schlecht', skip: 'ausgelassen' }[answer]}`}`,
  chooseImage: (number) => `Bild ${number} auswählen`,
  enlargeImage: (number) => `Bild ${number} vergrößern`,
  enlargeByKey: 'Vergrößern (F)',
  leftSide: 'Links',
  rightSide: 'Rechts',
  leftIsBetter: 'Links ist besser',
  rightIsBetter: 'Rechts ist besser',
  enlargeLeft: 'Links vergrößern',
  enlargeRight: 'Rechts vergrößern',
  enlargedTogether: 'Links und rechts, zusammen vergrößert',
  moreOfPrompt: (count) => `noch ${counted(count, { one: 'weiteres', other: 'weitere' })} zu diesem Prompt`,

  missing: {
    image: (number) => ({
      loading: `Bild ${number} wird geladen.`,
      broken: `Bild ${number} ließ sich nicht laden und kann deshalb nicht bewertet werden.`,
    }),
    left: {
      loading: 'Die linke Seite wird geladen.',
      broken: 'Die linke Seite ließ sich nicht laden und kann deshalb nicht bewertet werden.',
    },
    right: {
      loading: 'Die rechte Seite wird geladen.',
      broken: 'Die rechte Seite ließ sich nicht laden und kann deshalb nicht bewertet werden.',
    },
    both: {
      loading: 'Beide Seiten werden noch geladen.',
      broken: 'Keine der beiden Seiten ließ sich laden, deshalb können sie nicht bewertet werden.',
    },
    some: {
      loading: 'Eines der Bilder wird noch geladen.',
      broken: 'Eines der Bilder ließ sich nicht laden, deshalb kann keine Reihenfolge gebildet werden.',
    },
    loadAgain: 'Neu laden',
    skipAsBroken: 'Auslassen, weil defekt',
  },

  scales: {
    alignment: { title: 'Zeigt, was verlangt ist', low: 'nichts davon', high: 'alles davon' },
    fidelity: { title: 'Gut gemacht', low: 'misslungen', high: 'makellos' },
    overall: { title: 'Insgesamt', low: 'am schlechtesten', high: 'am besten' },
  },
  rated: (scale, value) => `${scale}: ${value} von 7`,
  imagesOfPrompt: 'Bilder zu diesem Prompt',
  swipes: 'Bild wischen: rechts gut, links schlecht, oben überspringen, unten zurück',
  issuesOf: (number) =>
    number === undefined ? 'Mängel dieses Bildes (freiwillig)' : `Mängel von Bild ${number} (freiwillig)`,

  ranking: {
    how: 'Ordnen Sie nun die Bilder: erst ein Bild wählen, dann seinen Platz.',
    alike: 'Bilder, die gleich gut sind, teilen sich einen Platz.',
    put: (image, slot) => `Bild ${image} auf Platz ${slot} stellen`,
    best: 'am besten',
    worst: 'am schlechtesten',
    inSlot: (image, rated, slot) => `Bild ${image}, ${points(rated)}, Platz ${slot}`,
    numberRated: (image, rated) => `${image} · ${points(rated)}`,
    contradiction: (better, ratedBetter, worse, ratedWorse) =>
      `Bild ${better} hat ${points(ratedBetter)}, Bild ${worse} hat ${points(ratedWorse)}: Bild ${better} kann nicht darunter stehen. Verschieben Sie eines der beiden, oder nehmen Sie die Punkte zurück.`,
    skip: 'Ordnen auslassen',
    choose: 'auswählen',
    move: 'verschieben',
    done: 'fertig',
  },

  reasons: {
    title: 'Gründe',
    after: 'Gründe kommen nach einer Antwort und gehören zu ihr.',
    optional: (question) => `${question} (freiwillig)`,
    bothBad: 'Warum waren diese beiden schlecht?',
    leftBetter: 'Warum war das linke dieser Bilder besser?',
    rightBetter: 'Warum war das rechte dieser Bilder besser?',
    severalBad: (count) => `Warum waren diese ${count} schlecht?`,
    imageBad: (number) => `Warum ist Bild ${number} schlecht?`,
    thisBad: 'Warum war dieses Bild schlecht?',
    justJudged: 'Eben bewertet',
    theBetterOne: 'Eben bewertet, das bessere',
  },

  marks: {
    mark: 'Markieren',
    marking: 'Markieren',
    kinds: { implausible: 'Unmöglich', misaligned: 'Nicht wie verlangt' },
    kindOfNext: 'Was an der nächsten Stelle falsch ist',
    whoseWords: 'Wessen Wörter markiert werden',
    words: {
      image: (number) => `Wörter: Bild ${number}`,
      left: 'Wörter: links',
      right: 'Wörter: rechts',
    },
    allThatFit: (most) => `${most} Stellen sind markiert, mehr ist nicht möglich`,
    how: 'Klicken Sie auf falsche Stellen eines Bildes und auf Wörter des Prompts, die es nicht zeigt.',
    misses: (image, word) => `${image} zeigt „${word}“ nicht`,
    area: (image, marked, most) =>
      `${image}: Klicken Sie auf eine falsche Stelle, oder bewegen Sie das Kreuz mit den Pfeiltasten und drücken Sie Enter. ${marked} von höchstens ${most} Stellen ${form(marked, { one: 'ist', other: 'sind' })} markiert.`,
    remove: (place, image, kind) =>
      `Markierung ${place} von ${image} entfernen: ${{ implausible: 'unmöglich', misaligned: 'nicht wie verlangt' }[kind]}`,
  },

  saved: {
    saved: 'Gespeichert',
    ofOthers: (count) =>
      `Gespeichert; ${counted(count, { one: 'Antwort', other: 'Antworten' })} einer anderen Person ${form(count, { one: 'wartet', other: 'warten' })}`,
    saving: 'Wird gespeichert',
    offline: (waiting) => `Offline: ${form(waiting, { one: 'eine wartet', other: `${waiting} warten` })}`,
    signedOut: (waiting) => `Abgemeldet: ${form(waiting, { one: 'eine wartet', other: `${waiting} warten` })}`,
    notYet: (waiting) => `${waiting} noch nicht gespeichert`,
    notKept: 'Verstanden: Diese Antwort wird nicht behalten',
  },

  keyNames: { space: 'Leertaste', enter: 'Enter', undo: 'Strg Z', shift: '⇧' },
  keys: {
    title: 'Tasten',
    undo: 'zurück zur letzten Antwort',
    thisSheet: 'dieses Blatt',
    good: 'gut',
    bad: 'schlecht',
    cannotTell: 'auslassen: nicht zu entscheiden',
    sameForAll: 'dasselbe für alle übrigen',
    chooseImage: 'ein Bild auswählen',
    enlarge: 'vergrößern',
    left: 'das linke',
    right: 'das rechte',
    tie: 'gleich gut',
    bothBad: 'beide sind schlecht',
    enlargeBoth: 'beide vergrößern',
    rate: 'Punkte geben, dann die nächste Zeile',
    chooseRow: 'eine Zeile auswählen',
    enlargeImage: 'das Bild vergrößern',
    nextImage: 'nächstes Bild',
    mark: 'markieren, was falsch ist: Stellen und Wörter',
    otherKind: 'die andere Art der Markierung',
  },
}
