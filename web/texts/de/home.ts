import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, form, listed } = german
const pairs = { one: 'Paar', other: 'Paaren' }

export const home: Texts['home'] = {
  welcome: (name) => (name === null ? 'Willkommen' : `Willkommen, ${name}`),
  answersTeach: 'Mit Ihren Antworten lernt das Modell, was Menschen sehen möchten.',
  label: 'Bewerten',

  teach: 'Zeigen Sie einem Modell, was Ihnen gefällt',
  teachHow: 'Das Modell zeichnet, Sie bewerten, es lernt aus Ihren Antworten. Alles bleibt auf diesem Rechner.',
  whatNext: 'Wie es weitergeht',
  work: {
    round: 'Das Modell zeichnet',
    reward: 'Eine Belohnung lernt aus den Antworten',
    policy: 'Das Modell lernt',
    'best-of-n': 'Die besten Bilder werden ausgesucht',
    report: 'Die Policies werden gemessen',
  },
  meanwhile: 'Sie können zusehen oder mit etwas anderem weitermachen.',
  watch: 'Zusehen',
  labelMeanwhile: 'Inzwischen bewerten',
  or: 'Oder',
  oneMoment: 'Einen Augenblick …',
  then: (runs, isGated) =>
    `Danach ${form(runs.length, { one: 'beginnt', other: 'beginnen' })} ${listed(runs)}${isGated ? ', falls die Belohnung nachweislich besser ist als der Zufall und als der CLIP-Score' : ''}.`,
  hasNotBegun: (run) => `${run} hat nicht begonnen`,
  beginAnyhow: 'Ansehen und trotzdem beginnen',

  steps: {
    draw: 'Die ersten Bilder zeichnen',
    label: 'Bewerten',
    drawMore: (policy) => (policy === null ? 'Mehr Bilder zeichnen' : `Mehr Bilder mit ${policy} zeichnen`),
    trainReward: 'Belohnung trainieren',
    trainPolicy: (policy) => `${policy ?? 'Vortrainiertes Modell'} trainieren`,
    trainCloser: 'Noch einmal trainieren, näher am Anfang gehalten',
    trainPairs: (count) =>
      count === null
        ? 'Trainieren'
        : count === 1
          ? 'Aus diesem Paar lernen lassen'
          : `Aus diesen ${counted(count, pairs)} lernen lassen`,
    drawAgain: 'Neue Bilder mit dieser Policy sammeln',
    compare: 'Blind vergleichen',
    vote: 'Blind abstimmen',
    report: 'Bericht schreiben',
    look: 'Ansehen',
    lookReward: (reward) => `${reward} ansehen`,
    resume: 'Fortsetzen',
    wait: 'In Arbeit',
  },

  fromPairs: 'Direkt aus dem, was Menschen vorziehen',
  fromPairsHow: (policy, count, prompts) =>
    `${policy ?? 'Das vortrainierte Modell'} kann aus ${counted(count, pairs)} von Bildern zu ${counted(prompts, { one: 'Prompt', other: 'Prompts' })} lernen, bei denen eines vorgezogen wurde: ohne Belohnung, ohne neue Bilder. Ein blinder Vergleich zeigt, was daraus geworden ist.`,
  comparePairs: 'Bilder vergleichen',

  loop: 'Der Kreislauf',
  loopBack: 'die nächste Runde beginnt mit der Policy',
  stations: {
    prompts: 'Prompts',
    images: 'Bilder',
    labels: 'Antworten',
    reward: 'Belohnung',
    policy: 'Policy',
    compare: 'Vergleich',
    report: 'Bericht',
  },
  facts: {
    prompts: 'was gezeichnet wird',
    rounds: (count) => counted(count, { one: 'Runde', other: 'Runden' }),
    noneYet: 'noch keine',
    uploaded: 'hochgeladen',
    drawnBy: (policy) => (policy === null ? 'vom vortrainierten Modell' : `von ${policy}`),
    judged: (count) => `${counted(count, { one: 'Bild', other: 'Bilder' })} bewertet`,
    reward: 'lernt aus Antworten',
    policy: 'lernt von der Belohnung',
    votes: (count) => form(count, { one: 'Stimme', other: 'Stimmen' }),
  },

  jobs: 'Aufträge',
  allJobs: 'Alle Aufträge',

  rounds: 'Runden',
  columns: { round: 'Runde', by: 'Gezeichnet von', images: 'Bilder', judged: 'Bewertet', when: 'Wann' },
  judgedOf: (round) => `Bewertet von ${round}`,

  broken: 'Defekt',
  brokenWhy: 'Dies lässt sich nicht lesen und fehlt in allen Listen. Alles andere geht auch ohne es.',
  more: (count) => `und ${figure(count)} weitere`,
}
