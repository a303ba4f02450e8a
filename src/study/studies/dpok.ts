/** Fan et al. 2023: what each choice of DPOK does. */
import { alignsBetter } from '../claim-parts.ts'
import { baseArm, dpok as train, policyArm, singleArms } from '../recipes.ts'
import type { Arm, Bench, Claim, Coefficients, Study } from '../study.ts'

const klWeights = [0, 0.01, 0.03, 0.1]
const advantageDecays = [0, 0.5, 1]
const clipRanges = [0.05, 0.2, 0.8]
const ranks = [2, 8, 32]
/** Times as many images of a prompt as where many are trained on. */
const imagesOfOne = 24
/** What an arm has that does not vary it. */
export const usual = { klWeight: 0.01, advantageDecay: 0.5, clipRange: 0.2, value: true }

/** Each family of arms has its own learning rate, of as many candidates. */
const families = {
  dpok: { rates: [1.5e-3, 3e-3, 6e-3], settings: {} },
  'dpok without value': { rates: [1.5e-3, 3e-3, 6e-3], settings: { value: false } },
  'dpok with adapters': { rates: [1e-3, 3e-3, 1e-2], settings: { parameters: 'lora' } },
  'dpok as published': { rates: [1.5e-3, 3e-3, 6e-3], settings: { published: true, value: false } },
} as const
type Family = keyof typeof families

function arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] {
  const { size, prompts } = bench
  const of = (name: string, title: string, family: Family, more: Record<string, number> = {}, at?: number): Arm => {
    const settings = { ...usual, ...families[family].settings, ...chosen[family], ...more }
    return policyArm(bench, { name, title, ...(at !== undefined && { at }) }, train(bench, title, settings))
  }
  return [
    baseArm(bench),
    ...klWeights.map((klWeight) => of(`kl-${klWeight}`, `KL weight ${klWeight}`, 'dpok', { klWeight }, klWeight)),
    of('no-value', 'No value function', 'dpok without value'),
    of('no-value-kl-0', 'No value function, no KL', 'dpok without value', { klWeight: 0 }),
    ...advantageDecays.map((decay) => of(`lambda-${decay}`, `λ = ${decay}`, 'dpok', { advantageDecay: decay }, decay)),
    ...clipRanges.map((clipRange) =>
      of(`clip-${clipRange}`, `Clip ${clipRange} nats`, 'dpok', { clipRange }, clipRange),
    ),
    ...ranks.map((rank) =>
      of(`rank-${rank}`, `Adapters of rank ${rank}`, 'dpok with adapters', { rank, loraAlpha: rank }, rank),
    ),
    ...prompts.singles.flatMap((single, i) => {
      const other = prompts.singles[(i + 1) % prompts.singles.length]
      const own = { ...bench, prompts: { ...prompts, trained: single, trainedCount: 1, seen: single, unseen: other } }
      const drawn = { imagesDrawn: imagesOfOne * size.drawnPerPrompt }
      const title = `“${single.text}”`
      return singleArms(own, `one-${single.category}`, title, train(own, title, { ...usual, ...chosen.dpok, ...drawn }))
    }),
    of('published', 'As the public code: KL of mean ε, bare clamp', 'dpok as published'),
  ]
}

const claims: readonly Claim[] = [
  {
    says: 'DPOK aligns images better than the pre-trained model does.',
    source: 'Fan et al. 2023, figure 2',
    parts: alignsBetter('kl-0.01'),
  },
  {
    says: 'Trained on a single prompt, DPOK aligns images of that prompt better than the pre-trained model does.',
    source: 'Fan et al. 2023, figure 2',
    parts: (['color', 'count', 'background', 'combination'] as const).map((category) => ({
      says: `alignment on a prompt of ${category}, against the pre-trained model`,
      unit: 'points',
      of: (look) => look(`one-${category}`, 'alignment', 'seen') - look(`one-${category}-base`, 'alignment', 'seen'),
    })),
  },
  {
    says: 'KL regularisation keeps fidelity: without it images move further from true ones.',
    source: 'Fan et al. 2023, section 5.2 and figure 5',
    parts: [
      {
        says: 'Fréchet distance without it less that with weight 0.03',
        unit: 'number',
        of: (look) => look('kl-0', 'frechet') - look('kl-0.03', 'frechet'),
      },
    ],
  },
  {
    says: 'The KL weight trades reward for nearness to the pre-trained model.',
    source: 'The system’s own claim on balancing coefficients',
    parts: [
      {
        says: 'mean reward at 0 less that at 0.1',
        unit: 'number',
        of: (look) => look('kl-0', 'mean-reward') - look('kl-0.1', 'mean-reward'),
      },
      {
        says: 'KL in nats at 0 less that at 0.1',
        unit: 'nats',
        of: (look) => look('kl-0', 'kl') - look('kl-0.1', 'kl'),
      },
    ],
  },
  {
    says: 'Value learning makes the reward higher at equal images drawn.',
    source: 'Fan et al. 2023, section 4.3 and appendix A.1',
    parts: [
      {
        says: 'mean reward with the value function less that without',
        unit: 'number',
        of: (look) => look('kl-0.01', 'mean-reward') - look('no-value', 'mean-reward'),
      },
    ],
  },
  {
    says: 'The exact KL of the steps does better than the public code’s form.',
    source: 'Ours',
    parts: [
      {
        says: 'alignment on seen prompts less that of the public code’s choices',
        unit: 'points',
        of: (look) => look('kl-0.01', 'alignment', 'seen') - look('published', 'alignment', 'seen'),
      },
    ],
  },
]

const line = (title: string, arms: readonly string[]) => ({ title, arms })
/** What is drawn over the axis of a sweep of RL. */
export const sweptMeasures = [
  { measure: 'alignment', split: 'seen' },
  { measure: 'alignment', split: 'unseen' },
  { measure: 'frechet' },
  { measure: 'kl' },
] as const

export const dpok: Study = {
  name: 'dpok',
  title: 'RL fine-tuning: KL, value learning, clipping, adapters',
  question: 'Which of DPOK’s choices move alignment and fidelity, and how far?',
  tunings: (Object.keys(families) as Family[]).map((name) => ({
    name,
    candidates: families[name].rates.map((learningRate) => ({ learningRate })),
    train: (bench, coefficients) =>
      train(bench, `${name} rate ${coefficients.learningRate}`, {
        ...usual,
        ...families[name].settings,
        ...coefficients,
      }),
  })),
  arms,
  claims,
  sweeps: [
    {
      title: 'KL weight',
      axis: 'KL weight β',
      measures: sweptMeasures,
      lines: [
        line(
          'DPOK',
          klWeights.map((weight) => `kl-${weight}`),
        ),
      ],
    },
    {
      title: 'λ of the advantage',
      axis: 'λ',
      measures: sweptMeasures,
      lines: [
        line(
          'DPOK',
          advantageDecays.map((decay) => `lambda-${decay}`),
        ),
      ],
    },
    {
      title: 'Clip range',
      axis: 'nats',
      isLogarithmic: true,
      measures: sweptMeasures,
      lines: [
        line(
          'DPOK',
          clipRanges.map((range) => `clip-${range}`),
        ),
      ],
    },
    {
      title: 'Rank of the adapters',
      axis: 'rank',
      isLogarithmic: true,
      measures: sweptMeasures,
      lines: [
        line(
          'DPOK',
          ranks.map((rank) => `rank-${rank}`),
        ),
      ],
    },
  ],
}
