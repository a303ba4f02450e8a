/** What the numbers say, in words. */
import { percent, points, pointsRange, whole } from '../format.ts'
import type { Interval } from '../interval.ts'
import { ownNames, type PolicyName } from '../policy-name.ts'
import { isJudged, scorerOf } from '../report-facts.ts'
import { splits, type PolicyReport, type Report, type Split } from '../schema.ts'
import { verdictSentence } from '../votes/verdict-words.ts'
import { looksOf } from './policy-look.ts'

/** The policy that the report is about: the last one that was given to it, or else the best of the base's images. */
export const subjectOf = ({ policies }: Report): PolicyReport | undefined =>
  policies.findLast(({ name }) => !ownNames.includes(name)) ?? policies.find(({ name }) => name !== 'base')

export const policyOf = (report: Report, name: PolicyName): PolicyReport | undefined =>
  report.policies.find((policy) => policy.name === name)

/** A difference whose interval lies on one side of zero has a direction; any other has none. */
export const direction = ({ low, high }: Pick<Interval, 'low' | 'high'>): 'up' | 'down' | 'unclear' =>
  low > 0 ? 'up' : high < 0 ? 'down' : 'unclear'

/** The paired difference of two policies in the chief measure, whichever way the report has it. */
export function comparisonOf(
  { details }: Report,
  policy: PolicyName,
  against: PolicyName,
  split: Split,
): Interval | undefined {
  const rows = (details?.comparisons ?? []).filter((row) => row.split === split)
  const found = rows.find((row) => row.policy === policy && row.against === against)
  if (found !== undefined) return found.difference
  const reverse = rows.find((row) => row.policy === against && row.against === policy)?.difference
  return reverse && { mean: -reverse.mean, low: -reverse.high, high: -reverse.low }
}

/** What changed, in at most three sentences: by the measure, by people's votes, and beside the other policies. */
export function headline(report: Report): string[] {
  const base = policyOf(report, 'base')
  const subject = subjectOf(report)
  if (!base || !subject) return ['Only the base model was measured: there is nothing to compare it with.']
  return [
    isJudged(report) ? judgedChange(report, base, subject) : wins(report, subject),
    ...(peopleSaid(report, subject) ?? []),
    ...standings(report, subject),
  ]
}

function peopleSaid(report: Report, { name }: PolicyReport): string[] | undefined {
  const pair = votedPair(report, name)
  if (pair?.verdict === undefined) return undefined
  const { won, tied, lost, better } = pair.verdict
  const said = better && ({ policy: 'first', against: 'second' } as const)[better]
  const title = looksOf(report)(name).title
  return [
    `By people's blind votes: ${verdictSentence({ better: said }, title, 'the base')} (${whole(won)} won, ${whole(tied)} tied, ${whole(lost)} lost).`,
  ]
}

/** People's votes between a policy and the base, those on alignment first, and then the most. */
export function votedPair({ details }: Report, name: PolicyName) {
  const pairs = (details?.votes?.pairs ?? []).filter(({ policy, against }) => policy === name && against === 'base')
  const weight = ({ question, duels }: (typeof pairs)[number]) => (question === 'alignment' ? 1e9 : 0) + duels
  return pairs.toSorted((a, b) => weight(b) - weight(a)).at(0)
}

function judgedChange(report: Report, base: PolicyReport, subject: PolicyReport): string {
  const change = (split: Split) => {
    const { alignment, differenceToBase } = subject[split]
    const moved = `from ${percent(base[split].alignment.mean)} % to ${percent(alignment.mean)} % (${points(differenceToBase.mean)} points, 95 % interval ${pointsRange(differenceToBase)})`
    switch (direction(differenceToBase)) {
      case 'up':
        return `rose ${moved} on ${split} prompts`
      case 'down':
        return `fell ${moved} on ${split} prompts`
      case 'unclear':
        return `did not measurably change on ${split} prompts: ${moved}, which includes zero`
    }
  }
  const both = direction(subject.seen.differenceToBase) === direction(subject.unseen.differenceToBase)
  return `With ${looksOf(report)(subject.name).title}, the share of images that show everything their prompt asks for ${change('seen')}${both ? ', and' : '; it'} ${change('unseen')}.`
}

function wins(report: Report, subject: PolicyReport): string {
  const verdicts = { up: 'better than the base', down: 'worse than the base', unclear: 'no clear difference' }
  const share = (split: Split) => {
    const { alignment, differenceToBase } = subject[split]
    const range = `${percent(alignment.low)} to ${percent(alignment.high)}`
    return `${percent(alignment.mean)} % of images on ${split} prompts (95 % interval ${range}: ${verdicts[direction(differenceToBase)]})`
  }
  return `With ${looksOf(report)(subject.name).title}, ${share('seen')} and ${share('unseen')} score higher by ${scorerOf(report)} than the base's image of the same prompt and noise; ties count half.`
}

/** Where the subject stands among the other policies; nothing where it is the only one. */
function standings(report: Report, subject: PolicyReport): string[] {
  const [seen, unseen] = splits.map((split) => standing(report, subject, split))
  if (seen === '' && unseen === '') return []
  if (seen === unseen) return [`On seen and on unseen prompts it stands ${seen}.`]
  const parts = [
    ...(seen === '' ? [] : [`On seen prompts it stands ${seen}`]),
    ...(unseen === '' ? [] : [`on unseen prompts it stands ${unseen}`]),
  ]
  return [`${parts.join('; ').replace(/^on/, 'On')}.`]
}

function standing(report: Report, { name }: PolicyReport, split: Split): string {
  const looks = looksOf(report)
  const places = report.policies.flatMap((other) => {
    const difference = comparisonOf(report, name, other.name, split)
    return difference === undefined ? [] : [{ title: looks(other.name).title, place: direction(difference) }]
  })
  const those = (place: (typeof places)[number]['place'], words: string) => {
    const titles = places.filter((one) => one.place === place).map(({ title }) => title)
    return titles.length === 0 ? [] : [`${words} ${inWords(titles)}`]
  }
  return [
    ...those('up', 'clearly above'),
    ...those('down', 'clearly below'),
    ...those('unclear', 'not clearly apart from'),
  ].join(', ')
}

/** `a`, `a and b`, `a, b and c` */
const inWords = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
