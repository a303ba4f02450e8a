/** All that a report draws, and what is found in it: in two rounds of processes, each with a model in its memory. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runTasks } from '../child-processes.ts'
import { modelSettingsOf } from '../images/open-model.ts'
import { progress } from '../progress.ts'
import { alone, gatherValues, type Group } from '../tensor/group.ts'
import { holdEnd, isEndAsked, stopped } from '../tensor/orderly-end.ts'
import type { MeasuredPolicy } from './assemble-report.ts'
import type { ComparedPolicy } from './compared-policies.ts'
import { pickBest, readDrawn, type EvaluationPlan } from './draw.ts'
import type { Evaluation } from './evaluate.ts'
import type { PastRun } from './lineage.ts'
import type { EvaluatedSet } from './measures/measure.ts'
import { costOf, judgedImages } from './policy-cost.ts'
import { measuringReward, type ReportConfig } from './report-config.ts'
import type { Detection } from './schema.ts'
import { partly, readFeatures, type ReportTask, type ReportTaskResult } from './tasks.ts'

export interface DrawingAndJudging {
  readonly plan: EvaluationPlan
  readonly policies: readonly ComparedPolicy[]
  readonly config: ReportConfig
  readonly isJudged: boolean
  /** Images of the folder that fidelity is measured against, where there is one. */
  readonly references?: number
  /** What the detector checks, where there is one. */
  readonly detection?: Detection
  /** Whether a step of the sampler has noise; without any, there is no KL. */
  readonly hasNoise: boolean
  /** The run that trained the reward, where one did. */
  readonly reward: PastRun | undefined
  readonly tasksFile: URL
  /** Where files of drawn images go. */
  readonly folder: string
  /** Where goes what only an unfinished report needs. */
  readonly scratch: string
  /** Called when something is worth keeping. */
  readonly onWork: () => void
  /** Its processes divide the batches of what is drawn, and then the policies; they meet at the files. */
  readonly group: Group
}

/**
 * The base, best-of-n and the trained policies, in this order; nothing in the processes that are not the first.
 *
 * @throws {StoppedError} this process was asked to end
 */
export async function drawAndJudge(order: DrawingAndJudging): Promise<MeasuredPolicy[]> {
  const { plan, policies, config, isJudged, hasNoise, tasksFile, folder, scratch, onWork, group } = order
  const { reward, bestOf, referenceImages, heldOutReward, encoder, loraScale, features } = config
  // A judge means the embedded world, whose networks are small enough to be held twice.
  const atOnce = config.processes ?? Math.ceil((isJudged ? 2 : 1) / group.size)
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
    ...(hasNoise ? policies : []).map(({ name, run }) => {
      return { ...shared, kind: 'kl' as const, policy: run.folder, parts: klPartsOf(name) }
    }),
    ...reference.map((file) => imagesOf(file, bestOf)),
  ]
  // Judgments or images that are not where they were are told before the long work.
  const labelled = await judgedImages(order.reward)
  const costs = await Promise.all(policies.map(({ run }) => costOf(run, labelled)))
  const total =
    images * (bestOf + policies.length + reference.length) + (hasNoise ? plan.klRollouts * policies.length : 0)
  const bar = progress('report', total, 'images')
  let shown = 0
  const onCount = (count: number) => {
    onWork()
    // The others are about as far.
    const more = Math.min(count * group.size, total - shown)
    shown += more
    bar.advance(more)
  }
  const detect = async ({ threshold, colors, prompts }: Detection) => {
    const bar = progress('objects', prompts * plan.imagesPerPrompt * subjects.length, 'images')
    const detector = { ...shared, kind: 'objects' as const, detector: config.detector!, threshold }
    const tasks = subjects.map(({ files }) => ({ ...detector, files, ...(colors !== null && { colors }) }))
    const results = await divided(group, tasks, (own) => run(own, (count) => bar.advance(count * group.size)))
    bar.done()
    return results
  }
  const run = (tasks: readonly ReportTask[], hear?: typeof onCount) =>
    runUnlessEnded(tasksFile, tasks, { atOnce, ...(hear && { onCount: hear }) })
  // Each task begins with another process, since many have a single batch.
  const share = (place: number) => ({ rank: (group.rank + place) % group.size, size: group.size })
  const inParts = drawing.map((task, place) => ({ ...task, share: share(place) }))
  const first = await run(inParts, onCount)
  group.barrier()
  const lacking = drawing.filter((_, place) => first[place] === partly)
  const joined = await divided(group, lacking, run)
  const drawn = first.map((result) => (result === partly ? joined.shift()! : result))
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
      ...(hasNoise && { kl: drawn[bestOf + policies.length + i] as number[][] }),
    })),
  ]
  const network = features === null ? {} : { network: { name: features, parts: join(scratch, 'features') } }
  const heldOut = heldOutReward === null ? {} : { heldOutReward }
  const judging = subjects.map(({ name, files }): ReportTask => {
    const common = { ...shared, files, features: featuresOf(name), ...network, ...heldOut }
    return isJudged
      ? { ...common, kind: 'judge' }
      : {
          ...common,
          kind: 'compare',
          base: candidates[0],
          scorer: measuringReward(config),
          reference: referenceImages ?? reference[0],
        }
  })
  // A machine may remember that files of others were not there yet, until it reads their folder.
  for (const one of [folder, scratch]) readdirSync(one)
  const rows = isJudged ? 3 * images : images + (order.references ?? images)
  const encoding = features === null ? undefined : progress('features', rows * subjects.length, 'images')
  const judged = await divided(group, judging, (tasks) =>
    run(tasks, encoding && ((count) => encoding.advance(count * group.size))),
  )
  encoding?.done()
  const found = order.detection === undefined ? undefined : await detect(order.detection)
  if (group.rank > 0) return []
  return subjects.map(({ files, cost, ...policy }, i) => {
    const drawn = pickBest(files.map(readDrawn))
    return {
      ...policy,
      drawn,
      cost: policy.name === 'best-of-n' ? { ...cost, seconds: drawn.seconds! } : cost,
      evaluation: judged[i] as Evaluation,
      ...(found !== undefined && { objects: found[i] as EvaluatedSet['objects'] }),
      features: () => readFeatures(featuresOf(policy.name)),
    }
  })
}

/** Each process does the tasks that are its, whole ones in turn. @returns the results of all, in the order of tasks */
async function divided(
  group: Group,
  tasks: readonly ReportTask[],
  run: (own: readonly ReportTask[]) => Promise<ReportTaskResult[]>,
): Promise<ReportTaskResult[]> {
  const results = gatherValues(group, await run(tasks.filter((_, place) => place % group.size === group.rank)))
  return tasks.map((_, place) => results[place % group.size][Math.floor(place / group.size)])
}

const lookEveryMs = 100

/** Ends the tasks where this process is asked to end: what they have drawn is on the disk. @throws {StoppedError} */
async function runUnlessEnded(
  tasksFile: URL,
  tasks: readonly ReportTask[],
  options: { readonly atOnce: number; readonly onCount?: (count: number) => void },
): Promise<ReportTaskResult[]> {
  using _end = holdEnd()
  const ending = new AbortController()
  const looking = setInterval(() => {
    if (isEndAsked(alone)) ending.abort()
  }, lookEveryMs)
  try {
    const done = await runTasks<ReportTask, ReportTaskResult>(tasksFile, tasks, { ...options, signal: ending.signal })
    return done.map(({ result }) => result)
  } catch (error) {
    throw ending.signal.aborted ? stopped('report', 'SIGTERM') : error
  } finally {
    clearInterval(looking)
  }
}
