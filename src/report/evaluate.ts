/**
 * The numbers of the report, from the images that the policies drew: alignment, fidelity, diversity, reward. Every policy
 * is measured on the same prompts, the same noise and equally many images. In the embedded world a judge says whether an
 * image is as asked; elsewhere a reward says whether it is better than the base's image from the same noise.
 */
import { VocabularyError } from '../errors.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import { random, seedOf, type Random } from '../random.ts'
import type { Attributes, Prompt } from '../records.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, tensor } from '../tensor/create.ts'
import { scorePictures } from '../reward/open-reward.ts'
import type { Reward } from '../reward/reward.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { DrawnImages, EvaluationPlan } from './draw.ts'
import { frechetDistance } from './frechet.ts'
import { bootstrapMean, pairedDifference, subsetInterval, type Interval } from './interval.ts'
import { JudgedCategory, type Split, type SplitReport } from './schema.ts'

/** What a judge says of one image. */
export interface JudgedPicture {
  /** A valid picture of anything. */
  readonly clean: boolean
  isAligned(attributes: Attributes): boolean
  /** A true render with the attributes that the judge read; those that it could not read are drawn as in pre-training. */
  twin(random: Random): Picture
}

/** All that the report must know of the world that the images show. */
export interface WorldJudge {
  read(picture: Picture): JudgedPicture
  /** Of a network that no reward uses; pixels [B, 3, H, W] in [-1, 1] → [B, d]. */
  features(pixels: Tensor): Tensor
}

/** What was measured of one policy. Lists are in the order of the plan: one list a prompt, one number an image. */
export interface Evaluation {
  readonly measuredBy: 'judge' | 'reward'
  /**
   * By a judge: 1 where every stated attribute is right, else 0. By a reward: 1 where the image scores higher than the
   * base's of the same prompt and noise, 1/2 where both are equal, else 0.
   */
  readonly aligned: readonly (readonly number[])[]
  readonly rewards: readonly (readonly number[])[]
  /** Share of clean images; null where nothing can tell. */
  readonly validShare: number | null
  /** Fréchet distance to true twins or to reference images: mean and interval over disjoint subsets. */
  readonly frechet: Interval
  /** Mean distance between the features of two images of one prompt. */
  readonly diversity: Interval
}

/** Disjoint subsets for the interval of the Fréchet distance, each spread over all prompts. */
export const frechetSubsets = 4
export const bootstrapResamples = 2000

const twinSeed = 7103
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
 * Measures a policy by a judge that can read its images.
 *
 * @throws {VocabularyError} see {@link statedAttributes}
 * @throws {ShapeError} fewer than two images for each of the subsets
 */
export function judgePolicy(plan: EvaluationPlan, drawn: DrawnImages, judge: WorldJudge): Evaluation {
  const stated = statedAttributes(plan.prompts)
  const read = drawn.pictures.map((picture) => judge.read(picture))
  const twins = read.map((one, i) => one.twin(random(plan.seed, twinSeed, i)))
  return {
    measuredBy: 'judge',
    aligned: byPrompt(plan, read).map((images, p) => images.map((one) => (one.isAligned(stated[p]) ? 1 : 0))),
    rewards: byPrompt(plan, drawn.rewards),
    validShare: read.filter(({ clean }) => clean).length / read.length,
    ...spread(plan, drawn.pictures, twins, (pixels) => judge.features(pixels)),
  }
}

/** What a policy is compared with where there is no judge. */
export interface Comparands {
  /** The base's images of the plan. */
  readonly base: DrawnImages
  /** Images that fidelity is measured against. */
  readonly reference: readonly Picture[]
  /** Prefers one image to another; fidelity is measured in the features of its encoder. */
  readonly scorer: Reward
}

/**
 * Measures a policy against the base, image by image from the same prompt and noise.
 *
 * @throws {ShapeError} fewer than two images for each of the subsets
 */
export function comparePolicy(
  plan: EvaluationPlan,
  drawn: DrawnImages,
  { base, reference, scorer }: Comparands,
): Evaluation {
  const texts = plan.prompts.flatMap(({ text }) => new Array<string>(plan.imagesPerPrompt).fill(text))
  const own = scorePictures(scorer, drawn.pictures, texts)
  const theirs = scorePictures(scorer, base.pictures, texts)
  return {
    measuredBy: 'reward',
    aligned: byPrompt(
      plan,
      own.map((score, i) => (score > theirs[i] ? 1 : score === theirs[i] ? 0.5 : 0)),
    ),
    rewards: byPrompt(plan, drawn.rewards),
    validShare: null,
    ...spread(plan, drawn.pictures, reference, (pixels) => scorer.embedImages(pixels).mul(embeddingScale)),
  }
}

/** Unit vectors are shorter than a Fréchet distance is read easily. */
export const embeddingScale = 10

/** A list a prompt. */
function byPrompt<T>({ prompts, imagesPerPrompt }: EvaluationPlan, values: readonly T[]): T[][] {
  return prompts.map((_, p) => values.slice(p * imagesPerPrompt, (p + 1) * imagesPerPrompt))
}

/** Fidelity and diversity in a space of features. */
function spread(
  { prompts, imagesPerPrompt, seed }: EvaluationPlan,
  pictures: readonly Picture[],
  reference: readonly Picture[],
  encode: (pixels: Tensor) => Tensor,
): Pick<Evaluation, 'frechet' | 'diversity'> {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const features = featuresOf(encode, pictures)
  const own = everyNth(features, frechetSubsets)
  const theirs = everyNth(featuresOf(encode, reference), frechetSubsets)
  return {
    frechet: subsetInterval(own.map((subset, s) => frechetDistance(subset, theirs[s]))),
    diversity: bootstrapMean(
      prompts.map((_, p) => pairDistances(features.slice(0, p * imagesPerPrompt, (p + 1) * imagesPerPrompt))),
      bootstrap(seed),
    ),
  }
}

/** Alignment of one policy on the prompts of one split. */
export function splitReport(
  { prompts, seed }: EvaluationPlan,
  split: Split,
  policy: Evaluation,
  base: Evaluation,
): SplitReport {
  const places = prompts.flatMap((prompt, place) => (prompt.split === split ? [place] : []))
  const of = (evaluation: Evaluation, among = places) => among.map((place) => evaluation.aligned[place])
  const byCategory: SplitReport['byCategory'] = {}
  for (const category of JudgedCategory.options) {
    const members = places.filter((place) => prompts[place].category === category)
    if (members.length === 0) continue
    const values = of(policy, members)
    byCategory[category] = { n: values.flat().length, ...bootstrapMean(values, bootstrap(seed)) }
  }
  return {
    n: of(policy).flat().length,
    measuredBy: policy.measuredBy,
    alignment: bootstrapMean(of(policy), bootstrap(seed)),
    differenceToBase: pairedDifference(of(policy), of(base), bootstrap(seed)),
    byCategory,
  }
}

/** Paired difference in alignment, policy − other, on the prompts of one split. */
export function alignmentDifference(
  plan: EvaluationPlan,
  split: Split,
  policy: Evaluation,
  other: Evaluation,
): Interval {
  const of = ({ aligned }: Evaluation) => aligned.filter((_, place) => plan.prompts[place].split === split)
  return pairedDifference(of(policy), of(other), bootstrap(plan.seed))
}

/** Of both splits together, every prompt with the same weight. */
export function meanOverPrompts(plan: EvaluationPlan, values: readonly (readonly number[])[]): Interval {
  return bootstrapMean(values, bootstrap(plan.seed))
}

const bootstrap = (seed: number) => ({ seed: seedOf(seed, 7104), resamples: bootstrapResamples })

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

/** Rows s, s + n, s + 2n … for s = 0 … n − 1, all of one length. */
function everyNth(rows: Tensor, n: number): Tensor[] {
  const length = Math.floor(rows.shape[0] / n)
  return Array.from({ length: n }, (_, s) => {
    const index = Array.from({ length }, (_, i) => s + i * n)
    return rows.indexSelect(0, tensor(index, [length], 'int64'))
  })
}

/** Mean Euclidean distance of each row of [K, d] to the others, K ≥ 2; its mean is that over all pairs. */
function pairDistances(rows: Tensor): number[] {
  using _scope = tensorScope()
  const [count] = rows.shape
  const apart = rows.unsqueeze(0).sub(rows.unsqueeze(1)).square().sum(2).sqrt()
  return apart
    .sum(1)
    .div(count - 1)
    .toArray()
}
