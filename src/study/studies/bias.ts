/**
 * What captions got wrong or hardly said, before and after fine-tuning. How often captions of a prompt's wording are wrong is known
 * exactly of the embedded world (src/shapes/captions.ts).
 */
import { dpok as train, groupArms, rewardWeighted } from '../recipes.ts'
import type { Arm, Bench, Claim, Coefficients, Look, Study } from '../study.ts'
import { dpok as rl, usual } from './dpok.ts'
import { supervised } from './supervised.ts'

/** Of the prompts, from those with the fewest wrong captions to those with the most. */
const quarters = ['quarter-1', 'quarter-2', 'quarter-3', 'quarter-4'] as const
const titles = { base: 'Pre-trained', dpok: 'DPOK', 'reward-weighted': 'Reward-weighted' }
type Policy = keyof typeof titles
type Group = (typeof quarters)[number] | 'common' | 'rare'

function arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] {
  const policies = [
    { name: 'dpok', source: train(bench, 'KL weight 0.01', { ...usual, ...chosen.dpok }) },
    {
      name: 'reward-weighted',
      source: rewardWeighted(bench, 'Reward-weighted', { ...chosen.supervised, pretrainingWeight: 0 }),
    },
  ]
  const { faults, colors } = bench.prompts
  const [first, second, third, fourth] = faults.map((source, i) => {
    const title = `captions ${Math.round(100 * source.wrong)} % wrong`
    return { name: quarters[i], title, source, at: source.wrong }
  })
  const [common, rare] = (['common', 'rare'] as const).map((name) => ({ name, title: `${name} colours`, source: colors[name] })) // prettier-ignore
  return [
    [first, second],
    [third, fourth],
    [common, rare],
  ].flatMap(([one, other]) => groupArms(bench, [one, other], policies, titles))
}

const aligned = (look: Look, policy: Policy, group: Group) => look(`${policy}-${group}`, 'alignment')
const mended = (look: Look, policy: Policy, group: Group) => aligned(look, policy, group) - aligned(look, 'base', group)
/** Of what was wrong, how much is right. */
const mendedShare = (look: Look, policy: Policy, group: Group) =>
  mended(look, policy, group) / (1 - aligned(look, 'base', group))
/** How much better prompts of common colours are shown. */
const preference = (look: Look, policy: Policy) => aligned(look, policy, 'common') - aligned(look, policy, 'rare')

const claims: readonly Claim[] = [
  {
    says: 'The pre-trained model shows least what captions got wrong most.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment of the quarter of prompts with the fewest wrong captions less that with the most',
        unit: 'points',
        of: (look) => aligned(look, 'base', 'quarter-1') - aligned(look, 'base', 'quarter-4'),
      },
    ],
  },
  ...(['dpok', 'reward-weighted'] as const).flatMap((policy): Claim[] => [
    {
      says: `${titles[policy]} mends those prompts more than the others.`,
      source: 'Ours',
      parts: [
        {
          says: 'gain in alignment on the quarter with the most wrong captions less that on the quarter with the fewest',
          unit: 'points',
          of: (look) => mended(look, policy, 'quarter-4') - mended(look, policy, 'quarter-1'),
        },
      ],
    },
    {
      says: `So it does as a share of the images that were wrong.`,
      source: `Ours, ${titles[policy]}`,
      parts: [
        {
          says: 'share of wrong images that became right: on the quarter with the most wrong captions less on that with the fewest',
          unit: 'points',
          of: (look) => mendedShare(look, policy, 'quarter-4') - mendedShare(look, policy, 'quarter-1'),
        },
      ],
    },
  ]),
  {
    says: 'RL mends what captions got wrong most further than supervised fine-tuning does.',
    source: 'Fan et al. 2023, of such prompts alone',
    parts: [
      {
        says: 'alignment on the quarter with the most wrong captions, DPOK less reward-weighted',
        unit: 'points',
        of: (look) => aligned(look, 'dpok', 'quarter-4') - aligned(look, 'reward-weighted', 'quarter-4'),
      },
    ],
  },
  {
    says: 'The pre-trained model shows colours that were common better than rare ones.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment on prompts of colours that were common with their object less on those of rare ones',
        unit: 'points',
        of: (look) => preference(look, 'base'),
      },
    ],
  },
  {
    says: 'RL reduces that bias.',
    source: 'Fan et al. 2023, of the bias in pre-training data',
    parts: [
      {
        says: 'the same difference, of the pre-trained model less of DPOK',
        unit: 'points',
        of: (look) => preference(look, 'base') - preference(look, 'dpok'),
      },
    ],
  },
]

export const bias: Study = {
  name: 'bias',
  title: 'Bias and hard prompts',
  question:
    'Does fine-tuning mend what the captions of pre-training got wrong most, and does it shrink the preference for colours that were common?',
  tunings: [...supervised.tunings, ...rl.tunings.filter(({ name }) => name === 'dpok')],
  arms,
  claims,
  sweeps: [
    {
      title: 'Wrong captions',
      axis: 'share of the pre-training captions of a prompt’s wording that are wrong',
      measures: [{ measure: 'alignment' }],
      lines: (Object.keys(titles) as Policy[]).map((policy) => ({
        title: titles[policy],
        arms: quarters.map((quarter) => `${policy}-${quarter}`),
      })),
    },
  ],
}
