/** The fits of one run, which the processes of a group divide among them: each is made by one process, whichever that is. */
import { Disposables } from '../../disposables.ts'
import { Weights } from '../../networks/weights.ts'
import { tensor } from '../../tensor/create.ts'
import type { Group } from '../../tensor/group.ts'
import { unscoped } from '../../tensor/scope.ts'
import { makeParts } from '../../tensor/shared-parts.ts'
import { below, under } from '../../tensor/training-state.ts'
import type { Embedded } from '../encoding/embeddings.ts'
import type { RewardExamples } from '../examples/reward-examples.ts'
import type { ShownTexts } from '../examples/shown-texts.ts'
import type { HeadKind } from '../heads/reward-head.ts'
import type { FitCheckpoint } from './fit-checkpoint.ts'
import { fitHead, type FittedReward } from './fit-head.ts'
import type { RewardFit } from './reward-fit.ts'

/** One of the fits. */
export interface FitPlan {
  readonly examples: RewardExamples
  readonly shown: ShownTexts
  readonly seed: number
  readonly label: string
  /** See `FitOptions`. */
  readonly warn?: ((line: string) => void) | undefined
}

interface FitAllOptions {
  readonly head: HeadKind
  readonly group: Group
  /** Of the fit of this number. */
  readonly checkpointOf: (place: number) => FitCheckpoint
}

/** In the order of their plans; their tensors go with this. */
export interface AllFitted extends Disposable {
  readonly fits: readonly FittedReward[]
}

/**
 * @throws {RewardError | DivergenceError} see {@link fitHead}
 * @throws {StoppedError} a process of the group was asked to end; each has a checkpoint of its fit
 */
export async function fitAll(
  embedded: Embedded,
  plans: readonly FitPlan[],
  fit: RewardFit,
  { head, group, checkpointOf }: FitAllOptions,
): Promise<AllFitted> {
  const held = new Disposables()
  const fits: FittedReward[] = []
  await makeParts([...plans.keys()], {
    ...{ group, label: 'fits' },
    make(place) {
      const { examples, shown, seed, label, warn } = plans[place]
      const options = { head, seed, label, checkpoint: checkpointOf(place), ...(warn && { warn }) }
      const { head: fitted, nu } = fitHead(embedded, examples, shown, fit, options)
      const own = nu === null ? [] : [['nu', tensor(Float64Array.of(nu))] as const]
      return new Map([...under('head', fitted.weights.tensors()), ...own])
    },
    take(place, part) {
      const kept = new Map([...below('head', part)].map(([name, one]) => [name, held.use(unscoped(() => one.clone()))]))
      fits[place] = { head: { kind: head, weights: Weights.of(kept) }, nu: part.get('nu')?.item() ?? null }
    },
  })
  return { fits, [Symbol.dispose]: () => held[Symbol.dispose]() }
}
