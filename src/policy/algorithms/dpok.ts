/**
 * DPOK (Fan et al. 2023, arXiv:2305.16381), Algorithm 1: policy gradient on the reward with KL regularisation to the
 * pre-trained model and value learning. Objective (Eq. 8), with all densities and divergences summed over elements:
 *
 *   min_θ E_z [ −α E_{p_θ}[r(x_0, z)] + β Σ_t E_{p_θ(x_t|z)} KL(p_θ(x_{t−1}|x_t, z) ‖ p_pre(x_{t−1}|x_t, z)) ]
 *
 * Departures from the paper:
 * 1. The policy is the guided sampler, and gradients pass through both branches (as in the public code).
 * 2. The bound on the importance ratio is given in nats of the summed log-density; the public code's 1e-4 on the mean
 *    over D elements is 1e-4 · D nats. PPO's pessimistic minimum is used, with a second bound for negative advantages.
 * 3. V sees a state as the reward would see the predicted clean image (see policy-gradient/value.ts), and an advantage uses V as it was
 *    fitted before the roll-out was seen. It is an exponentially weighted sum of changes of V (λ = 1 is the paper's
 *    r − V; see policy-gradient/advantages.ts). Advantages are not normalised.
 * 4. Transitions are drawn from the latest roll-outs only; the public code also keeps those of the iteration before.
 * 5. The learning rate decays linearly to zero; the paper's is constant.
 * 6. Steps with σ = 0 belong to the environment: they have no log-density and no KL.
 * 7. Roll-outs may compute in bf16 or fp16; the training pass (policy, reference and old density) is always in float32,
 *    over the same weights: near the reference the ratio of a narrower type is rounding, and its KL nats of nothing
 *    (docs/benchmarks.md). The old log-density is then not that of the roll-out but is computed again, by the batches of the
 *    training pass and before the first update.
 *
 * `published` switches to the public code's choices: mean over elements instead of sum, mean squared difference of ε as
 * the "KL", and a bare clamp of the ratio.
 */
import { z } from 'zod'
import { ConfigError } from '../../errors.ts'
import { tellNote } from '../../notes.ts'
import type { Algorithm } from '../algorithm.ts'
import { rewardAdvantages } from '../policy-gradient/advantages.ts'
import { rolloutFields } from '../policy-gradient/fields.ts'
import { onlineAtOnce } from '../policy-gradient/memory.ts'
import { boundedObjective, publishedObjective, trustRegionFields } from '../policy-gradient/objective.ts'
import { onlineMethod, onlineWork } from '../policy-gradient/online-method.ts'
import {
  OnlineTrainer,
  type ComparedMetrics,
  type OnlineMetrics,
  type OnlineOptions,
} from '../policy-gradient/online-trainer.ts'
import { ValueAdvantages, valueFields } from '../policy-gradient/value-advantages.ts'
import { policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }

const fields = {
  ...rolloutFields,
  rewardWeight: z.number().nonnegative().default(1).describe('Weight α of the reward.'),
  klWeight: z.number().nonnegative().default(0.01).describe('Weight β of the KL to the pre-trained model, per nat.'),
  ...trustRegionFields,
  ...policyOptimiserFields(usualRates),
  ...valueFields,
  published: z
    .boolean()
    .default(false)
    .describe('Uses the public code’s choices: means over elements, mean-ε KL, bare clamp.'),
}
/** What DPOK is trained with. */
export const DpokSettings = z.object(fields)
export type DpokSettings = z.infer<typeof DpokSettings>

/** What one iteration reports beside what every method of this family does. */
export interface DpokMetrics extends OnlineMetrics, ComparedMetrics {
  readonly value_loss?: number
  /** Of V, and of the running per-prompt mean reward, on roll-outs that neither has seen. */
  readonly explained_variance?: number
  readonly explained_variance_prompt_mean?: number
}

/** What DPOK is trained on. */
export type DpokOptions = OnlineOptions<DpokSettings>

/** The trainer of DPOK: each step is an iteration of Algorithm 1. */
export class Dpok extends OnlineTrainer<DpokMetrics> {
  constructor(options: DpokOptions) {
    const { settings, sampler } = options
    if (settings.published && settings.trustRegion !== 'clip') {
      throw new ConfigError({
        where: '--trust-region',
        expected: 'clip with --published, which has a bound of its own',
        received: settings.trustRegion,
        remedy: 'leave one of them out',
      })
    }
    super(options, {
      ...{ method: 'dpok', usualRates, rewardWeight: settings.rewardWeight, isCompared: true },
      objective: settings.published ? publishedObjective(settings.clipRange) : boundedObjective(settings, sampler),
      advantages: (policy) => (settings.value ? new ValueAdvantages({ ...options, policy }) : rewardAdvantages),
    })
    if (!settings.value && options.reward.isWithinPrompt) tellNote(withoutBaseline(options.reward.name))
  }
}

const withoutBaseline = (reward: string) =>
  `${reward} compares images of one prompt only, and without --value prompts are weighed against each other by it`

/** `policy dpok` */
export const dpok: Algorithm<'policy dpok', typeof fields> = {
  ...onlineMethod,
  fields,
  changeable: ['valueLearningRate', ...onlineMethod.changeable],
  atOnce: (given) => onlineAtOnce(given, { value: given.settings.value, isCompared: true }),
  recorded: ['klWeight'],
  begin: (given) => new Dpok(given),
  work: (settings, drawing) => onlineWork(settings, drawing, { isCompared: true }),
}
