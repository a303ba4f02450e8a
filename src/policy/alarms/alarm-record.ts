/** Alarms of over-optimisation as a run records them, and as people read them. Free of tensors. */
import { z } from 'zod'

/** The trained reward and the one that the training does not see, among the statistics of probe images. */
export const [trainedName, heldOutName] = ['reward', 'held_out_reward'] as const

const titles: Readonly<Record<string, string>> = {
  brightness: 'brightness',
  dark_share: 'share of dark pixels',
  saturation: 'saturation',
  colour_entropy: 'colour entropy',
  edge_density: 'edge density',
  spectral_peak: 'spectral peak (grids)',
  jpeg_size: 'JPEG size',
  diversity: 'diversity within a prompt',
  [heldOutName]: 'held-out reward',
}

export const Alarm = z.object({
  statistic: z.string(),
  /** The first step at which it was raised. */
  step: z.int().nonnegative(),
  value: z.number(),
  base: z.number(),
  deviation: z.number(),
  /** Of a reward that is not trained on: the look from which it has fallen. */
  peak: z.object({ step: z.int().nonnegative(), value: z.number() }).optional(),
})
/** One that was raised: means of a statistic, and how far apart the base model's images of one prompt are. */
export type Alarm = z.infer<typeof Alarm>

/** `edge density 0.310 (base 0.149 ± 0.064)` */
export function alarmInWords({ statistic, value, base, deviation, peak }: Alarm): string {
  const near = (number: number) => number.toPrecision(3)
  const title = titles[statistic] ?? statistic
  if (peak === undefined) return `${title} ${near(value)} (base ${near(base)} ± ${near(deviation)})`
  return `${title} ${near(value)} (${near(peak.value)} at step ${peak.step}), which falls while the trained one does not`
}

const Results = z.object({
  alarms: z.array(Alarm).min(1),
  stoppedAtStep: z.int().optional(),
  policyOfStep: z.int().optional(),
})

/**
 * What the results of a training say of its alarms, as a clause behind the name of the policy; nothing where there was none.
 */
export function toldAlarms(results: Readonly<Record<string, unknown>>): string | undefined {
  const { data } = Results.safeParse(results)
  if (data === undefined) return undefined
  const { alarms, stoppedAtStep, policyOfStep } = data
  return stoppedAtStep === undefined
    ? trainedInSpiteOf(alarms)
    : `is that of step ${policyOfStep}: its training was stopped at step ${stoppedAtStep}, where its probe images showed over-optimisation: ${listed(alarms)}`
}

/** Of a training that went on at alarms. */
export const trainedInSpiteOf = (alarms: readonly Alarm[]): string =>
  `was trained on although its probe images show over-optimisation from step ${firstStep(alarms)} on: ${listed(alarms)}`

export const firstStep = (alarms: readonly Alarm[]): number => Math.min(...alarms.map(({ step }) => step))
const listed = (alarms: readonly Alarm[]) => alarms.map(alarmInWords).join(', ')

/** Those of a training that went on at them, from its results; null where there were none, or it was stopped there. */
export function ignoredAlarms(results: Readonly<Record<string, unknown>>): Alarm[] | null {
  const { data } = Results.safeParse(results)
  return data === undefined || data.stoppedAtStep !== undefined ? null : data.alarms
}
