/**
 * Trains the reward head on human labels (Lee et al. 2023 §4.2): the head learns from minibatches of labelled images,
 * of which it sees frozen embeddings that were computed once.
 *
 * Departures from the paper:
 * 1. The head `agreement` works on the product of projected embeddings and starts as the CLIP score (agreement-head.ts);
 *    `mlp` is the paper's (mlp-head.ts).
 * 2. Prompts that a vocabulary can parse are shown in all wordings, so that the head learns meaning instead of wording.
 * 3. AdamW with linear decay; the paper does not state its optimiser.
 * 4. Temperature T = 0.3 instead of 2: with rewards in [0, 1], T = 2 leaves the softmax almost flat (docs/log.md).
 * 5. A prompt with fewer distractors than asked for is told from those that it has; one without any has no second term.
 */
import { z } from 'zod'
import { RewardError } from '../errors.ts'
import { progress } from '../progress.ts'
import { random, seedOf, type Random } from '../random.ts'
import { AdamW } from '../tensor/adamw.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensor } from '../tensor/create.ts'
import { applyGradients } from '../tensor/optimise.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { accuracy, auc, expectedCalibrationError, reliability, type ReliabilityBin } from './classification.ts'
import type { Embedded } from './embeddings.ts'
import { freshHead, headScore, type HeadKind, type RewardHead } from './reward-head.ts'
import { promptClassification, squaredError } from './reward-loss.ts'
import type { ShownTexts } from './shown-texts.ts'

/** The settings of the fit itself. */
export const rewardFitFields = {
  classificationWeight: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe('Weight λ of prompt classification; 0 turns it off.'),
  temperature: z.number().positive().default(0.3).describe('Temperature T of prompt classification (Lee et al.: 2).'),
  distractors: z.int().positive().default(5).describe('Wrong prompts beside the true one, for each good image.'),
  epochs: z.int().positive().default(20).describe('Passes over the labels.'),
  batchSize: z.int().positive().default(128).describe('Labels per update.'),
  learningRate: z.number().positive().default(1e-3).describe('Learning rate of AdamW, decaying linearly to zero.'),
  weightDecay: z.number().nonnegative().default(5).describe('Decoupled weight decay of AdamW.'),
}
export const RewardFit = z.strictObject(rewardFitFields)
export type RewardFit = z.infer<typeof RewardFit>

/** A label that entered training; skips never get here. */
export interface LabelledImage {
  /** Row of the image among the embeddings; several labels may be of one image. */
  readonly image: number
  readonly text: string
  readonly good: boolean
}

export interface FitOptions {
  readonly head: HeadKind
  readonly seed: number
  /** Of the progress line. */
  readonly label?: string
}

/**
 * Fits a head.
 * @param embedded  the images, and all texts of `shown`
 * @param shown     of the prompts of the examples
 * @returns         a head whose tensors belong to the caller's scope
 * @throws {RewardError} labels of one class only
 */
export function fitReward(
  embedded: Embedded,
  examples: readonly LabelledImage[],
  shown: ShownTexts,
  fit: RewardFit,
  { head: kind, seed, label = 'reward' }: FitOptions,
): RewardHead {
  expectBothClasses(examples)
  using scope = tensorScope()
  const imageRows = (of: readonly number[]) => rows(embedded.images, imagesOf(of.map((i) => examples[i])))
  const textRows = (of: readonly string[]) => rows(embedded.texts, rowsOf(embedded, of))
  const labels = tensor(examples.map(({ good }) => (good ? 1 : 0)))
  const head = freshHead(kind, embedded.images.shape[1], seedOf(seed, 3))
  const parameters = head.weights.tensors()
  for (const parameter of parameters.values()) scope.keep(parameter.requireGrad())
  const optimiser = new AdamW(parameters, { learningRate: fit.learningRate, weightDecay: fit.weightDecay })
  const stream = random(seed, 4)
  const perEpoch = Math.ceil(examples.length / fit.batchSize)
  const updates = fit.epochs * perEpoch
  const bar = progress(label, updates, 'updates')
  for (let epoch = 0, update = 0; epoch < fit.epochs; epoch++) {
    const order = stream.shuffle(examples.map((_, i) => i))
    for (let from = 0; from < order.length; from += fit.batchSize, update++) {
      using _update = tensorScope()
      const batch = order.slice(from, from + fit.batchSize)
      const own = batch.map((i) => stream.pick(shown.wordings.get(examples[i].text)!))
      let loss = squaredError(headScore(head, imageRows(batch), textRows(own)), rows(labels, batch))
      if (fit.classificationWeight > 0) {
        const choices = choicesOf(batch, own, examples, shown, fit.distractors, stream)
        const count = choices.reduce((sum, group) => sum + group.length, 0)
        for (const group of choices) {
          const columns = group[0].texts.length
          const repeated = group.flatMap(({ example }) => new Array<number>(columns).fill(example))
          const among = headScore(head, imageRows(repeated), textRows(group.flatMap((choice) => choice.texts)))
          const classification = promptClassification(among.reshape(group.length, columns), fit.temperature)
          loss = loss.add(classification.mul(fit.classificationWeight * (group.length / count)))
        }
      }
      loss.backward()
      applyGradients([optimiser], parameters, {
        maxGradNorm: 1,
        learningRates: [fit.learningRate * (1 - update / updates)],
      })
      bar.advance(1, update % 20 === 0 ? `loss ${loss.item().toFixed(4)}` : undefined)
    }
  }
  bar.done()
  for (const parameter of parameters.values()) parameter.requireGrad(false)
  return head
}

/** Among which texts the head has to find that of a good image. */
interface Choice {
  readonly example: number
  /** The true prompt first. */
  readonly texts: readonly string[]
}

/** The good images of a batch whose prompts have distractors, in groups of as many texts. */
function choicesOf(
  batch: readonly number[],
  own: readonly string[],
  examples: readonly LabelledImage[],
  { distractors }: ShownTexts,
  most: number,
  stream: Random,
): Choice[][] {
  const groups = new Map<number, Choice[]>()
  batch.forEach((example, place) => {
    const { good, text } = examples[example]
    const wrong = distractors.get(text)!
    if (!good || wrong.length === 0) return
    const texts = [own[place], ...stream.shuffle(wrong).slice(0, most)]
    groups.set(texts.length, [...(groups.get(texts.length) ?? []), { example, texts }])
  })
  return [...groups.values()]
}

const rows = (all: Tensor, index: readonly number[]) => all.indexSelect(0, tensor(index, [index.length], 'int64'))
const imagesOf = (examples: readonly LabelledImage[]) => examples.map(({ image }) => image)
const textsOf = (examples: readonly LabelledImage[]) => examples.map(({ text }) => text)
const rowsOf = ({ rowOf }: Embedded, texts: readonly string[]) => texts.map((text) => rowOf.get(text)!)

function expectBothClasses(examples: readonly LabelledImage[]): void {
  const good = examples.filter((example) => example.good).length
  if (good > 0 && good < examples.length) return
  throw new RewardError({
    where: 'labels',
    expected: 'both good and bad ones',
    received: `${good} good and ${examples.length - good} bad`,
    remedy: 'a reward can only be learned from a difference: judge more images',
  })
}

/** How well scores tell good from bad, against the labels as recorded. */
export interface RewardQuality {
  readonly n: number
  readonly accuracy: number
  readonly auc: number
  /** The CLIP score (cosine of the embeddings) as a judge of the same images. */
  readonly clipScoreAuc: number
  readonly ece: number
  readonly reliability: readonly ReliabilityBin[]
}

/** @throws {RewardError} labels of one class only */
export function measureReward(embedded: Embedded, head: RewardHead, examples: readonly LabelledImage[]): RewardQuality {
  expectBothClasses(examples)
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const images = rows(embedded.images, imagesOf(examples))
  const texts = rows(embedded.texts, rowsOf(embedded, textsOf(examples)))
  const scores = headScore(head, images, texts).toArray()
  const similarities = images.mul(texts).sum(1).toArray()
  const labels = examples.map(({ good }) => good)
  return {
    n: examples.length,
    accuracy: accuracy(scores, labels),
    auc: auc(scores, labels),
    clipScoreAuc: auc(similarities, labels),
    ece: expectedCalibrationError(scores, labels),
    reliability: reliability(scores, labels),
  }
}
