/** A whole training run, of the Gaussian chain, in less than a second: the loop and the files are the real ones. */
import { z } from 'zod'
import { algorithmOf, type PolicyStage } from '../stages.ts'
import { tensor } from '../tensor/create.ts'
import { alone, type Group } from '../tensor/group.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { openAlarms } from './alarms/open-alarms.ts'
import type { AnyAlgorithm } from './algorithm.ts'
import { algorithms } from './algorithms/index.ts'
import { fullSampler, gaussianModel, linearReward, shiftsFrom } from './gaussian-model.test-helper.ts'
import { writePolicy } from './policy-file.ts'
import { shownChange } from './trainable.ts'
import { finishTraining, inTrainingRun, trainToEnd } from './training-run.ts'

export interface ToyTraining {
  readonly stage?: PolicyStage
  readonly resume?: boolean
  readonly settings?: Readonly<Record<string, unknown>>
  readonly checkpointEvery?: number
  readonly checkpointsKept?: number
  readonly inputs?: Readonly<Record<string, string>>
  readonly group?: Group
  /** Looks for over-optimisation after every step, and whether an alarm ends the training. */
  readonly alarms?: 'warn' | 'stop'
  /** Of a running average, which is then what is written. */
  readonly emaDecay?: number
  /** Hears of each step before it is done. */
  readonly onStep?: (step: number) => void
}

const small: Readonly<Record<PolicyStage, ToyTraining['settings']>> = {
  'policy dpok': { imagesDrawn: 24, rolloutsPerIteration: 8, valueUpdates: 1 },
  'policy nft': {
    ...{ imagesDrawn: 32, rolloutsPerIteration: 8, groupSize: 4, gradientSteps: 2, timesPerImage: 3 },
    ...{ oldDecay: 0.5, oldDecaySlope: 0.2, learningRate: 0.03 },
  },
  'policy grpo': { imagesDrawn: 24, rolloutsPerIteration: 8, groupSize: 4, window: 2, klWeight: 0.1 },
  'policy ddpo': { imagesDrawn: 24, rolloutsPerIteration: 8, promptMemory: 6 },
  'policy draft': {
    imagesDrawn: 32,
    imagesPerUpdate: 8,
    variant: 'alignprop',
    pretrainingWeight: 0.5,
    learningRate: 0.03,
  },
  'policy dpo': {
    updates: 4,
    batchSize: 10,
    beta: 20,
    heldOut: 0.5,
    heldOutEvery: 3,
    ties: 'davidson',
    learningRate: 0.03,
  },
  'policy reward-weighted': { updates: 4, batchSize: 10, klO: 0.1, learningRate: 0.03 },
}

const textAt = (place: number) => (place % 2 === 0 ? 'low' : 'high')
const statesAt = (from: number, count: number) => ({
  x0: tensor(
    Array.from({ length: 4 * count }, (_, i) => ((i + 4 * from) % 17) / 17),
    [count, 1, 2, 2],
  ),
  earlier: [],
})
/** What any method learns from. */
const toy = (emaDecay?: number) => ({
  ...{ model: gaussianModel(), trainable: shiftsFrom(undefined, emaDecay), seed: 3 },
  ...{ texts: ['low', 'high'], sampler: fullSampler, guidance: 1 },
  reward: { ...linearReward(0.5), range: [0, 1] as const },
  images: Array.from({ length: 12 }, (_, i) => ({ text: textAt(i), score: i / 12 })),
  states: statesAt(0, 12),
  pairs: Array.from({ length: 6 }, (_, i) => ({
    ...{ better: i, worse: i + 6, weight: 1 + (i % 3), isTie: i > 3 },
    text: textAt(i),
  })),
  pretraining: (from: number, count: number) => ({
    ...statesAt(from, count),
    captions: Array.from({ length: count }, (_, i) => textAt(from + i)),
  }),
})

/** @returns the steps that this process did, and the steps of all */
export async function trainToy(
  folder: string,
  {
    stage = 'policy dpok',
    resume = false,
    settings = {},
    checkpointEvery = 1,
    checkpointsKept = 2,
    inputs = { reward: 'a', model: 'b' },
    group = alone,
    alarms,
    emaDecay,
    onStep = () => undefined,
  }: ToyTraining = {},
): Promise<{ steps: number; total: number }> {
  useThreads(1)
  using _scope = tensorScope()
  const algorithm: AnyAlgorithm = await algorithms[stage]()
  const config = z.object(algorithm.fields).parse({ ...small[stage], ...settings })
  const given = { ...toy(emaDecay), settings: config, group }
  const training = algorithm.begin(given as never)
  const sampling = { steps: fullSampler.steps.length, eta: 1, guidance: 1 }
  const watch =
    alarms &&
    openAlarms({
      ...{ ...given, trainer: training, sampling, heldOutReward: undefined, work: undefined },
      settings: { probeEvery: 1, stopOnAlarm: alarms === 'stop' },
    })
  let steps = 0
  const step = training.step.bind(training)
  training.step = () => {
    onStep(++steps)
    return step()
  }
  await inTrainingRun(
    { folder, stage, config: { ...config, checkpointEvery, checkpointsKept }, resume },
    async (run) => {
      const { metrics, seconds, notes } = await trainToEnd(run, training, {
        ...{ label: 'toy', stage, inputs, group, checkpointEvery, checkpointsKept },
        note: () => '',
        warningOf: (rows) => algorithm.warningOf(rows),
        sampleEvery: 0,
        sample: () => Promise.resolve({}),
        ...(watch && { watch }),
      })
      if (group.rank === 0) {
        writePolicy((name) => run.path(name), given.model, shownChange(given.trainable), {
          algorithm: algorithmOf(stage),
        })
      }
      return finishTraining(run, { seconds, ...metrics, ...watch?.results, ...notes })
    },
  )
  return { steps, total: training.total }
}
