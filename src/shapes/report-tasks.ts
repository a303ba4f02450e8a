/** The parts of a report that run in processes of their own; this file is what such a process executes. */
import { serveTask } from '../child-processes.ts'
import type { OpenModel } from '../images/open-model.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { openPolicy } from '../policy/open-policy.ts'
import { drawCandidate, measureKl, pickBest, readDrawn, writeDrawn, type EvaluationPlan } from '../report/draw.ts'
import { evaluatePolicy, type Evaluation } from '../report/evaluate.ts'
import { openReward } from '../reward/open-reward.ts'
import { useThreads } from '../tensor/library.ts'
import { openShapes } from './open.ts'
import { openShapesJudge } from './world-judge.ts'

interface Shared {
  readonly plan: EvaluationPlan
  readonly threads: number
}

export type ReportTask = Shared &
  (
    | {
        readonly kind: 'images'
        /** Run folder; absent for the pre-trained model. */
        readonly policy?: string
        readonly reward: string
        readonly candidate: number
        /** Where the images go. */
        readonly file: string
      }
    | { readonly kind: 'kl'; readonly policy: string }
    /** Of the best of these candidates by reward. */
    | { readonly kind: 'evaluate'; readonly files: readonly string[] }
  )

export type ReportTaskResult = readonly (readonly number[])[] | Evaluation | null

serveTask((task: ReportTask, count): ReportTaskResult => {
  const { plan, threads } = task
  useThreads(threads)
  switch (task.kind) {
    case 'images': {
      const world = openShapes()
      const reward = openReward(task.reward, world.encoder)
      writeDrawn(task.file, drawCandidate(policyOf(world, task.policy), reward, plan, task.candidate, count))
      return null
    }
    case 'kl':
      return measureKl(policyOf(openShapes(), task.policy), plan, count)
    case 'evaluate':
      return evaluatePolicy(plan, pickBest(task.files.map(readDrawn)), openShapesJudge())
  }
})

function policyOf({ model }: OpenModel, folder: string | undefined): GenerativeModel {
  return folder === undefined ? model : model.with(openPolicy(model, folder).delta)
}
