/** Training that has left the finite numbers, or all proportion: how it is found, and what is said then. */
import { flagName } from '../config.ts'
import { DivergenceError, RewardError } from '../errors.ts'
import { policyOf, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { resumeCommand } from '../resume-hint.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { randn } from '../tensor/create.ts'
import type { Checkpoints } from '../tensor/checkpoints.ts'
import { largestValues } from '../tensor/finite.ts'
import { Generator } from '../tensor/generator.ts'
import { tensorScope } from '../tensor/scope.ts'

/**
 * Parameters that have grown to so many times their largest one (or 1, which is more than adapters begin with) are no
 * network any more, even where they are still numbers.
 */
const mostGrowth = 1000
/** Up to here a checkpoint is worth going on from. */
const soundGrowth = 20
export const isSoundGrowth = (growth: number): boolean => growth <= soundGrowth

/** @param growth largest parameter, in largest parameters at the start @throws {DivergenceError} */
export function expectInProportion(growth: number): void {
  if (growth <= mostGrowth) return
  throw new DivergenceError({
    where: 'parameters',
    expected: `none above ${mostGrowth} times the largest before training`,
    received: `one of ${growth.toPrecision(3)} times`,
    remedy: 'lower the learning rate',
  })
}

/** Of the noise that a policy is tried on; any will do. */
const probeSeed = 1

/** @throws {DivergenceError} what a policy predicts of noise is not finite */
export function expectPrediction(policy: GenerativeModel): void {
  using _scope = tensorScope()
  const [largest] = withoutGrad(() => {
    const generator = new Generator(probeSeed)
    const { stages, policyStage, device } = policy
    const stage = policyOf(policy)
    const noiseOf = ({ stateShape }: ModelStage) => randn([1, ...stateShape], generator).to(device)
    const xt = noiseOf(stage)
    const t = stage.process.drawTimes(1, generator).to(device)
    const given = stage.condition(policy.encodeText(['']), stages.slice(0, policyStage).map(noiseOf))
    return largestValues([stage.predict(xt, t, given)])
  })
  if (Number.isFinite(largest)) return
  throw new DivergenceError({
    where: 'prediction of the policy',
    expected: 'finite numbers',
    received: `${largest}`,
    remedy: 'lower the learning rate',
  })
}

export interface DivergedStep {
  readonly step: number
  readonly checkpoints: Checkpoints
  /** Of the processes of a group, one clears away the checkpoints that have gone too far. */
  readonly isWriter: boolean
  /** The command: `policy dpok`. */
  readonly stage: string
  readonly folder: string
  readonly trainer: {
    lowerRates(where: string): Readonly<Record<string, number>> | undefined
  }
}

/**
 * What went wrong in a step, with the step, the last good checkpoint and the command that goes on from it: checkpoints after
 * that one go, so that `--resume` takes it. Rewards that stop telling images apart are a divergence too, where they did in
 * the steps before.
 *
 * @returns the error itself where it is another one, or where the training is not to blame
 */
export function asDivergence(error: unknown, diverged: DivergedStep): unknown {
  const { step, stage, trainer } = diverged
  if (!(error instanceof DivergenceError || (error instanceof RewardError && step > 1))) return error
  const { where, expected, received } = error
  const rates = trainer.lowerRates(where)
  if (rates === undefined) return error
  const flags = Object.entries(rates).map(([field, rate]) => `${flagName(field)} ${rate}`).join(' ') // prettier-ignore
  return new DivergenceError({
    where: `${stage.split(' ').at(-1)} step ${step}: ${where}`,
    expected,
    received,
    remedy: remedyOf(flags, diverged),
    cause: error,
  })
}

function remedyOf(flags: string, { checkpoints, isWriter, stage, folder }: DivergedStep): string {
  if (checkpoints.files.length === 0) return `no checkpoint was written before; begin again with ${flags}`
  const sound = checkpoints.lastSound
  if (sound === undefined) {
    return `all checkpoints have gone too far already; begin again with ${flags} in another folder`
  }
  if (isWriter) checkpoints.goBackTo(sound)
  return `go on from the last good checkpoint, of step ${sound.step}: ${resumeCommand(stage, folder, flags)}`
}
