/**
 * The parts of a check that load libtorch. Each runs in a process of its own, which may be killed, and which takes its memory
 * along when it ends; what such a process executes is `src/check-tasks.ts`.
 */
import { drawImages } from '../images/draw.ts'
import { samplingOf, type Open } from '../images/open-model.ts'
import { policySchema, trainPolicy } from '../policy/train-policy.ts'
import { openReward, scorePictures } from '../reward/open-reward.ts'
import { tryGpus, type GpuTrial } from './gpus.ts'
import { tryModel, type CheckedModel, type ModelTrial } from './model.ts'

export type CheckTask =
  | { readonly kind: 'gpus'; readonly device: string | null }
  | { readonly kind: 'model'; readonly model: CheckedModel; readonly reward: string }
  /** A run of `policy dpok` with these settings. */
  | { readonly kind: 'train'; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly kind: 'compare'; readonly model: CheckedModel; readonly plan: ComparePlan }

/** Images of both policies, of the same prompts and noise. */
interface ComparePlan {
  readonly policy: string
  readonly reward: string
  readonly prompts: readonly string[]
  /** Of the prompts in turn. */
  readonly pairs: number
  readonly batchSize: number
  readonly seed: number
}

/** Scores of the base's images and of the policy's, in one order. */
export interface Scored {
  readonly base: readonly number[]
  readonly policy: readonly number[]
}

export type CheckTaskResult = GpuTrial | ModelTrial | Scored | null

export async function doCheckTask(
  task: CheckTask,
  open: Open,
  count: (images: number) => void,
): Promise<CheckTaskResult> {
  switch (task.kind) {
    case 'gpus':
      return tryGpus(task.device)
    case 'model':
      return await tryModel(task.model, task.reward, open)
    case 'train': {
      const schema = await policySchema('policy dpok')
      await trainPolicy('policy dpok', schema.parse(task.settings), open)
      return null
    }
    case 'compare':
      return await compare(task.model, task.plan, open, count)
  }
}

async function compare(
  config: CheckedModel,
  plan: ComparePlan,
  open: Open,
  count: (images: number) => void,
): Promise<Scored> {
  const opened = await open(config, plan.policy)
  const reward = await openReward(plan.reward, config, () => Promise.resolve(opened))
  const { prompts, pairs, seed, batchSize } = plan
  const requests = Array.from({ length: pairs }, (_, index) => ({ text: prompts[index % prompts.length], seed, index }))
  const texts = requests.map(({ text }) => text)
  const sampling = samplingOf(opened.model, config)
  const scoresOf = (model: typeof opened.model) =>
    scorePictures(reward, drawImages(model, requests, sampling, { batchSize, onBatch: count }), texts)
  return { base: scoresOf(opened.model), policy: scoresOf(opened.policy) }
}
