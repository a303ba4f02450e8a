import { firstStep } from '../../../src/policy/alarms/alarm-record.ts'
import type { Reason } from '../../../src/studio/schemas/next.ts'
import type { Texts } from '../en.ts'
import { german } from '../speech.ts'

const { counted, figure, fixed, form } = german
const labels = { one: 'Antwort', other: 'Antworten' }
type Of<K extends Reason['kind']> = Extract<Reason, { kind: K }>
type Vote = Of<'lost'>['vote']

const told = ({ wins, losses, ties }: Vote) =>
  [
    counted(wins, { one: 'Sieg', other: 'Siege' }),
    counted(losses, { one: 'Niederlage', other: 'Niederlagen' }),
    `${figure(ties)}-mal gleich gut`,
  ].join(', ')
const unused = (count: number) => `Aus ${counted(count, labels)} hat noch keine Belohnung gelernt`
const nearly = (value: number) => fixed(value, 2)

/** As the alarms of a training name what they look at. */
const statistics: Readonly<Record<string, string>> = {
  brightness: 'Helligkeit',
  dark_share: 'Anteil dunkler Pixel',
  saturation: 'Sättigung',
  colour_entropy: 'Entropie der Farben',
  edge_density: 'Dichte der Kanten',
  spectral_peak: 'Spitze im Spektrum (Gitter)',
  jpeg_size: 'Größe als JPEG',
  diversity: 'Vielfalt je Prompt',
  held_out_reward: 'unbeteiligte Belohnung',
}

function alarmInWords({ statistic, value, base, deviation, peak }: Of<'alarming'>['alarms'][number]): string {
  const title = statistics[statistic] ?? statistic
  if (peak === undefined) return `${title} ${figure(value)} (am Anfang ${figure(base)} ± ${figure(deviation)})`
  return `${title} ${figure(value)} (${figure(peak.value)} bei Schritt ${figure(peak.step)}), die fällt, während die trainierte es nicht tut`
}

function lack(name: string, { kind, figures, wanted }: Of<'weak-reward'>['lack']): string {
  if (kind === 'unmeasured')
    return `${name} wurde an keinen zurückgelegten Prompts gemessen: Bewerten Sie Bilder zu mehr Prompts.`
  if (figures === null)
    return `${name} wurde an zu wenigen zurückgelegten Antworten gemessen: Bewerten Sie Bilder zu mehr Prompts.`
  const { of, value, interval, bar, n } = figures
  const [low, high] = interval.map(nearly)
  const on = counted(n, of === 'auc' ? labels : { one: 'Paar', other: 'Paare' })
  const figureText = `${of === 'auc' ? 'AUC' : 'richtig geordnete Paare'} ${nearly(value)}; ${low} … ${high}; zurückgelegt: ${on}`
  const more = `noch etwa ${counted(wanted ?? 0, labels)}`
  if (kind === 'not-above-clip')
    return `${name} ist besser als der Zufall, aber nicht nachweislich besser als der CLIP-Score, den es ohne jede Antwort gibt (${nearly(bar)}; ${figureText}): ${more}.`
  const is = kind === 'at-chance' ? 'ist noch nicht besser als der Zufall' : 'ist noch nicht nachweislich besser als der Zufall' // prettier-ignore
  return `${name} ${is} (${figureText}): ${more}.`
}

export const next: Texts['next'] = {
  why: {
    'first-images': () => 'Lassen Sie das Modell seine ersten Bilder zeichnen.',
    'being-made': ({ run }) => `${run} entsteht gerade.`,
    alarm: ({ run, alarm }) =>
      `${run} zeigt Anzeichen von Überoptimierung (${alarm.replace(/\.$/, '')}). Sehen Sie sich die Probebilder an: Sind sie schlechter geworden, so halten Sie den Lauf an, bewerten Sie mehr, und trainieren Sie noch einmal.`,
    failed: ({ run, error }) =>
      `${run} ist gescheitert${error === null ? ', ohne zu sagen, warum' : `: ${error.replace(/\.$/, '')}`}. Sehen Sie ins Protokoll, beheben Sie, was dort steht, und versuchen Sie es noch einmal.`,
    stopped: ({ run, canResume }) =>
      `${run} wurde vor dem Ende angehalten${canResume ? ' und kann dort weitergehen, wo er steht' : ''}. Oder lassen Sie ihn ruhen, und machen Sie mit dem nächsten Schritt weiter.`,
    'enough-labels': ({ labels: count }) =>
      `${counted(count, labels)} sind da: Trainieren Sie daraus eine Belohnung. Eine Policy folgt ihr nur, wenn sie nachweislich besser ist als der Zufall und als der CLIP-Score.`,
    'more-labels': ({ missing }) =>
      `Bewerten Sie noch ${counted(missing, { one: 'Bild', other: 'Bilder' })}, um eine erste Belohnung zu trainieren.`,
    'all-alike': () => 'Bisher sind alle Antworten gleich: Eine Belohnung braucht gute und schlechte Bilder.',
    'weak-reward': ({ reward, lack: what }) => lack(reward, what),
    'unused-since': ({ labels: count, isEnough }) =>
      `${unused(count)}${isEnough ? ': Trainieren Sie die nächste' : ''}.`,
    'unused-after': ({ labels: count, reward, learned }) =>
      `${unused(count)}, seit ${reward} aus ${figure(learned)} entstand: Trainieren Sie die nächste aus allen.`,
    'unused-yet': ({ labels: count, all }) => `${unused(count)}: Trainieren Sie die nächste aus allen ${figure(all)}.`,
    proven: ({ reward, policy }) =>
      `${reward} ist nachweislich besser als der Zufall und als der CLIP-Score: Trainieren Sie ${policy ?? 'das Modell'} damit.`,
    'not-compared': ({ policy }) =>
      `Noch weiß niemand, ob ${policy} besser ist: Vergleichen Sie blind mit dem vortrainierten Modell.`,
    opened: ({ comparison, policy }) =>
      `Sie haben ${comparison} aufgedeckt, bevor es entschieden war: Vergleichen Sie ${policy} blind an anderen Prompts.`,
    drawn: ({ comparison, policy }) =>
      `${comparison} ist gezeichnet: Stimmen Sie blind ab, und sehen Sie, ob ${policy} besser ist.`,
    undecided: ({ policy, wanted }) =>
      `Die blinde Abstimmung über ${policy} ist noch nicht entschieden: Stimmen Sie weiter ab${wanted === null ? '' : `, noch etwa ${counted(wanted, { one: 'Stimme', other: 'Stimmen' })}`}.`,
    lost: ({ policy, vote, base }) =>
      `${policy} hat die blinde Abstimmung gegen ${vote.rival ?? 'das vortrainierte Modell'} verloren (${told(vote)}): Gehen Sie von ${base ?? 'dem vortrainierten Modell'} aus weiter.`,
    alarming: ({ policy, alarms }) =>
      `${policy} wurde trainiert, obwohl die Probebilder ab Schritt ${figure(firstStep(alarms))} Überoptimierung zeigen: ${alarms.map(alarmInWords).join(', ')}. Vielleicht irrt sich die Belohnung bei solchen Bildern.`,
    even: ({ policy, vote }) =>
      `Kein klarer Unterschied zwischen ${policy} und ${vote.rival ?? 'dem vortrainierten Modell'} (${told(vote)}).`,
    'more-pairs': () => 'Lernen kann die Policy aus weiteren Paaren.',
    'better-reward': ({ reward, missing }) =>
      `Zuerst braucht es eine bessere Belohnung: noch etwa ${counted(missing, labels)}, noch einmal so viele, wie ${reward} hatte.`,
    won: ({ policy, vote }) =>
      `${policy} hat die blinde Abstimmung gewonnen (${told(vote)}). Messen Sie die Policy in einem Bericht.`,
    'won-measured': ({ policy }) =>
      `${policy} hat die blinde Abstimmung gewonnen. Sammeln Sie weiter: Lassen Sie die Policy neue Bilder zeichnen.`,
    'judge-round': ({ round }) => `Bewerten Sie die Bilder von ${round}.`,
    'few-pairs': ({ missing }) =>
      `Noch ${counted(missing, { one: 'Paar', other: 'Paare' })} mit einem besseren Bild würden genügen, um gleich aus Paaren zu lernen.`,
    'round-for-pairs': ({ round, pairs }) =>
      `${round} ist bewertet: Trainieren Sie weiter aus ${counted(pairs, { one: 'Paar', other: 'Paaren' })}.`,
    'round-for-reward': ({ round, reward }) =>
      `${round} ist bewertet, und ${reward} hat nichts davon gelernt: Trainieren Sie die nächste Belohnung.`,
  },
  lack,
  pairsCaveat: (choices, measured, wanted) =>
    `Sie zählen als ${figure(choices)} unabhängige ${form(choices, { one: 'Wahl', other: 'Entscheidungen' })}, von denen ${figure(measured)} zu anderen Prompts die Policy messen würden: zu wenige, um zu zeigen, dass sie vorzieht, was Menschen vorziehen. Dafür braucht es etwa ${figure(wanted)}, zu zehn Prompts und mehr. Bis dahin sagt es nur der blinde Vergleich.`,
}
