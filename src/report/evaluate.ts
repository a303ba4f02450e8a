/**
 * What is found in the images that policies drew: as asked or not, clean or not, and the features in which fidelity is
 * measured. Every policy is measured on the same prompts, the same noise and equally many images. In the embedded world a
 * judge says whether an image is as asked; elsewhere a reward says whether it is better than the base's image from the same
 * noise.
 */
import { VocabularyError } from '../errors.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import type { SpaceFacts } from '../networks/features/feature-space.ts'
import { random, type Random } from '../random.ts'
import type { Attributes, Prompt } from '../records.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat } from '../tensor/create.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { reportStreams } from '../streams.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { DrawnImages, EvaluationPlan } from './draw.ts'
import type { EvaluatedSet } from './measures/measure.ts'

/** What a judge says of one image. */
interface JudgedPicture {
  /** A valid picture of anything. */
  readonly clean: boolean
  isAligned(attributes: Attributes): boolean
  /** A true render with the attributes that the judge read; those that it could not read are drawn as in pre-training. */
  twin(random: Random): Picture
}

/** All that the report must know of the world that the images show. */
export interface WorldJudge {
  read(picture: Picture): JudgedPicture
  /** A true image of what a prompt states; what it leaves open is drawn as in pre-training. */
  render(stated: Attributes, random: Random): Picture
  readonly space: SpaceFacts
  /** Of a network that no reward uses; pixels [B, 3, H, W] in [-1, 1] → [B, d]. */
  features(pixels: Tensor): Tensor
}

/** What was found in the images of one policy: see `EvaluatedSet` of the measures, which are taken from it. */
export type Evaluation = Pick<EvaluatedSet, 'measuredBy' | 'aligned' | 'clean' | 'rewards' | 'heldOut'>
/** With its features, which stay on the disk between processes. */
export type EvaluatedImages = Pick<EvaluatedSet, keyof Evaluation | keyof Features>
export type Features = Pick<EvaluatedSet, 'features' | 'reference' | 'wanted'>

/** Features of pictures, [N, d], float64, on the CPU. */
export type Encode = (pictures: readonly Picture[]) => Tensor

/** Large pictures would fill the memory in large batches. */
const featureBatch = 64

/**
 * What each prompt asks for.
 *
 * @throws {VocabularyError} a prompt without attributes: the judge cannot tell whether an image is as asked
 */
export function statedAttributes(prompts: readonly Pick<Prompt, 'text' | 'attributes'>[]): Attributes[] {
  return prompts.map(({ text, attributes }) => {
    if (attributes !== undefined) return attributes
    throw new VocabularyError({
      where: `prompt "${text}"`,
      expected: 'a prompt whose attributes a judge can check on an image',
      received: 'free text',
      remedy: 'leave it out of the report, or state its "attributes" in a .jsonl file',
    })
  })
}

/**
 * Reads the images of a policy by a judge.
 *
 * @param encode makes the features in which fidelity is measured; the judge's network without it
 * @throws {VocabularyError} see `statedAttributes`
 */
export function judgePolicy(
  plan: EvaluationPlan,
  drawn: DrawnImages,
  judge: WorldJudge,
  encode: Encode = (pictures) => featuresOf((pixels) => judge.features(pixels), pictures),
): EvaluatedImages {
  const stated = statedAttributes(plan.prompts)
  const read = drawn.pictures.map((picture) => judge.read(picture))
  const twins = read.map((one, i) => one.twin(random(...reportStreams.twin(plan.seed, i))))
  const wanted = stated
    .flatMap((one) => new Array<Attributes>(plan.imagesPerPrompt).fill(one))
    .map((one, i) => judge.render(one, random(...reportStreams.wanted(plan.seed, i))))
  return {
    measuredBy: 'judge',
    aligned: byPrompt(plan, read).map((images, p) => images.map((one) => (one.isAligned(stated[p]) ? 1 : 0))),
    rewards: byPrompt(plan, drawn.rewards),
    clean: byPrompt(plan, read).map((images) => images.map(({ clean }) => (clean ? 1 : 0))),
    features: encode(drawn.pictures),
    reference: encode(twins),
    wanted: encode(wanted),
  }
}

/** What a policy is compared with where there is no judge. */
export interface Comparands {
  /** The base's images of the plan. */
  readonly base: DrawnImages
  /** Images that fidelity is measured against. */
  readonly reference: readonly Picture[]
  /** Prefers one image to another. */
  readonly scorer: Reward
  /** Makes the features in which fidelity is measured; the scorer's encoder without it. */
  readonly encode?: Encode
}

/** Compares a policy with the base, image by image from the same prompt and noise. */
export function comparePolicy(
  plan: EvaluationPlan,
  drawn: DrawnImages,
  { base, reference, scorer, encode = encoderOf(scorer) }: Comparands,
): EvaluatedImages {
  const own = scoresByPrompt(plan, drawn, scorer).flat()
  const theirs = scoresByPrompt(plan, base, scorer).flat()
  const theirFeatures = encode(reference)
  return {
    measuredBy: 'reward',
    aligned: byPrompt(
      plan,
      own.map((score, i) => (score > theirs[i] ? 1 : score === theirs[i] ? 0.5 : 0)),
    ),
    rewards: byPrompt(plan, drawn.rewards),
    clean: null,
    features: encode(drawn.pictures),
    reference: theirFeatures,
    wanted: theirFeatures,
  }
}

const encoderOf =
  (scorer: Reward): Encode =>
  (pictures) =>
    featuresOf((pixels) => scorer.embedImages(pixels).mul(embeddingScale), pictures)

/** Scores of the images of a policy, a list a prompt. @throws {RewardError} one is not finite */
export function scoresByPrompt(plan: EvaluationPlan, { pictures }: DrawnImages, reward: Reward): number[][] {
  const texts = plan.prompts.flatMap(({ text }) => new Array<string>(plan.imagesPerPrompt).fill(text))
  return byPrompt(plan, scorePictures(reward, pictures, texts))
}

/** What measures are taken from. @param of whose images they are, and what else is known of it */
export function evaluatedSet(
  plan: EvaluationPlan,
  of: Pick<EvaluatedSet, 'name' | 'bestOf' | 'kl' | 'objects' | 'votes'>,
  { pictures }: DrawnImages,
  found: EvaluatedImages,
): EvaluatedSet {
  return { prompts: plan.prompts, seed: plan.seed, pictures: byPrompt(plan, pictures), ...of, ...found }
}

/** Unit vectors are shorter than a Fréchet distance is read easily. */
export const embeddingScale = 10

/** A list a prompt. */
export function byPrompt<T>({ prompts, imagesPerPrompt }: EvaluationPlan, values: readonly T[]): T[][] {
  return prompts.map((_, p) => values.slice(p * imagesPerPrompt, (p + 1) * imagesPerPrompt))
}

/** Features of pictures, [N, d], float64, on the CPU. */
export function featuresOf(encode: (pixels: Tensor) => Tensor, pictures: readonly Picture[]): Tensor {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const batches = Array.from({ length: Math.ceil(pictures.length / featureBatch) }, (_, i) =>
    encode(pixelsOf(pictures.slice(i * featureBatch, (i + 1) * featureBatch)))
      .to('cpu')
      .to('float64'),
  )
  return scope.keep(cat(batches))
}
