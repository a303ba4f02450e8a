/**
 * DDPO (Black et al. 2023, arXiv:2305.13301), the importance-sampled estimator of Eq. 4 with PPO's clip: policy gradient on
 * the reward alone, with rewards normalised by what the images of each prompt have been worth lately (§5.2):
 *
 *   max_θ E [ Σ_t min(ρ_t A, clip(ρ_t) A) ],  ρ_t = p_θ(x_{t−1}|x_t, z)/p_old(x_{t−1}|x_t, z),
 *   A = (r − mean of the prompt)/(deviation of the prompt + 1e-6), within ±5
 *
 * Departures from the paper and its public code:
 * 1. Log-densities are sums over elements, in nats, and so is the bound on the ratio: the code's clip of 1e-4 on the mean
 *    over D elements is 1e-4 · D nats here.
 * 2. Statistics of prompts are part of every checkpoint; the code begins anew.
 * 3. Transitions are drawn at random among all of an iteration and divided among its updates; the code makes one update of
 *    all of them. A negative advantage counts at most three times (dual clip, Ye et al. 2020), and the learning rate decays
 *    linearly to zero.
 * 4. Steps with σ = 0 belong to the environment: they have no log-density.
 * 5. The KL to the pre-trained model, exact and summed, is an option (`klWeight`), and so are GRPO-Guard's ratio and the
 *    mask of Flow-DPPO (`trustRegion`, see grpo.ts).
 * 6. Any model, diffusion or flow, whose sampler has noise.
 */
import { z } from 'zod'
import type { Algorithm } from '../algorithm.ts'
import { rolloutFields } from '../policy-gradient/fields.ts'
import { onlineAtOnce } from '../policy-gradient/memory.ts'
import { boundedObjective, trustRegionFields } from '../policy-gradient/objective.ts'
import { onlineMethod, onlineWork, optionalKlField } from '../policy-gradient/online-method.ts'
import {
  OnlineTrainer,
  type ComparedMetrics,
  type OnlineMetrics,
  type OnlineOptions,
} from '../policy-gradient/online-trainer.ts'
import { PromptStatistics, promptStatisticsFields } from '../policy-gradient/prompt-statistics.ts'
import { policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }

const fields = {
  ...rolloutFields,
  ...promptStatisticsFields,
  ...trustRegionFields,
  ...optionalKlField,
  ...policyOptimiserFields(usualRates),
}
/** What DDPO is trained with. */
export const DdpoSettings = z.object(fields)
export type DdpoSettings = z.infer<typeof DdpoSettings>

/** What one iteration reports beside what every method of this family does. */
export interface DdpoMetrics extends OnlineMetrics, Partial<ComparedMetrics> {
  /** Share of the roll-outs whose prompt has had enough rewards for statistics of its own. */
  readonly own_statistics: number
}

/** What DDPO is trained on. */
export type DdpoOptions = OnlineOptions<DdpoSettings>

/** The trainer of DDPO. */
export class Ddpo extends OnlineTrainer<DdpoMetrics> {
  constructor(options: DdpoOptions) {
    const { settings, sampler } = options
    super(options, {
      ...{ method: 'ddpo', usualRates, rewardWeight: 1, isCompared: settings.klWeight > 0 },
      objective: boundedObjective(settings, sampler),
      advantages: () => new PromptStatistics(settings),
    })
  }
}

/** `policy ddpo` */
export const ddpo: Algorithm<'policy ddpo', typeof fields> = {
  ...onlineMethod,
  fields,
  atOnce: (given) => onlineAtOnce(given, { value: false, isCompared: given.settings.klWeight > 0 }),
  recorded: ['klWeight', 'trustRegion'],
  begin: (given) => new Ddpo(given),
  work: (settings, drawing) => onlineWork(settings, drawing, { isCompared: settings.klWeight > 0 }),
}
