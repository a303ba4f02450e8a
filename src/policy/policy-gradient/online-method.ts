/** What methods of policy gradient on a reward are to the stage that runs them: the part that is the same of all. */
import { z } from 'zod'
import type { Drawing } from '../algorithm.ts'
import type { Row, StepMetrics } from '../training-run.ts'
import { farAndWorse, type RewardRow } from '../training-warnings.ts'

/** Images drawn, and of each transition the policy with gradients, and the pre-trained model where it is compared. */
export function onlineWork(
  { imagesDrawn, transitionsPerRollout }: { readonly imagesDrawn: number; readonly transitionsPerRollout: number },
  { steps, passes }: Drawing,
  { isCompared, trained = steps }: { readonly isCompared: boolean; readonly trained?: number | undefined },
): number {
  return imagesDrawn * passes * (steps + (isCompared ? 4 : 3) * Math.min(transitionsPerRollout, trained))
}

/** Weight of the KL where a method can do without. */
export const optionalKlField = {
  klWeight: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Weight of the KL to the pre-trained model, per nat; at 0 it is not computed.'),
}

export const onlineMethod = {
  changeable: ['klWeight', 'batchSize', 'transitionsAtOnce', 'ignoreRounding'],
  chosen: ['batchSize', 'transitionsAtOnce'],
  checkpointEvery: 20,
  note: ({ reward_mean: mean, kl }: Partial<StepMetrics>): string =>
    `reward ${mean?.toFixed(3)}${kl === undefined ? '' : ` KL ${kl.toFixed(2)} nats`}`,
  warningOf: (rows: readonly Row[]): string | undefined =>
    farAndWorse(rows.filter((row): row is typeof row & RewardRow => 'reward_mean' in row && 'kl' in row)),
} as const
