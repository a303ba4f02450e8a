/** All methods that train a policy, beside each other: equal labels, equal images drawn, equal tuning. */
import { alignsBetter } from '../claim-parts.ts'
import { baseArm, bestOfArm, dpok, drawnInGroups, method, policyArm, rewardWeighted } from '../recipes.ts'
import type { Step, StepSettings } from '../steps.ts'
import type { Arm, Bench, Claim, Coefficients, Study, Tuning } from '../study.ts'
import { dpok as rl, usual } from './dpok.ts'
import { supervised } from './supervised.ts'

const rlRates = [1.5e-3, 3e-3, 6e-3]
const supervisedRates = [3e-4, 1.5e-3, 3e-3]

interface Method {
  readonly title: string
  readonly tuning: Tuning
  train(bench: Bench, chosen: Coefficients): Step
}

/** A method with three learning rates to choose from, each with its other settings at their defaults but for those given. */
function tuned(
  name: string,
  title: string,
  rates: readonly number[],
  train: (bench: Bench, title: string, settings: StepSettings) => Step,
): Method {
  return {
    title,
    tuning: {
      name,
      candidates: rates.map((learningRate) => ({ learningRate })),
      train: (bench, coefficients) => train(bench, `${title} rate ${coefficients.learningRate}`, coefficients),
    },
    train: (bench, chosen) => train(bench, title, chosen),
  }
}
const inRounds = (bench: Bench, title: string, settings: StepSettings): Step =>
  method(bench, 'policy reward-weighted', title, {
    ...{ updates: bench.size.updates, imagesDrawn: drawnInGroups(bench) },
    ...settings,
  })
const ofStage = (of: Pick<Study, 'tunings'>, name: string) => of.tunings.find((tuning) => tuning.name === name)!

/** In the order of the table. */
const methods: Readonly<Record<string, Method>> = {
  'reward-weighted': {
    title: 'Reward-weighted',
    tuning: ofStage(supervised, 'supervised'),
    train: (bench, chosen) => rewardWeighted(bench, 'Reward-weighted', { ...chosen, pretrainingWeight: 0 }),
  },
  dpo: tuned('dpo', 'DPO', [3e-4, 1e-3, 3e-3], (bench, title, settings) =>
    method(bench, 'policy dpo', title, { updates: bench.size.updates, ...settings }),
  ),
  dpok: {
    title: 'DPOK',
    tuning: ofStage(rl, 'dpok'),
    train: (bench, chosen) => dpok(bench, 'DPOK', { ...usual, ...chosen }),
  },
  grpo: tuned('grpo', 'GRPO', rlRates, (bench, title, settings) => method(bench, 'policy grpo', title, settings)),
  // The paper's 16 rewards are as many as a prompt has here in all.
  ddpo: tuned('ddpo', 'DDPO', rlRates, (bench, title, settings) =>
    method(bench, 'policy ddpo', title, { promptMemory: 4, ...settings }),
  ),
  draft: tuned('draft', 'DRaFT-1', [3e-4, 1e-3, 3e-3], (bench, title, settings) =>
    method(bench, 'policy draft', title, { heldOutReward: 'clip-score', ...settings }),
  ),
  nft: tuned('nft', 'DiffusionNFT', [1e-3, 3e-3, 1e-2], (bench, title, settings) =>
    method(bench, 'policy nft', title, settings),
  ),
  rounds: tuned('rounds', 'Reward-weighted in rounds', supervisedRates, (bench, title, settings) =>
    inRounds(bench, title, settings),
  ),
  awm: tuned('awm', 'Advantage weighted matching', supervisedRates, (bench, title, settings) =>
    inRounds(bench, title, { signed: true, klO: 0.1, pretrainingWeight: 0, ...settings }),
  ),
}
const names = Object.keys(methods)
export const nftTuning = methods.nft.tuning

const arms = (bench: Bench, chosen: Readonly<Record<string, Coefficients>>): Arm[] => [
  baseArm(bench),
  bestOfArm(bench, 4),
  ...Object.entries(methods).map(([name, { title, tuning, train }]) =>
    policyArm(bench, { name, title }, train(bench, chosen[tuning.name])),
  ),
]

const claims: readonly Claim[] = names.map((name) => ({
  says: `${methods[name].title} aligns images better than the pre-trained model does.`,
  source: 'Its paper, of its own reward',
  parts: alignsBetter(name),
}))

export const allMethods: Study = {
  name: 'methods',
  title: 'Every method beside the others',
  question: 'Which method reaches how far with equal labels, equal images drawn and equal tuning?',
  tunings: Object.values(methods).map(({ tuning }) => tuning),
  arms,
  claims,
  sweeps: [],
}
