/** Alarms for a training, as its settings ask for them. */
import { ConfigError } from '../../errors.ts'
import { secondRewardName } from '../../reward/open-reward.ts'
import { usesNegatives } from '../../images/draw.ts'
import type { GenerativeModel, Sampling } from '../../networks/generative-model.ts'
import { sharesPart } from '../../reward/composition/shared-parts.ts'
import type { Reward } from '../../reward/reward.ts'
import type { Group } from '../../tensor/group.ts'
import type { Drawing } from '../algorithm.ts'
import type { Trainer } from '../training-run.ts'
import { Alarms } from './alarms.ts'
import { trainingRunFields } from '../training-run.ts'
import { planLooks } from './look-plan.ts'
import { Probes } from './probes.ts'

interface AlarmOptions {
  readonly model: GenerativeModel
  /** What is looked at. */
  readonly trainer: Pick<Trainer, 'policy' | 'parameters' | 'total'>
  /** Prompts of the run. */
  readonly texts: readonly string[]
  readonly sampling: Sampling
  readonly seed: number
  readonly group: Group
  readonly reward: Reward | undefined
  readonly heldOutReward: Reward | undefined
  readonly settings: { readonly probeEvery: number | null; readonly stopOnAlarm: boolean }
  /** What the training computes; see `AnyAlgorithm.work`. */
  readonly work: ((drawing: Drawing) => number) | undefined
}

/** In the place of the fields of every training, of a method that follows the gradient of its reward. */
export const watchedFields = {
  heldOutReward: secondRewardName.describe(
    'Reward that the training does not see and is watched by, since gradients find what a reward gets wrong within few updates: another run of `reward train`, best on other labels, else with another --seed; or clip-score, which is the cosine of image and prompt by --encoder or the model’s own encoder; or another CLIPModel. The training ends where it falls while the trained reward rises.',
  ),
  stopOnAlarm: trainingRunFields.stopOnAlarm.default(true),
}

/** Undefined where a training looks at no probes. */
export function openAlarms(options: AlarmOptions): Alarms | undefined {
  const { model, trainer, sampling, work, heldOutReward, settings } = options
  const { probeEvery, stopOnAlarm } = settings
  const drawing = { steps: sampling.steps, passes: usesNegatives(model, sampling) ? 2 : 1 }
  const isAsked = stopOnAlarm || heldOutReward !== undefined
  const cost = work && { training: work(drawing), image: drawing.steps * drawing.passes }
  const plan = planLooks(trainer.total, { every: probeEvery, isAsked }, cost)
  if (plan === undefined) return undefined
  const { policy, parameters, total } = trainer
  const probes = new Probes({ ...options, ...plan, batchSize: model.defaults.batchSize })
  return new Alarms({ probes, base: model.with({}), policy, parameters, every: plan.every, total, stopOnAlarm })
}

/** @throws {ConfigError} alarms without looks, or a second reward that is the first */
export function expectAlarms({
  probeEvery,
  stopOnAlarm,
  heldOutReward,
}: AlarmOptions['settings'] & { readonly heldOutReward: string | null }): void {
  if (probeEvery !== 0 || (!stopOnAlarm && heldOutReward === null)) return
  throw new ConfigError({
    where: '--probe-every',
    expected: `steps between looks, for ${stopOnAlarm ? '--stop-on-alarm' : '--held-out-reward'}`,
    received: '0, which is none',
    remedy: 'leave it out, or give another number',
  })
}

/** @throws {ConfigError} it is the reward that is trained on, or they have a part in common, and so cannot part */
export function expectOther(heldOut: Reward, trained: Reward | undefined): void {
  if (trained === undefined || !sharesPart(heldOut.sha256, trained.sha256)) return
  throw new ConfigError({
    where: '--held-out-reward',
    expected: 'a reward that the training does not see',
    received: `${heldOut.name}, ${heldOut.sha256 === trained.sha256 ? 'which is the one that it learns from' : `of which a part is in ${trained.name}`}`,
    remedy: 'give one of another network, or one that learned from other labels',
  })
}
