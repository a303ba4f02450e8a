/**
 * What the report draws from a policy: the same prompts from the same noise for every policy, in parts that can be drawn
 * by one process each. Nothing here knows the judge.
 */
import type { Sampler } from '../diffusion/process.ts'
import { FormatError } from '../errors.ts'
import { drawImages, samplerOf } from '../images/draw.ts'
import type { Picture } from '../images/png.ts'
import type { GenerativeModel, Sampling } from '../networks/generative-model.ts'
import { trajectoryKl } from '../policy/trajectory-kl.ts'
import { seedOf } from '../random.ts'
import type { Prompt } from '../records.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { reportStreams } from '../streams.ts'
import { tensor } from '../tensor/create.ts'
import type { Group } from '../tensor/group.ts'
import { sha256OfTensors, type PartFiles } from '../tensor/part-files.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Split } from './schema.ts'

export interface EvaluationPrompt extends Prompt {
  readonly split: Split
}

/** What every policy draws. Image k of prompt p is number p · imagesPerPrompt + k. */
export interface EvaluationPlan {
  readonly prompts: readonly EvaluationPrompt[]
  readonly imagesPerPrompt: number
  readonly seed: number
  readonly sampling: Sampling
  readonly sampler: Sampler['name']
  /** Roll-outs from which the KL is estimated, spread over the prompts. */
  readonly klRollouts: number
}

/** The evaluation images of one policy with their rewards, by number. */
export interface DrawnImages {
  readonly pictures: readonly Picture[]
  readonly rewards: readonly number[]
  /** That the drawing took, whichever processes did it. */
  readonly seconds?: number
}

/** How images are drawn, beside what they are. */
export interface Drawing {
  readonly onBatch?: (count: number) => void
  /** Batches that an earlier process has drawn are taken from there. */
  readonly parts?: PartFiles
  /** Of several processes that divide the batches: only those of this one are drawn, into the parts. */
  readonly share?: Share
}

/** One of several processes. */
export type Share = Pick<Group, 'rank' | 'size'>

const whole: Share = { rank: 0, size: 1 }
/** Whether the batch that begins at a place is one of this process. */
const isOwn = ({ rank, size }: Share, from: number, batchSize: number) => (from / batchSize) % size === rank

const mostAtOnce = 64
const batchSizeOf = ({ defaults }: GenerativeModel) => Math.min(mostAtOnce, defaults.batchSize)

/**
 * One image for each place of the plan. Candidate 0 is what a policy is measured by; best-of-n picks among the base's
 * candidates 0 … n − 1, so its images start from the base's noise wherever the base's own image is the best.
 */
export function drawCandidate(
  policy: GenerativeModel,
  reward: Reward,
  plan: EvaluationPlan,
  candidate = 0,
  drawing: Pick<Drawing, 'onBatch' | 'parts'> = {},
): DrawnImages {
  const { pictures, seconds } = drawBatches(policy, plan, candidate, drawing)
  return { pictures, rewards: scorePictures(reward, pictures, textsOf(plan)), seconds }
}

/** A text for each image. */
const textsOf = ({ prompts, imagesPerPrompt }: EvaluationPlan) =>
  prompts.flatMap(({ text }) => new Array<string>(imagesPerPrompt).fill(text))

/** The images of {@link drawCandidate} as far as they are this process's, without their rewards. */
export function drawBatches(
  policy: GenerativeModel,
  plan: EvaluationPlan,
  candidate: number,
  { onBatch, parts, share = whole }: Drawing,
): Pick<DrawnImages, 'pictures' | 'seconds'> {
  const { seed, sampling } = plan
  const texts = textsOf(plan)
  const noiseSeed = seedOf(...reportStreams.images(seed, candidate))
  const requests = texts.map((text, index) => ({ text, seed: noiseSeed, index }))
  const batchSize = batchSizeOf(policy)
  const pictures: Picture[] = []
  let seconds = 0
  for (let from = 0; from < requests.length; from += batchSize) {
    if (!isOwn(share, from, batchSize)) continue
    using _scope = tensorScope()
    const batch = requests.slice(from, from + batchSize)
    const draw = () => {
      const began = performance.now()
      const images = bytesOf(drawImages(policy, batch, sampling, { batchSize }))
      return new Map([
        ['images', images],
        ['seconds', tensor(Float64Array.of((performance.now() - began) / 1000))],
      ])
    }
    const drawn = parts?.at(from, draw) ?? draw()
    pictures.push(...picturesFrom(drawn.get('images')!))
    seconds += drawn.get('seconds')!.item()
    onBatch?.(batch.length)
  }
  return { pictures, seconds }
}

/** The best of each place by reward; the earliest among equals. */
export function pickBest(candidates: readonly DrawnImages[]): DrawnImages {
  const best = candidates[0].rewards.map((_, place) =>
    candidates.reduce((most, one) => (one.rewards[place] > most.rewards[place] ? one : most)),
  )
  return {
    pictures: best.map(({ pictures }, place) => pictures[place]),
    rewards: best.map(({ rewards }, place) => rewards[place]),
    ...(candidates.every(({ seconds }) => seconds !== undefined) && {
      seconds: candidates.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
    }),
  }
}

/** Σ_t KL_t to the pre-trained model on fresh roll-outs, nats; a list for each prompt that had one in this process's share. */
export function measureKl(
  policy: GenerativeModel,
  { prompts, seed, sampling, klRollouts }: EvaluationPlan,
  { onBatch, parts, share = whole }: Drawing = {},
): number[][] {
  const batchSize = batchSizeOf(policy)
  const sampler = samplerOf(policy, sampling)
  const places = Array.from({ length: klRollouts }, (_, i) => Math.floor((i * prompts.length) / klRollouts))
  const values: number[][] = prompts.map(() => [])
  for (let from = 0; from < places.length; from += batchSize) {
    if (!isOwn(share, from, batchSize)) continue
    const batch = places.slice(from, from + batchSize)
    using _scope = tensorScope()
    const measure = () => {
      const found = trajectoryKl(
        policy,
        batch.map((place) => prompts[place].text),
        (i) => reportStreams.kl(seed, from + i),
        { sampler, guidance: sampling.guidance, batchSize },
      )
      return new Map([['kl', tensor(Float64Array.from(found))]])
    }
    const found = (parts?.at(from, measure) ?? measure()).get('kl')!.toArray()
    found.forEach((kl, i) => values[batch[i]].push(kl))
    onBatch?.(batch.length)
  }
  return values.filter((list) => list.length > 0)
}

/** @throws {FileError} */
export function writeDrawn(file: string, { pictures, rewards, seconds }: DrawnImages): void {
  using _scope = tensorScope()
  const tensors = new Map([
    ['images', bytesOf(pictures)],
    ['rewards', tensor(Float64Array.from(rewards))],
    ...(seconds === undefined ? [] : [['seconds', tensor(Float64Array.of(seconds))] as const]),
  ])
  writeSafetensors(file, tensors, { format: 'attune-drawn-1', sha256: sha256OfTensors(tensors) })
}

/** @throws {FileError | FormatError} not there, or damaged */
export function readDrawn(file: string): DrawnImages {
  using _scope = tensorScope()
  const { tensors, metadata } = readSafetensors(file)
  if (metadata.sha256 !== sha256OfTensors(tensors)) {
    throw new FormatError({
      where: file,
      expected: 'images as they were drawn',
      received: 'others: their checksum is another',
      remedy: 'remove the file, and go on with --resume',
    })
  }
  return {
    pictures: picturesFrom(tensors.get('images')!),
    rewards: tensors.get('rewards')!.toArray(),
    ...(tensors.has('seconds') && { seconds: tensors.get('seconds')!.item() }),
  }
}

/** Pictures of one size → uint8 [B, H, W, 3]. */
function bytesOf(pictures: readonly Picture[]): Tensor {
  const [{ width, height }] = pictures
  const bytes = new Uint8Array(pictures.length * width * height * 3)
  pictures.forEach((picture, i) => bytes.set(picture.bytes, i * width * height * 3))
  return tensor(bytes, [pictures.length, height, width, 3])
}

/** The inverse of {@link bytesOf}. */
function picturesFrom(images: Tensor): Picture[] {
  const [count, height, width] = images.shape
  const bytes = new Uint8Array(images.toBytes())
  const size = width * height * 3
  return Array.from({ length: count }, (_, i) => ({ bytes: bytes.slice(i * size, (i + 1) * size), width, height }))
}
