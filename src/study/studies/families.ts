/** RL against supervised fine-tuning and against best-of-n, on one picture of alignment and fidelity. */
import { baseArm, bestOfArm, dpok, policyArm, rewardWeighted } from '../recipes.ts'
import type { Arm, Bench, Claim, Coefficients, Look, Study } from '../study.ts'
import { dpok as rl, usual } from './dpok.ts'
import { supervised } from './supervised.ts'

const bestOf = [2, 4, 8, 16]
/** Updates that take as long as DPOK does. */
const longer = 2

function arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] {
  const weighted = (name: string, title: string, settings: Record<string, number>) =>
    policyArm(bench, { name, title }, rewardWeighted(bench, title, { ...chosen.supervised, ...settings }))
  return [
    baseArm(bench),
    ...bestOf.map((n) => bestOfArm(bench, n)),
    policyArm(bench, { name: 'dpok', title: 'DPOK' }, dpok(bench, 'KL weight 0.01', { ...usual, ...chosen.dpok })),
    weighted('reward-weighted', 'Reward-weighted', { pretrainingWeight: 0 }),
    weighted('reward-weighted-longer', 'Reward-weighted, as long as DPOK', {
      pretrainingWeight: 0,
      updates: longer * bench.size.updates,
    }),
    weighted('pretraining-0.5', 'Reward-weighted, β = 0.5', { pretrainingWeight: 0.5 }),
  ]
}

const both = (against: string) =>
  [
    {
      says: 'alignment on seen prompts',
      unit: 'points',
      of: (look: Look) => look('dpok', 'alignment', 'seen') - look(against, 'alignment', 'seen'),
    },
    {
      says: 'alignment on unseen prompts',
      unit: 'points',
      of: (look: Look) => look('dpok', 'alignment', 'unseen') - look(against, 'alignment', 'unseen'),
    },
    {
      says: 'Fréchet distance of the other less that of DPOK',
      unit: 'number',
      of: (look: Look) => look(against, 'frechet') - look('dpok', 'frechet'),
    },
  ] as const

const claims: readonly Claim[] = [
  {
    says: 'RL beats supervised fine-tuning in alignment and in fidelity, at equal images drawn.',
    source: 'Fan et al. 2023, section 5.2',
    parts: both('reward-weighted'),
  },
  {
    says: 'So it does where both take equally long.',
    source: 'Ours',
    parts: both('reward-weighted-longer'),
  },
]

export const families: Study = {
  name: 'families',
  title: 'RL, supervised, and best-of-n',
  question: 'Does RL beat supervised fine-tuning in both alignment and fidelity, and what is best-of-n beside them?',
  tunings: [...supervised.tunings, ...rl.tunings.filter(({ name }) => name === 'dpok')],
  arms,
  claims,
  sweeps: [
    {
      title: 'Best of n',
      axis: 'n',
      isLogarithmic: true,
      measures: [
        { measure: 'alignment', split: 'seen' },
        { measure: 'alignment', split: 'unseen' },
        { measure: 'frechet' },
      ],
      lines: [{ title: 'Best of n', arms: bestOf.map((n) => `best-of-${n}`) }],
    },
  ],
}
