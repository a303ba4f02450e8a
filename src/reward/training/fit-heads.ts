/** All heads of a run of `reward train`: that which is used, that which is measured, and the members of the ensemble. */
import { DivergenceError } from '../../errors.ts'
import { resumeCommand } from '../../resume-hint.ts'
import type { Group } from '../../tensor/group.ts'
import type { Embedded } from '../encoding/embeddings.ts'
import { promptsOf } from '../examples/reward-examples.ts'
import { foretell, mixWithClip } from './clip-mixture.ts'
import { planEnsemble, type Member } from './ensemble.ts'
import { fitAll, type FitPlan } from './fit-all.ts'
import type { FitCheckpoint } from './fit-checkpoint.ts'
import { lowerFitRates, trainingExamples, type FittedReward } from './fit-head.ts'
import { planFolds } from './folds.ts'
import type { RewardInputs } from './reward-inputs.ts'
import type { RewardTrainConfig } from './reward-train-config.ts'

/** With the CLIP score's say, which is found without the held-out prompts. */
export interface MixedHead extends FittedReward {
  /** Null where the head has the whole say. */
  readonly clipShare: number | null
}

/** Their tensors go with this. */
export interface FittedHeads extends Disposable {
  /** Of all judgments. */
  readonly fitted: MixedHead
  /** Of the judgments of the training prompts; undefined where nothing is held out. */
  readonly measured: (MixedHead & Pick<Member, 'seen'>) | undefined
  /** What was learned alone, without the CLIP score. */
  readonly members: readonly Member[]
}

/**
 * @param checkpointOf the fit of this number
 * @throws {RewardError} a fit that gives all images one score
 * @throws {DivergenceError} a fit left the finite numbers
 * @throws {StoppedError} a process of the group was asked to end
 */
export async function fitHeads(
  embedded: Embedded,
  { examples, split, shown, shownInTraining, head }: RewardInputs,
  config: RewardTrainConfig,
  { group, checkpointOf }: { readonly group: Group; readonly checkpointOf: (place: number) => FitCheckpoint },
): Promise<FittedHeads> {
  const { seed } = config
  const used = trainingExamples(split?.training ?? examples, config)
  const folds = config.shrink ? planFolds(used, seed) : []
  // Of the fit that is used alone: the process that makes it speaks, whichever that is.
  const warn = (line: string) => void process.stderr.write(`${line}\n`)
  const plans: FitPlan[] = [
    ...(split === undefined
      ? []
      : [{ examples: split.training, shown: shownInTraining!, seed, label: 'reward without held-out prompts' }]),
    { examples, shown, seed, label: 'reward', warn },
    ...planEnsemble(examples, seed, config.ensemble).map((plan) => ({ ...plan, shown })),
    ...folds.map(({ training, label }) => ({ examples: training, shown: shownInTraining ?? shown, seed, label })),
  ]
  const all = await fitAll(embedded, plans, config, { head, group, checkpointOf }).catch((error: unknown) => {
    throw asDiverged(error, config)
  })
  const ofAll = split === undefined ? 0 : 1
  const firstFold = plans.length - folds.length
  const told = folds.map(({ foretold }, i) => foretell(embedded, foretold, all.fits[firstFold + i].head))
  const without = foretell(embedded, used)
  const mixed = (each: FittedReward): MixedHead =>
    config.shrink ? mixWithClip(each, told, without) : { ...each, clipShare: null }
  return {
    fitted: mixed(all.fits[ofAll]),
    measured: split && { ...mixed(all.fits[0]), seen: new Set(promptsOf(split.training)) },
    members: all.fits.slice(ofAll + 1, firstFold).map((fit, i) => ({
      ...fit,
      seen: new Set(promptsOf(plans[ofAll + 1 + i].examples)),
    })),
    [Symbol.dispose]: () => all[Symbol.dispose](),
  }
}

/** A fit that diverged, with the command that goes on from the embeddings. */
function asDiverged(error: unknown, config: RewardTrainConfig): unknown {
  if (!(error instanceof DivergenceError)) return error
  const { where, expected, received } = error
  const remedy = `train again: ${resumeCommand('reward train', config.out, lowerFitRates(config))}`
  return new DivergenceError({ where, expected, received, remedy, cause: error })
}
