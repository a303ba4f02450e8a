/** A window of stochastic steps: the others are deterministic, and neither explored nor trained on. */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import type { Sampler } from '../../diffusion/process.ts'
import { ConfigError } from '../../errors.ts'
import type { Random } from '../../random.ts'

/** Config fields of methods that can be held to a window. */
export const windowFields = {
  window: optionalCount(1000).describe(
    'Steps in a row that are stochastic and trained on, the others being deterministic; all without it.',
  ),
  windowOrder: z
    .enum(['drawn', 'moving'])
    .default('drawn')
    .describe(
      'Where the window lies: drawn anew for every iteration within the first half of the steps (Flow-GRPO-Fast), or moving by a step from the noisy end on, and back to it (MixGRPO).',
    ),
  windowIterations: z
    .int()
    .positive()
    .max(1_000_000)
    .default(25)
    .describe('Iterations between two moves of the window.'),
}
type WindowSettings = z.infer<z.ZodObject<typeof windowFields>>

/** @throws {ConfigError} a window of more steps than are stochastic */
export function expectWindow({ window }: WindowSettings, sampler: Sampler): void {
  const { length } = stochasticOf(sampler)
  if (window === null || window <= length) return
  throw new ConfigError({
    where: '--window',
    expected: `at most ${length}, the stochastic steps of the sampler`,
    received: String(window),
    remedy: 'use a smaller one, or more --steps',
  })
}

/** The sampler of an iteration. @param stream from which a drawn window comes */
export function windowed(
  sampler: Sampler,
  { window, windowOrder, windowIterations }: WindowSettings,
  iteration: number,
  stream: Random,
): Sampler {
  if (window === null) return sampler
  const steps = stochasticOf(sampler)
  const last = steps.length - window
  const lastEarly = Math.max(0, Math.ceil(steps.length / 2) - window)
  const place =
    windowOrder === 'drawn' ? stream.integer(0, lastEarly) : Math.floor(iteration / windowIterations) % (last + 1)
  return sampler.stochasticWithin(steps[place], steps[place + window - 1] + 1)
}

const stochasticOf = ({ steps }: Sampler) => steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
