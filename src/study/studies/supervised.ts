/** Lee et al. 2023: what each part of reward-weighted training does. */
import { alignsBetter } from '../claim-parts.ts'
import { baseArm, policyArm, rewardWeighted } from '../recipes.ts'
import type { Arm, Bench, Claim, Coefficients, Study } from '../study.ts'

const pretrainingWeights = [0, 0.1, 0.5, 2]
const rates = [3e-4, 1.5e-3, 3e-3]

const settingsOf = (chosen: Coefficients) => ({ pretrainingWeight: 0, ...chosen })

function arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] {
  const common = settingsOf(chosen.supervised)
  const of = (name: string, title: string, more: Record<string, number>, isLabelledOnly = false): Arm =>
    policyArm(bench, { name, title }, rewardWeighted(bench, title, { ...common, ...more }, { isLabelledOnly }))
  return [
    baseArm(bench),
    of('labelled', 'Labelled images only', {}, true),
    ...pretrainingWeights.map((weight) => ({
      ...of(`pretraining-${weight}`, `All images, β = ${weight}`, { pretrainingWeight: weight }),
      at: weight,
    })),
    of('filtered', 'All images, reward ≥ 0.5', { threshold: 0.5 }),
    of('kl-d', 'All images, KL-D γ = 0.5', { klD: 0.5 }),
    of('kl-o', 'All images, KL-O γ = 0.5', { klO: 0.5 }),
  ]
}

const claims: readonly Claim[] = [
  {
    says: 'Reward-weighted training aligns images better than the pre-trained model does.',
    source: 'Lee et al. 2023, abstract',
    parts: alignsBetter('pretraining-0'),
  },
  {
    says: 'Images that only the reward has scored keep fidelity, which labelled images alone lose.',
    source: 'Lee et al. 2023, ablation of the data',
    parts: [
      {
        says: 'Fréchet distance of labelled images alone less that of all images',
        unit: 'number',
        of: (look) => look('labelled', 'frechet') - look('pretraining-0', 'frechet'),
      },
    ],
  },
  {
    says: 'The pre-training loss keeps fidelity.',
    source: 'Lee et al. 2023, equation 4 and its ablation',
    parts: [
      {
        says: 'Fréchet distance without it less that with β = 0.5',
        unit: 'number',
        of: (look) => look('pretraining-0', 'frechet') - look('pretraining-0.5', 'frechet'),
      },
    ],
  },
  {
    says: 'β trades alignment for fidelity: more of it, less of both changes.',
    source: 'The system’s own claim on balancing coefficients',
    parts: [
      {
        says: 'alignment on seen prompts at β = 0 less that at β = 2',
        unit: 'points',
        of: (look) => look('pretraining-0', 'alignment', 'seen') - look('pretraining-2', 'alignment', 'seen'),
      },
      {
        says: 'Fréchet distance at β = 0 less that at β = 2',
        unit: 'number',
        of: (look) => look('pretraining-0', 'frechet') - look('pretraining-2', 'frechet'),
      },
    ],
  },
]

export const supervised: Study = {
  name: 'supervised',
  title: 'Supervised fine-tuning: data, pre-training loss, regularisers',
  question: 'What do unlabelled images, the pre-training loss and the KL terms of reward-weighted training do?',
  tunings: [
    {
      name: 'supervised',
      candidates: rates.map((learningRate) => ({ learningRate })),
      train: (bench, chosen) => rewardWeighted(bench, `rate ${chosen.learningRate}`, settingsOf(chosen)),
    },
  ],
  arms,
  claims,
  sweeps: [
    {
      title: 'Weight of the pre-training loss',
      axis: 'β',
      measures: [
        { measure: 'alignment', split: 'seen' },
        { measure: 'alignment', split: 'unseen' },
        { measure: 'frechet' },
      ],
      lines: [{ title: 'Reward-weighted', arms: pretrainingWeights.map((weight) => `pretraining-${weight}`) }],
    },
  ],
}
