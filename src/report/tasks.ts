/** The parts of a report that run in processes of their own. What such a process executes is `src/report-tasks.ts`. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import type { ModelConfig, Open } from '../images/open-model.ts'
import type { Picture } from '../images/png.ts'
import { openEncoder } from '../reward/encoding/open-encoder.ts'
import { openReward } from '../reward/open-reward.ts'
import { checkDetector } from '../networks/detector/open-detector.ts'
import { openFeatures } from '../networks/features/open-features.ts'
import { placementOf } from '../networks/placement.ts'
import { sha256 } from '../sha256.ts'
import { PartFiles } from '../tensor/part-files.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import {
  drawBatches,
  drawCandidate,
  measureKl,
  pickBest,
  readDrawn,
  writeDrawn,
  type DrawnImages,
  type EvaluationPlan,
  type Share,
} from './draw.ts'
import {
  byPrompt,
  comparePolicy,
  judgePolicy,
  type Encode,
  scoresByPrompt,
  type EvaluatedImages,
  type Evaluation,
  type Features,
  type WorldJudge,
} from './evaluate.ts'
import { networkEncoder } from './network-features.ts'
import { checkObjects } from './objects/check-objects.ts'
import { compositionOf } from './objects/composition-of.ts'
import { readReference } from './reference.ts'

interface Shared {
  readonly plan: EvaluationPlan
  /** The model, and the encoder that a reward may need beside it. */
  readonly model: ModelConfig & { readonly encoder?: string | null; readonly loraScale?: number }
}

interface Judging {
  /** Of the best of these candidates by reward. */
  readonly files: readonly string[]
  /** Where the features go. */
  readonly features: string
  /** What makes them, in place of the judge's network or of the scorer's encoder. */
  readonly network?: FeatureNetwork
  /** Scores the images beside what judges them. */
  readonly heldOutReward?: string
}

interface FeatureNetwork {
  /** See `openFeatures`. */
  readonly name: string
  /** Where batches are kept for a process that goes on, and for the next policy. */
  readonly parts: string
}

/** A policy is a run folder, or a LoRA file; absent for the pre-trained model. */
export type ReportTask = Shared &
  (
    | {
        readonly kind: 'images'
        readonly policy?: string
        readonly reward: string
        readonly candidate: number
        /** Where the images go; batches lie beside it until all are drawn. */
        readonly file: string
        /** Draws these batches alone, and leaves the file to a task of all of them. */
        readonly share?: Share
      }
    /** `parts` is the folder where batches are kept for a process that goes on; those of a share are kept alone. */
    | { readonly kind: 'kl'; readonly policy: string; readonly parts?: string; readonly share?: Share }
    /** By the judge of the model's world. */
    | (Judging & { readonly kind: 'judge' })
    /** By a reward that stands for a judge: against the base's images, and against reference images. */
    | (Judging & {
        readonly kind: 'compare'
        readonly base: string
        readonly scorer: string
        /** A file of drawn images, or a folder of pictures. */
        readonly reference: string
      })
    /** By a detector, of the best of these candidates by reward. */
    | {
        readonly kind: 'objects'
        readonly files: readonly string[]
        readonly detector: string
        readonly threshold: number
        /** CLIPModel that tells colours. */
        readonly colors?: string
      }
  )

/** Batches of a share were drawn, and others are drawn by other processes. */
export const partly = 'partly'
export type ReportTaskResult =
  readonly (readonly number[])[] | readonly (readonly number[] | null)[] | Evaluation | typeof partly | null

/** What a process needs beside its task. */
interface ReportTools {
  readonly open: Open
  readonly judgeOf: (model: string) => Promise<WorldJudge | undefined>
}

export async function doReportTask(
  task: ReportTask,
  { open, judgeOf }: ReportTools,
  count: (images: number) => void,
): Promise<ReportTaskResult> {
  const { plan, model } = task
  /** What a held-out reward finds in images; nothing where there is none. */
  const openHeldOut = async ({ heldOutReward: name }: { readonly heldOutReward?: string }) => {
    const reward = name === undefined ? undefined : await openReward(name, model, open)
    return (drawn: DrawnImages) => (reward === undefined ? {} : { heldOut: scoresByPrompt(plan, drawn, reward) })
  }
  switch (task.kind) {
    case 'images': {
      if (isWhole(task.file)) {
        count(plan.prompts.length * plan.imagesPerPrompt)
        return null
      }
      const opened = await open(model, task.policy)
      const parts = partsOf(task.file.replace(/\.safetensors$/, '.parts'), plan)
      if (isPart(task.share)) {
        drawBatches(opened.policy, plan, task.candidate, { onBatch: count, parts, share: task.share })
        return partly
      }
      const reward = await openReward(task.reward, model, () => Promise.resolve(opened))
      writeDrawn(task.file, drawCandidate(opened.policy, reward, plan, task.candidate, { onBatch: count, parts }))
      parts.remove()
      return null
    }
    case 'kl': {
      const found = measureKl((await open(model, task.policy)).policy, plan, {
        onBatch: count,
        ...(task.parts !== undefined && { parts: partsOf(task.parts, plan) }),
        ...(task.share !== undefined && { share: task.share }),
      })
      return isPart(task.share) ? partly : found
    }
    case 'judge': {
      const judge = (await judgeOf(model.model))!
      const heldOut = await openHeldOut(task)
      const drawn = bestOf(task.files)
      using _scope = tensorScope()
      const encode = encoderOf(task, count)
      return { ...withoutFeatures(judgePolicy(plan, drawn, judge, encode), task.features), ...heldOut(drawn) }
    }
    case 'compare': {
      const scorer = await openReward(task.scorer, model, open)
      const heldOut = await openHeldOut(task)
      const drawn = bestOf(task.files)
      const [{ width, height }] = drawn.pictures
      const reference: readonly Picture[] = await readReference(task.reference, { width, height })
      using _scope = tensorScope()
      const comparands = { base: readDrawn(task.base), reference, scorer, encode: encoderOf(task, count) }
      return { ...withoutFeatures(comparePolicy(plan, drawn, comparands), task.features), ...heldOut(drawn) }
    }
    case 'objects': {
      const { device } = placementOf(model)
      const checking = {
        detector: checkDetector(task.detector).open(device),
        threshold: task.threshold,
        ...(task.colors !== undefined && { colors: openEncoder(task.colors, model) }),
      }
      const pictures = byPrompt(plan, bestOf(task.files).pictures)
      return checkObjects(plan.prompts.map(compositionOf), pictures, checking, count)
    }
  }
}

/** Opens a network of features on the device of the model. */
function encoderOf({ network, model }: Shared & Judging, count: (images: number) => void): Encode | undefined {
  if (network === undefined) return undefined
  return networkEncoder(openFeatures(network.name, placementOf(model).device), network.parts, count)
}

/** Writes the features to a file, since tensors do not go from process to process. @throws {FileError} */
function withoutFeatures({ features, reference, wanted, ...found }: EvaluatedImages, file: string): Evaluation {
  const own = wanted === reference ? [] : [['wanted', wanted] as const]
  writeSafetensors(file, new Map([['features', features], ['reference', reference], ...own]))
  return found
}

/** What {@link doReportTask} wrote of a policy's images, into the tensor scope of the caller. */
export function readFeatures(file: string): Features {
  const { tensors } = readSafetensors(file)
  const reference = tensors.get('reference')!
  return { features: tensors.get('features')!, reference, wanted: tensors.get('wanted') ?? reference }
}

const isPart = (share: Share | undefined): share is Share => share !== undefined && share.size > 1

const bestOf = (files: readonly string[]) => pickBest(files.map(readDrawn))
const partsOf = (folder: string, plan: EvaluationPlan) => new PartFiles(folder, sha256(JSON.stringify(plan)))

/** Whether an earlier process has drawn all that goes into a file. */
function isWhole(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    readDrawn(file)
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}
