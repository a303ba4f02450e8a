/**
 * The noise that a checkpoint was trained with, from the `scheduler_config.json` that diffusers keeps beside it.
 *
 * Such a file names a sampler together with its schedule. Attune's policy is DDIM(η), which the samplers DDIMScheduler
 * and DDPMScheduler are (η = 1 for the latter), and their parallel forms; of any other one the schedule is taken and the sampler is replaced, as by
 * `DDIMScheduler.from_config`, defaults included. Departures from diffusers:
 *
 * 1. A file of another sampler that does not speak of `clip_sample` means no clamping, because that sampler does none;
 *    DDIM's default would clamp latents to ±1.
 * 2. DDPM takes ε̂ from the clamped x̂₀, we keep it as predicted, as DDIM does; the note says so.
 * 3. A step goes to the next time of the list (see `schedule.ts`).
 * 4. ᾱ is computed in float64, in diffusers in float32: they differ by up to 4e-5 of it.
 */
import { z } from 'zod'
import { checked } from '../checked.ts'
import { FormatError, ScheduleError } from '../errors.ts'
import {
  consistencyTimesteps,
  cosineSchedule,
  leadingTimesteps,
  linearSchedule,
  linspaceTimesteps,
  scaledLinearSchedule,
  scheduleFromBetas,
  trailingTimesteps,
  zeroTerminalSnr,
  type PredictionType,
  type Schedule,
} from './schedule.ts'
import { VariancePreserving } from './variance-preserving.ts'

/** What a scheduler_config.json says of a model: its noise process and the times that are sampled. */
export interface NoiseSetup {
  /** Its sampler throws a ScheduleError for fewer than one step, or more than there are times. */
  readonly process: VariancePreserving
  /** The class that the file names. */
  readonly trainedWith: string
  /** Why the network seems to be made for a few steps, and whether that is certain; undefined where nothing says so. */
  readonly fewSteps: { readonly sign: string; readonly isCertain: boolean } | undefined
  /** What a person should know: how the checkpoint's own sampler differs from ours, in sentences. */
  readonly note: string | undefined
}

/** Samplers that are replaced, and what each is. */
const replaced = new Map([
  ...[
    'PNDMScheduler',
    'LMSDiscreteScheduler',
    'EulerDiscreteScheduler',
    'HeunDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'DPMSolverSinglestepScheduler',
    'KDPM2DiscreteScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
  ].map((name) => [name, 'deterministic'] as const),
  ...[
    'EulerAncestralDiscreteScheduler',
    'KDPM2AncestralDiscreteScheduler',
    'DPMSolverSDEScheduler',
    'SASolverScheduler',
    'LCMScheduler',
    'TCDScheduler',
    'DDIMInverseScheduler',
    'DPMSolverMultistepInverseScheduler',
    'RePaintScheduler',
  ].map((name) => [name, 'of another kind'] as const),
])
/** Those with `Parallel` differ by sampling all times at once. */
const ofDdpm = ['DDPMScheduler', 'DDPMParallelScheduler']
const own = ['DDIMScheduler', 'DDIMParallelScheduler', ...ofDdpm]
/** Samplers of other noise, by their names. */
const otherNoise: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/flow|RFScheduler|SCMScheduler|^Helios/i, 'a sampler of flow matching'],
  [/^EDM|^Karras|^ScoreSde|^CMStochastic|^IPNDM/, 'a sampler of noise in units of σ'],
]
/** Samplers of consistency models, which visit some of the times that these were distilled on. */
const ofConsistency = ['LCMScheduler', 'TCDScheduler']

const betaMessage = 'a number between 0 and 1'
const beta = z.number(betaMessage).gt(0, betaMessage).lt(1, betaMessage)
const flag = z.boolean('true or false').default(false)
/** Published networks count 1,000 times, some 4,000; each takes memory in several lists, before a step is made. */
const mostTimes = 100_000
const countMessage = `a whole number from 1 to ${mostTimes}`
const count = z.int(countMessage).min(1, countMessage).max(mostTimes, countMessage)
const offsetMessage = 'a whole number ≥ 0'
const rangeMessage = 'a number > 0'
const betasMessage = 'at least one number between 0 and 1; the last may be 1'

/** The messages are what was expected. Fields that only another sampler reads are left alone. */
const SchedulerConfig = z.looseObject(
  {
    _class_name: z.string('the name of a scheduler of diffusers'),
    num_train_timesteps: count.default(1000),
    beta_start: beta.default(1e-4),
    beta_end: beta.default(0.02),
    beta_schedule: z
      .enum(['linear', 'scaled_linear', 'squaredcos_cap_v2'], 'linear, scaled_linear or squaredcos_cap_v2')
      .default('linear'),
    trained_betas: z
      .array(z.number(betasMessage), betasMessage)
      .refine(
        (betas) => betas.every((b, t) => b > 0 && (b < 1 || (b === 1 && t === betas.length - 1))) && betas.length > 0,
        betasMessage,
      )
      .nullish(),
    prediction_type: z
      .enum(['epsilon', 'v_prediction', 'sample'], 'epsilon, v_prediction or sample')
      .default('epsilon'),
    timestep_spacing: z.enum(['leading', 'trailing', 'linspace'], 'leading, trailing or linspace').default('leading'),
    steps_offset: z.int(offsetMessage).min(0, offsetMessage).default(0),
    set_alpha_to_one: z.boolean('true or false').default(true),
    clip_sample: z.boolean('true or false').optional(),
    clip_sample_range: z.number(rangeMessage).gt(0, rangeMessage).default(1),
    rescale_betas_zero_snr: flag,
    thresholding: flag,
    use_flow_sigmas: flag,
    timestep_type: z.string('discrete').default('discrete'),
    variance_type: z.string('text').nullish(),
    original_inference_steps: count.default(50),
  },
  'an object',
)
type SchedulerConfig = z.infer<typeof SchedulerConfig>

const predictionTypes = { epsilon: 'epsilon', v_prediction: 'v', sample: 'x0' } as const

/** @throws {ScheduleError} a class of other noise, named before its fields are looked at */
function expectKnownClass(name: unknown, where: string): void {
  if (typeof name !== 'string' || own.includes(name) || replaced.has(name)) return
  const kind = otherNoise.find(([pattern]) => pattern.test(name))
  throw new ScheduleError({
    where: `${where} _class_name`,
    expected:
      'one of DDIMScheduler, DDPMScheduler, PNDMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler and others with β',
    received: kind === undefined ? name : `${name}, ${kind[1]}`,
    remedy: 'choose a checkpoint with such noise',
  })
}

/** @throws {ScheduleError} what is configured is no sampler that DDIM could stand in for */
function expectSupported(config: SchedulerConfig, where: string): void {
  const refuse = (field: string, expected: string, remedy: string): never => {
    const received = String(config[field])
    throw new ScheduleError({ where: `${where} ${field}`, expected, received, remedy })
  }
  if (config.use_flow_sigmas) {
    refuse('use_flow_sigmas', 'false: noise in steps of β', 'choose a checkpoint that is no flow model')
  }
  if (config.timestep_type !== 'discrete') {
    refuse('timestep_type', 'discrete', 'choose a checkpoint whose network counts training times')
  }
  if (config.thresholding) {
    refuse('thresholding', 'false: a threshold that depends on the image has no density', 'set it to false')
  }
  if (ofDdpm.includes(config._class_name) && /^learned/.test(config.variance_type ?? '')) {
    refuse('variance_type', 'a fixed variance', 'choose a checkpoint whose network predicts the mean alone')
  }
}

function scheduleOf(config: SchedulerConfig, where: string): Schedule {
  const predictionType: PredictionType = predictionTypes[config.prediction_type]
  const steps = config.num_train_timesteps
  const betas = config.trained_betas
  if (betas) {
    if (betas.length === steps) return scheduleFromBetas({ betas, predictionType })
    throw new FormatError({
      where: `${where} trained_betas`,
      expected: `${steps} numbers, as many as num_train_timesteps`,
      received: String(betas.length),
      remedy: 'take the scheduler folder of the checkpoint as diffusers saved it',
    })
  }
  const line = { steps, start: config.beta_start, end: config.beta_end, predictionType }
  switch (config.beta_schedule) {
    case 'linear':
      return linearSchedule(line)
    case 'scaled_linear':
      return scaledLinearSchedule(line)
    case 'squaredcos_cap_v2':
      return cosineSchedule({ steps, predictionType })
  }
}

function noteOf(config: SchedulerConfig, clipSample: number | undefined): string | undefined {
  const name = config._class_name
  const kind = replaced.get(name)
  if (kind !== undefined) {
    const isStochastic = /^sde-/.test(String(config.algorithm_type))
    return `The checkpoint's own sampler ${name} is ${isStochastic ? 'of another kind' : kind}; Attune samples and trains with stochastic DDIM on the same betas.`
  }
  if (!ofDdpm.includes(name)) return undefined
  const variance = config.variance_type ?? 'fixed_small'
  const notes = [
    !['fixed_small', 'fixed_small_log'].includes(variance) &&
      `The checkpoint's own sampler has the variance ${variance}; Attune samples and trains with that of the posterior, fixed_small.`,
    clipSample !== undefined &&
      `The checkpoint's own sampler ${name} takes the noise from the clamped image; Attune keeps it as predicted, as DDIM does.`,
  ].filter((note) => note !== false)
  return notes.length === 0 ? undefined : notes.join(' ')
}

function fewStepsOf(config: SchedulerConfig): NoiseSetup['fewSteps'] {
  const name = config._class_name
  if (ofConsistency.includes(name)) return { sign: `its sampler is ${name}`, isCertain: true }
  // Networks for a zero signal-to-noise ratio are sampled in this spacing as well, in many steps.
  const isZero = config.rescale_betas_zero_snr || config.prediction_type !== 'epsilon'
  if (config.timestep_spacing !== 'trailing' || isZero) return undefined
  return { sign: 'its timestep_spacing is trailing, as in SD-Turbo and SDXL-Turbo', isCertain: false }
}

/**
 * What a parsed `scheduler_config.json` says, with the defaults of diffusers' DDIMScheduler for fields that it lacks.
 *
 * @param config  the parsed JSON; unknown fields are passed over
 * @param where   names the file in errors
 * @throws {FormatError} a field with something else than diffusers writes there
 * @throws {ScheduleError} a scheduler without betas or without a density: flow matching, EDM, thresholding, a learned
 * variance
 */
export function readScheduler(config: unknown, where: string): NoiseSetup {
  expectKnownClass((config as { readonly _class_name?: unknown } | null)?._class_name, where)
  const parsed = checked(SchedulerConfig, config, where, 'take the scheduler folder as diffusers saved it')
  expectSupported(parsed, where)
  const name = parsed._class_name
  const trained = scheduleOf(parsed, where)
  const schedule = parsed.rescale_betas_zero_snr ? zeroTerminalSnr(trained) : trained
  const clips = parsed.clip_sample ?? own.includes(name)
  const clipSample = clips ? parsed.clip_sample_range : undefined
  const { timestep_spacing: spacing, steps_offset: offset } = parsed
  const times = ofConsistency.includes(name)
    ? (trainSteps: number, steps: number) => consistencyTimesteps(trainSteps, steps, parsed.original_inference_steps)
    : { leading: leadingTimesteps, trailing: trailingTimesteps, linspace: linspaceTimesteps }[spacing]
  return {
    process: new VariancePreserving({
      schedule,
      finalAlphaBar: ofDdpm.includes(name) || parsed.set_alpha_to_one ? 1 : schedule.alphaBar[0],
      timesteps: (steps) => times(schedule.alphaBar.length, steps, offset),
      clipSample,
    }),
    trainedWith: name,
    fewSteps: fewStepsOf(parsed),
    note: noteOf(parsed, clipSample),
  }
}
