/** Config fields of methods that learn from transitions of roll-outs of their own. */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import { ConfigError } from '../../errors.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { gradientCheckpointingField } from '../../networks/adapters.ts'

export const rolloutFields = {
  imagesDrawn: z
    .int()
    .positive()
    .max(100_000_000)
    .default(9600)
    .describe('Roll-outs in all; a hundred million take years on any machine.'),
  rolloutsPerIteration: z
    .int()
    .positive()
    .max(16_384)
    .default(96)
    .describe('Roll-outs drawn with one policy before it is updated; the states of all their steps are in memory.'),
  gradientSteps: z
    .int()
    .positive()
    .max(10_000)
    .default(3)
    .describe('Updates per iteration, each on its own minibatch of transitions.'),
  transitionsPerRollout: z
    .int()
    .positive()
    .max(1000)
    .default(9)
    .describe('Transitions used per roll-out and iteration, drawn at random; no roll-out has more than 1000.'),
  batchSize: optionalCount(4096).describe(
    'Roll-outs computed at once: on a GPU as many as its free memory holds, else the model’s own number without it. Changes the memory that it takes and the result by rounding.',
  ),
  transitionsAtOnce: optionalCount(4096).describe(
    'Transitions computed at once with gradients: as many as fit without it and without --batch-size, else as many as roll-outs, of which a quarter where these are in bf16 or fp16, since training is in fp32.',
  ),
  ...gradientCheckpointingField,
}
export type RolloutSettings = z.infer<z.ZodObject<typeof rolloutFields>>

/** Transitions computed at once beside so many roll-outs: training is in float32, whatever those are drawn in. */
export function transitionsBeside(rollouts: number, dtype: Dtype): number {
  return dtype === 'float32' ? rollouts : Math.max(1, Math.floor(rollouts / 4))
}

/** @throws {ConfigError} fewer transitions than updates */
export function expectEnoughTransitions(settings: RolloutSettings): void {
  const { rolloutsPerIteration, transitionsPerRollout, gradientSteps } = settings
  if (rolloutsPerIteration * transitionsPerRollout >= gradientSteps) return
  throw new ConfigError({
    where: '--gradient-steps',
    expected: 'at most one update a transition',
    received: String(gradientSteps),
    remedy: 'use more roll-outs per iteration, or fewer updates',
  })
}
