/**
 * GRPO on a sampler: group-relative policy optimisation (Shao et al. 2024, arXiv:2402.03300) of a denoising chain, as in
 * Flow-GRPO (Liu et al. 2025, arXiv:2505.05470) and DanceGRPO (Xue et al. 2025, arXiv:2505.07818). Of each prompt K images
 * are drawn; what an image is worth is its reward beside those of the other K − 1, so nothing has to be learned that
 * foretells rewards:
 *
 *   max_θ E [ Σ_t min(ρ_t A, clip(ρ_t) A) ] − β Σ_t KL(p_θ(x_{t−1}|x_t, z) ‖ p_pre(x_{t−1}|x_t, z)),
 *   A = (r − mean of the group)/(deviation + 1e-4), within ±5
 *
 * Departures from the papers and their code:
 * 1. Log-densities are sums over elements, in nats, and so is the bound on the ratio. Flow-GRPO, MixGRPO, GRPO-Guard and
 *    Flow-DPPO take means over D elements: their clip of 1e-4 is 1e-4 · D nats here, and their bound of 1e-5 on a mean
 *    step-KL is 1e-5 · D nats.
 * 2. The KL is exact, Σ_t ‖Δμ‖²/(2σ²). Flow-GRPO's code leaves out 1/|dt| and takes means: its β is |dt| D times ours.
 *    None by default, and then the pre-trained model is not asked.
 * 3. `trustRegion`: `guard` is the ratio of GRPO-Guard (Wang et al. 2025, arXiv:2510.22319) as a sum, over the average σ of
 *    the sampler, so that one clip range in nats fits it as well; its policy loss is not divided by |dt| besides. It weighs
 *    the surrogate of a step by its noise, and the KL not: with both, noisy steps move further than Eq. 5 has them. `mask` is
 *    that of Flow-DPPO, with a bound of clip range²/2 on the step-KL. A negative advantage counts at most three times
 *    (dual clip, Ye et al. 2020).
 * 4. `window`: Flow-GRPO-Fast draws it within the first half of the steps; MixGRPO (Li et al. 2025, arXiv:2507.21802) moves
 *    it by a step every 25 iterations. Deterministic steps are those of the sampler at η = 0: its ODE, or DDIM. All images
 *    of a group are drawn from their beginning, also through the deterministic steps before the window that
 *    `sharedNoise` makes the same for all.
 * 5. It is the guided sampler that is trained, diffusion or flow, with gradients through both branches. Transitions are
 *    drawn at random among all of an iteration; images whose advantage is 0 are not left out.
 * 6. Several rewards are composed before they come here, where MixGRPO normalises each within its group.
 */
import { z } from 'zod'
import type { Algorithm } from '../algorithm.ts'
import { relativeAdvantages } from '../policy-gradient/advantages.ts'
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
import { expectWindow, windowed, windowFields } from '../policy-gradient/window.ts'
import { policyOptimiserFields, type UsualRates } from '../policy-optimiser.ts'
import { expectWholeGroups, promptGroupFields } from '../prompt-groups.ts'

const usualRates: UsualRates = { text: 3e-3, lora: 3e-4 }

const fields = {
  ...rolloutFields,
  ...promptGroupFields,
  sharedNoise: z
    .boolean()
    .default(false)
    .describe('Begins all images of a group with the same noise, so that they differ by their stochastic steps alone.'),
  ...windowFields,
  ...trustRegionFields,
  ...optionalKlField,
  ...policyOptimiserFields(usualRates),
}
/** What GRPO is trained with. */
export const GrpoSettings = z.object(fields)
export type GrpoSettings = z.infer<typeof GrpoSettings>

/** What one iteration reports beside what every method of this family does. */
export interface GrpoMetrics extends OnlineMetrics, Partial<ComparedMetrics> {
  /** Share of the roll-outs whose advantage is 0: those of groups without spread. */
  readonly idle_share: number
}

/** What GRPO is trained on. */
export type GrpoOptions = OnlineOptions<GrpoSettings>

/** The trainer of GRPO. */
export class Grpo extends OnlineTrainer<GrpoMetrics> {
  /** @throws {ConfigError} images that are no whole groups, or a window of more steps than are stochastic */
  constructor(options: GrpoOptions) {
    const { settings, sampler } = options
    const { groupSize, deviation, sharedNoise, klWeight } = settings
    expectWholeGroups(settings)
    super(options, {
      ...{ method: 'grpo', usualRates, rewardWeight: 1, isCompared: klWeight > 0 },
      ...{ groupSize, startsAlike: sharedNoise },
      objective: boundedObjective(settings, sampler),
      advantages: () => relativeAdvantages(deviation),
      samplerOf: (iteration, stream) => windowed(sampler, settings, iteration, stream),
    })
    expectWindow(settings, sampler)
  }
}

/** `policy grpo` */
export const grpo: Algorithm<'policy grpo', typeof fields> = {
  ...onlineMethod,
  fields,
  atOnce: (given) => onlineAtOnce(given, { value: false, isCompared: given.settings.klWeight > 0 }),
  recorded: ['klWeight', 'groupSize', 'trustRegion'],
  begin: (given) => new Grpo(given),
  work: (settings, drawing) =>
    onlineWork(settings, drawing, { isCompared: settings.klWeight > 0, trained: settings.window ?? undefined }),
}
