import { mostTold } from '../../../src/report/votes/trials-wanted.ts'
import { mostWrong } from '../../../src/report/votes/verdict-words.ts'
import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, percent } = german
const needed = (count: number) =>
  counted(count, { one: 'weitere Stimme ist nötig', other: 'weitere Stimmen sind nötig' })

export const compare: Texts['compare'] = {
  about: 'Dieselben Prompts und dasselbe Rauschen, gezeichnet von jeder Policy.',
  sizes: (prompts, images) =>
    `${counted(prompts, { one: 'Prompt', other: 'Prompts' })} × ${counted(images, { one: 'Bild', other: 'Bilder' })}`,
  drawing: 'wird gezeichnet',
  all: 'Alle Vergleiche',
  against: (policies) => policies.join(' gegen '),
  collectAgain: (policy) => `Neue Bilder mit ${policy} sammeln`,
  areDrawn: 'Die Bilder werden gezeichnet',
  notAllDrawn: 'Nicht alle Bilder sind gezeichnet',
  lookAtJobs: 'Aufträge ansehen',
  whenDrawn:
    'Die Bilder werden gezeigt, wenn alle gezeichnet sind: Wer vorher sieht, welche Policy was gezeichnet hat, kann nicht blind abstimmen.',
  sideBySide: 'Nebeneinander',
  voteFirst: 'Erst abstimmen, dann ansehen',
  voteFirstWhy:
    'Die Bilder sind gezeichnet. Wer gesehen hat, welche Policy was gezeichnet hat, kann nicht mehr blind abstimmen: Wenn Sie die Bilder aufdecken, enden Ihre Stimmen zu diesem Vergleich.',
  showSideBySide: 'Nebeneinander zeigen',
  askShow: 'Zeigen, welche Policy was gezeichnet hat?',
  showThem: 'Aufdecken',
  showingEnds: 'Ihre bisherigen Stimmen zählen. Weitere können Sie zu diesem Vergleich nicht abgeben.',
  by: (prompt, policy) => `${prompt} (${policy})`,
  morePrompts: (count) => `${counted(count, { one: 'weiteren Prompt', other: 'weitere Prompts' })} zeigen`,

  nothing: 'Noch gibt es nichts zu vergleichen',
  nothingWhy: 'Ein Vergleich braucht eine Policy neben dem vortrainierten Modell.',
  fresh: 'Neuer Vergleich',
  policies: 'Policies',
  prompts: 'Prompts',
  promptsEmpty: 'einer je Zeile; leer: Prompts, die kein Training gesehen hat',
  howMany: 'Wie viele Prompts',
  imagesOfEach: 'Bilder zu jedem',
  fourMakeASet: 'Vier bilden eine Gruppe, über die man als Ganzes abstimmen kann.',
  starting: 'Wird begonnen …',
  start: 'Zeichnen und vergleichen',

  voted: 'Wie abgestimmt wurde',
  nobodyVoted:
    'Noch hat niemand abgestimmt. Die Stimmen sind blind: Welche Seite von welcher Policy ist, wird nicht verraten.',
  questions: { alignment: 'Was zeigt besser, was verlangt ist?', fidelity: 'Was ist das bessere Bild?' },
  forms: { single: 'einzelne Paare', set: 'Gruppen von Bildern' },
  verdict({ better }, first, second) {
    if (better === null)
      return `Noch kein klarer Unterschied zwischen ${first} und ${second ?? 'dem vortrainierten Modell'}.`
    const how = { first: 'besser', second: 'schlechter' }[better]
    return `${first} ist eindeutig ${how} als ${second ?? 'das vortrainierte Modell'}.`
  },
  counts: (won, tied, lost) =>
    [
      counted(won, { one: 'Sieg', other: 'Siege' }),
      `${figure(tied)} unentschieden`,
      counted(lost, { one: 'Niederlage', other: 'Niederlagen' }),
    ].join(', '),
  several: (verdicts) =>
    `Jedes dieser ${verdicts} Urteile ist ein Test für sich, der in höchstens 5 % der Fälle irrt; dass eines von ihnen irrt, ist bis zu ${mostWrong(verdicts)} % wahrscheinlich.`,
  interval({ won, lost, interval }) {
    if (interval === null || won + lost === 0) return 'Bisher war alles unentschieden.'
    return `Von den entschiedenen wurden ${percent(won / (won + lost))} gewonnen; das 95-%-Intervall, ${percent(interval.low)} bis ${percent(interval.high)}, gilt, sooft man auch nachsieht.`
  },
  wanted({ wanted, won, lost, tied }) {
    if (wanted === null) return 'Es sind genug Stimmen da; weitere sind möglich.'
    const { about, least } = wanted
    if (about !== null) return `Etwa ${needed(about)}, mindestens ${figure(least)}.`
    const isClose = won + lost + tied >= 20
    return `Mindestens ${needed(least)}${isClose ? `, und mehr als ${figure(mostTold)}, wenn es so knapp bleibt` : ''}.`
  },
  byTwoThirds: (first, second, undecided) =>
    `Mit mindestens zwei Dritteln der Stimmen zu einem Prompt: ${figure(first)} gewonnen, ${figure(second)} verloren, ${figure(undecided)} unentschieden.`,
  votes: (votes, raters) =>
    `${counted(votes, { one: 'Stimme', other: 'Stimmen' })} von ${counted(raters, { one: 'Person', other: 'Personen' })}; was verglichen wurde, zählt einmal, auch wenn mehrere darüber abgestimmt haben.`,

  alignmentAndFidelity: 'Treue zum Prompt und Bildqualität',
  placed: (name, alignment, frechet) =>
    `${name}: Treue zum Prompt ${percent(alignment)}, Fréchet-Abstand ${figure(frechet)}`,
  frechetAxis: 'Fréchet-Abstand; kleiner ist näher an echten Bildern →',
  alignmentAxis:
    'Nach oben: Anteil der Bilder, die alles aus ihrem Prompt zeigen, bei gesehenen Prompts. Linien sind 95‑%‑Intervalle.',
}
