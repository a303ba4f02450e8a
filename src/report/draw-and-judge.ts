/** All that a report draws, and what is found in it: in two rounds of processes, each with a model in its memory. */
import { join } from 'node:path'
import { runTasks } from '../child-processes.ts'
import { modelSettingsOf } from '../images/open-model.ts'
import { progress } from '../progress.ts'
import type { MeasuredPolicy } from './assemble-report.ts'
import type { ComparedPolicy } from './compared-policies.ts'
import { pickBest, readDrawn, type EvaluationPlan } from './draw.ts'
import type { Evaluation } from './evaluate.ts'
import type { PastRun } from './lineage.ts'
import { costOf, judgedImages } from './policy-cost.ts'
import { measuringReward, type ReportConfig } from './report-config.ts'
import { readFeatures, type ReportTask, type ReportTaskResult } from './tasks.ts'

export interface DrawingAndJudging {
  readonly plan: EvaluationPlan
  readonly policies: readonly ComparedPolicy[]
  readonly config: ReportConfig
  readonly isJudged: boolean
  /** The run that trained the reward, where one did. */
  readonly reward: PastRun | undefined
  readonly tasksFile: URL
  /** Where files of drawn images go. */
  readonly folder: string
  /** Where goes what only an unfinished report needs. */
  readonly scratch: string
  /** Called when something is worth keeping. */
  readonly onWork: () => void
}

/** The base, best-of-n and the trained policies, in this order. */
export async function drawAndJudge(order: DrawingAndJudging): Promise<MeasuredPolicy[]> {
  const { plan, policies, config, isJudged, tasksFile, folder, scratch, onWork } = order
  const { reward, bestOf, referenceImages, encoder, loraScale } = config
  // A judge means the embedded world, whose networks are small enough to be held twice.
  const atOnce = config.processes ?? (isJudged ? 2 : 1)
  const images = plan.prompts.length * plan.imagesPerPrompt
  const shared = { plan, model: { ...modelSettingsOf(config), encoder, loraScale } }
  // No name of a policy has a dot.
  const fileOf = (name: string) => join(folder, `${name}.safetensors`)
  const featuresOf = (name: string) => join(scratch, `${name}.safetensors`)
  const klPartsOf = (name: string) => join(scratch, `${name}.kl`)
  const candidates = Array.from({ length: bestOf }, (_, candidate) => fileOf(`base.${candidate}`))
  const imagesOf = (file: string, candidate: number) => {
    return { ...shared, kind: 'images' as const, reward, candidate, file }
  }
  // Images of the base that neither it nor best-of-n is measured by.
  const reference = isJudged || referenceImages !== null ? [] : [fileOf('base.reference')]
  const drawing: ReportTask[] = [
    ...candidates.map((file, candidate) => imagesOf(file, candidate)),
    ...policies.map(({ name, run }) => ({ ...imagesOf(fileOf(name), 0), policy: run.folder })),
    ...policies.map(({ name, run }) => {
      return { ...shared, kind: 'kl' as const, policy: run.folder, parts: klPartsOf(name) }
    }),
    ...reference.map((file) => imagesOf(file, bestOf)),
  ]
  // Judgments or images that are not where they were are told before the long work.
  const labelled = await judgedImages(order.reward)
  const costs = await Promise.all(policies.map(({ run }) => costOf(run, labelled)))
  const bar = progress(
    'report',
    images * (bestOf + policies.length + reference.length) + plan.klRollouts * policies.length,
    'images',
  )
  const onCount = (count: number) => {
    onWork()
    bar.advance(count)
  }
  const drawn = await runTasks<ReportTask, ReportTaskResult>(tasksFile, drawing, { atOnce, onCount })
  bar.done()

  const free = { imagesDrawn: 0, updates: 0, seconds: 0 }
  const subjects = [
    { name: 'base', files: candidates.slice(0, 1), cost: free },
    ...(bestOf === 1
      ? []
      : [
          {
            name: 'best-of-n',
            bestOf,
            files: candidates,
            cost: { ...free, imagesDrawn: labelled.size + images * bestOf },
          },
        ]),
    ...policies.map(({ name, algorithm }, i) => ({
      name,
      algorithm,
      files: [fileOf(name)],
      cost: costs[i],
      kl: drawn[bestOf + policies.length + i].result as number[][],
    })),
  ]
  const judging = subjects.map(({ name, files }): ReportTask =>
    isJudged
      ? { ...shared, kind: 'judge', files, features: featuresOf(name) }
      : {
          ...shared,
          kind: 'compare',
          files,
          features: featuresOf(name),
          base: candidates[0],
          scorer: measuringReward(config),
          reference: referenceImages ?? reference[0],
        },
  )
  const judged = await runTasks<ReportTask, ReportTaskResult>(tasksFile, judging, { atOnce })
  return subjects.map(({ files, cost, ...policy }, i) => {
    const drawn = pickBest(files.map(readDrawn))
    return {
      ...policy,
      drawn,
      cost: policy.name === 'best-of-n' ? { ...cost, seconds: drawn.seconds! } : cost,
      evaluation: judged[i].result as Evaluation,
      features: () => readFeatures(featuresOf(policy.name)),
    }
  })
}
