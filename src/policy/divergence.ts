/** Training that has left the finite numbers, or all proportion: how it is found, and what is said then. */
import { join } from 'node:path'
import { flagName } from '../config.ts'
import { DivergenceError, RewardError } from '../errors.ts'
import { policyOf, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { configName } from '../run-folder.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { randn } from '../tensor/create.ts'
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

/** The checkpoint on the disk. */
export interface Kept {
  readonly step: number
  /** As in {@link expectInProportion}, when it was written. */
  readonly growth: number
}

export interface DivergedStep {
  readonly step: number
  readonly kept: Kept | undefined
  /** The command: `policy dpok`. */
  readonly stage: string
  readonly folder: string
  readonly trainer: {
    lowerRates(where: string): Readonly<Record<string, number>> | undefined
  }
}

/**
 * What went wrong in a step, with the step, the last good checkpoint and the command that goes on from it. Rewards that
 * stop telling images apart are a divergence too, where they did in the steps before.
 *
 * @returns the error itself where it is another one, or where the training is not to blame
 */
export function asDivergence(error: unknown, { step, kept, stage, folder, trainer }: DivergedStep): unknown {
  if (!(error instanceof DivergenceError || (error instanceof RewardError && step > 1))) return error
  const { where, expected, received } = error
  const rates = trainer.lowerRates(where)
  if (rates === undefined) return error
  const flags = Object.entries(rates).map(([field, rate]) => `${flagName(field)} ${rate}`).join(' ') // prettier-ignore
  return new DivergenceError({
    where: `${stage.split(' ').at(-1)} step ${step}: ${where}`,
    expected,
    received,
    remedy: remedyOf(flags, kept, stage, folder),
    cause: error,
  })
}

function remedyOf(flags: string, kept: Kept | undefined, stage: string, folder: string): string {
  if (kept === undefined) return `no checkpoint was written before; begin again with ${flags}`
  if (kept.growth > soundGrowth) {
    return `the checkpoint of step ${kept.step} has gone too far already; begin again with ${flags} in another folder`
  }
  const config = quoted(join(folder, configName))
  return `go on from the last good checkpoint, of step ${kept.step}: attune ${stage} --config ${config} ${flags} --resume --out ${quoted(folder)}`
}

const quoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`)
