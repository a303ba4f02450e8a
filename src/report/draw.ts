/**
 * What the report draws from a policy: the same prompts from the same noise for every policy, in parts that can be drawn
 * by one process each. Nothing here knows the judge.
 */
import type { Sampler } from '../diffusion/process.ts'
import { drawImages, samplerOf, type Sampling } from '../images/draw.ts'
import type { Picture } from '../images/png.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { trajectoryKl } from '../policy/trajectory-kl.ts'
import { seedOf } from '../random.ts'
import type { Prompt } from '../records.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { tensor } from '../tensor/create.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
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
}

/** Parts of the noise: training draws from (seed, …) itself, so no image of the report was trained on. */
const noiseOf = { images: 7101, kl: 7102 }
const batchSize = 64

/**
 * One image for each place of the plan. Candidate 0 is what a policy is measured by; best-of-n picks among the base's
 * candidates 0 … n − 1, so its images start from the base's noise wherever the base's own image is the best.
 */
export function drawCandidate(
  policy: GenerativeModel,
  reward: Reward,
  { prompts, imagesPerPrompt, seed, sampling }: EvaluationPlan,
  candidate = 0,
  onBatch?: (count: number) => void,
): DrawnImages {
  const texts = prompts.flatMap(({ text }) => new Array<string>(imagesPerPrompt).fill(text))
  const noiseSeed = seedOf(seed, noiseOf.images, candidate)
  const requests = texts.map((text, index) => ({ text, seed: noiseSeed, index }))
  const pictures = drawImages(policy, requests, sampling, { batchSize, onBatch })
  return { pictures, rewards: scorePictures(reward, pictures, texts) }
}

/** The best of each place by reward; the earliest among equals. */
export function pickBest(candidates: readonly DrawnImages[]): DrawnImages {
  const best = candidates[0].rewards.map((_, place) =>
    candidates.reduce((most, one) => (one.rewards[place] > most.rewards[place] ? one : most)),
  )
  return {
    pictures: best.map(({ pictures }, place) => pictures[place]),
    rewards: best.map(({ rewards }, place) => rewards[place]),
  }
}

/** Σ_t KL_t to the pre-trained model on fresh roll-outs, nats; a list for each prompt that had one. */
export function measureKl(
  policy: GenerativeModel,
  { prompts, seed, sampling, klRollouts }: EvaluationPlan,
  onBatch?: (count: number) => void,
): number[][] {
  const sampler = samplerOf(policy, sampling)
  const places = Array.from({ length: klRollouts }, (_, i) => Math.floor((i * prompts.length) / klRollouts))
  const values: number[][] = prompts.map(() => [])
  for (let from = 0; from < places.length; from += batchSize) {
    const batch = places.slice(from, from + batchSize)
    const found = trajectoryKl(
      policy,
      batch.map((place) => prompts[place].text),
      (i) => [seed, noiseOf.kl, from + i],
      { sampler, guidance: sampling.guidance, batchSize },
    )
    found.forEach((kl, i) => values[batch[i]].push(kl))
    onBatch?.(batch.length)
  }
  return values.filter((list) => list.length > 0)
}

/** @throws {FileError} */
export function writeDrawn(file: string, { pictures, rewards }: DrawnImages): void {
  using _scope = tensorScope()
  const [{ width, height }] = pictures
  const bytes = new Uint8Array(pictures.length * width * height * 3)
  pictures.forEach((picture, i) => bytes.set(picture.bytes, i * width * height * 3))
  const tensors = new Map([
    ['images', tensor(bytes, [pictures.length, height, width, 3])],
    ['rewards', tensor(Float64Array.from(rewards))],
  ])
  writeSafetensors(file, tensors, { format: 'attune-drawn-1' })
}

/** @throws {FileError | FormatError} */
export function readDrawn(file: string): DrawnImages {
  using _scope = tensorScope()
  const { tensors } = readSafetensors(file)
  const images = tensors.get('images')!
  const [count, height, width] = images.shape
  const bytes = new Uint8Array(images.toBytes())
  const size = width * height * 3
  return {
    pictures: Array.from({ length: count }, (_, i) => ({
      bytes: bytes.slice(i * size, (i + 1) * size),
      width,
      height,
    })),
    rewards: tensors.get('rewards')!.toArray(),
  }
}
