/** A whole training run, of the Gaussian chain by DPOK, in less than a second: the loop and the files are the real ones. */
import { alone, type Group } from '../tensor/group.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { Dpok, DpokSettings } from './algorithms/dpok.ts'
import { fullSampler, gaussianModel, linearReward, shiftsFrom } from './gaussian-model.test-helper.ts'
import { writePolicy } from './policy-file.ts'
import { finishTraining, inTrainingRun, trainToEnd } from './training-run.ts'
import { farAndWorse, type RewardRow } from './training-warnings.ts'

export interface ToyTraining {
  readonly resume?: boolean
  readonly settings?: Partial<DpokSettings>
  readonly checkpointEvery?: number
  readonly inputs?: Readonly<Record<string, string>>
  readonly group?: Group
  /** Hears of each step before it is done. */
  readonly onStep?: (step: number) => void
}

/** @returns the steps that this process did, and the steps of all */
export async function trainToy(
  folder: string,
  {
    resume = false,
    settings = {},
    checkpointEvery = 1,
    inputs = { reward: 'a', model: 'b' },
    group = alone,
    onStep = () => undefined,
  }: ToyTraining = {},
): Promise<{ steps: number; total: number }> {
  useThreads(1)
  using _scope = tensorScope()
  const config = DpokSettings.parse({ imagesDrawn: 24, rolloutsPerIteration: 8, valueUpdates: 1, ...settings })
  const model = gaussianModel()
  const trainable = shiftsFrom()
  let steps = 0
  class CountedDpok extends Dpok {
    override step() {
      steps++
      onStep(steps)
      return super.step()
    }
  }
  const training = new CountedDpok({
    model,
    trainable,
    reward: linearReward(0.5),
    texts: ['low', 'high'],
    sampler: fullSampler,
    guidance: 1,
    seed: 3,
    settings: config,
    group,
  })
  await inTrainingRun({ folder, stage: 'policy dpok', config: { ...config, checkpointEvery }, resume }, async (run) => {
    const { metrics, seconds, notes } = await trainToEnd(run, training, {
      label: 'toy',
      stage: 'policy dpok',
      inputs,
      group,
      checkpointEvery,
      note: () => '',
      warningOf: (rows) => farAndWorse(rows as unknown as RewardRow[]),
      sampleEvery: 0,
      sample: () => Promise.resolve({}),
    })
    if (group.rank === 0) writePolicy((name) => run.path(name), model, trainable, { algorithm: 'dpok' })
    return finishTraining(run, { seconds, ...metrics, ...notes })
  })
  return { steps, total: training.total }
}
