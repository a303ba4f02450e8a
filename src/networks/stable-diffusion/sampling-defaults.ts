/** How a checkpoint is sampled where nobody says otherwise: as its kind is meant to be. */
import type { NoiseSetup } from '../../diffusion/scheduler-config.ts'
import type { Sampling } from '../generative-model.ts'
import type { UnetConfig } from './unet-config.ts'

const many: Sampling = { steps: 50, eta: 1, guidance: 7.5 }
/** Distilled networks have guidance in them. */
const few: Sampling = { steps: 4, eta: 1, guidance: 1 }
/** Of latent consistency models, which are told the scale (Luo et al. 2023, arXiv:2310.04378). */
const told: Sampling = { steps: 4, eta: 1, guidance: 8.5 }

const fewStepName = /turbo|lightning|\blcm\b|[-_]lcm|lcm[-_]|hyper[-_]?sd|[-_]dmd2?\b/i

/**
 * Few steps for distilled models: those that are told the scale of guidance, whose sampler is that of consistency models,
 * whose times are spaced as those of Turbo models, or whose name says so.
 *
 * @param names of the checkpoint's folder or file, or on the hub, now and before
 * @returns note: by what the kind was told, and how certainly; undefined of other models
 */
export function samplingDefaults(
  names: readonly string[],
  { guidanceWidth }: UnetConfig,
  { fewSteps }: NoiseSetup,
): { readonly sampling: Sampling; readonly note: string | undefined } {
  const called = names
    .map((name) => name.split(/[\\/]/).filter(Boolean).at(-1) ?? '')
    .find((own) => fewStepName.test(own))
  const sign =
    guidanceWidth !== undefined
      ? { sign: 'its denoiser is told the scale of guidance (time_cond_proj_dim)', isCertain: true }
      : (fewSteps ?? (called === undefined ? undefined : { sign: `its name is ${called}`, isCertain: false }))
  if (sign === undefined) return { sampling: many, note: undefined }
  const sampling = guidanceWidth === undefined ? few : told
  const kind = sign.isCertain ? 'This is a model for few steps' : 'This looks like a model for few steps'
  const doubt = sign.isCertain ? '' : ' If it is none, give --steps 50 --guidance 7.5.'
  return {
    sampling,
    note: `${kind}, since ${sign.sign}: it is sampled in ${sampling.steps} steps with η ${sampling.eta} and guidance ${sampling.guidance} where --steps, --eta and --guidance do not say otherwise.${doubt}`,
  }
}
