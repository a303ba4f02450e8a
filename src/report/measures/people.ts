/** How strong people found a policy beside the base, in what its images show and in how good they are as pictures. */
import { decimal, type Unit } from '../format.ts'
import type { EvaluatedSet, Measure } from './measure.ts'

const logOdds: Unit = { text: 'log-odds', write: (value) => (value > 0 ? `+${decimal(value)}` : decimal(value)) }

const byVotes = (question: 'alignment' | 'fidelity') =>
  ({
    unit: logOdds,
    better: 'higher',
    needs: 'images',
    section: 'people',
    ofBase: 0,
    note: () => 'against base',
    lack: ({ votes }: EvaluatedSet) =>
      votes?.[question] === null
        ? 'a policy won or lost all of its comparisons, or none leads to the base, so its strength has no bound'
        : undefined,
    of: ({ votes }: EvaluatedSet) => votes?.[question] ?? undefined,
  }) as const

export const peopleAlignment = {
  name: 'people-alignment',
  title: 'Shows the prompt better',
  explanation: () =>
    'Logarithm of the odds that people’s blind votes prefer the policy to the base, ties left out: strengths of Bradley and Terry with ties (Davidson 1970), fitted to all pairs of policies together, so that policies that were never compared can be. Each comparison counts once, however many have voted on it; the interval comes from the information matrix.',
  ...byVotes('alignment'),
} as const satisfies Measure

export const peopleFidelity = {
  name: 'people-fidelity',
  title: 'Better picture',
  explanation: () => undefined,
  ...byVotes('fidelity'),
} as const satisfies Measure
