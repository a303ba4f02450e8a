/**
 * Trains the reward head on human labels (Lee et al. 2023 §4.2): frozen embeddings are computed once, then the head
 * learns from minibatches of labelled images.
 *
 * Departures from the paper:
 * 1. The head works on the product of projected embeddings and starts as the CLIP score (see reward-head.ts).
 * 2. Prompts that a vocabulary can parse are shown in all wordings, so that the head learns meaning instead of wording.
 * 3. AdamW with linear decay; the paper does not state its optimiser.
 * 4. Temperature T = 0.3 instead of 2: with rewards in [0, 1], T = 2 leaves the softmax almost flat (docs/log.md).
 */
import { z } from 'zod'
import { RewardError } from '../errors.ts'
import { pixelsOf, type Picture } from '../images/png.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { Weights } from '../networks/weights.ts'
import { progress } from '../progress.ts'
import { distractors } from '../prompts/distractors.ts'
import { parsePrompt, promptText, templateCount } from '../prompts/templates.ts'
import type { PromptVocabulary } from '../prompts/vocabulary.ts'
import { random, seedOf } from '../random.ts'
import { AdamW } from '../tensor/adamw.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, tensor } from '../tensor/create.ts'
import { applyGradients } from '../tensor/optimise.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { accuracy, auc, expectedCalibrationError, reliability, type ReliabilityBin } from './classification.ts'
import { promptClassification, squaredError } from './reward-loss.ts'
import { rewardOf } from './reward-head.ts'

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

/** An image with a label that entered training; skips never get here. */
export interface LabelledImage {
  readonly picture: Picture
  readonly text: string
  readonly good: boolean
}

/** Embeddings of labelled images and of every text that training may show, computed once. */
interface Embedded {
  readonly images: Tensor // [N, d]
  readonly texts: Tensor // [M, d]
  readonly rowOf: ReadonlyMap<string, number>
}

const embeddingBatch = 256

function embed(encoder: ImageTextEncoder, pictures: readonly Picture[], texts: readonly string[]): Embedded {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const inBatches = <T>(all: readonly T[], encode: (batch: readonly T[]) => Tensor) =>
    cat(
      Array.from({ length: Math.ceil(all.length / embeddingBatch) }, (_, i) =>
        encode(all.slice(i * embeddingBatch, (i + 1) * embeddingBatch)),
      ),
    )
  const distinct = [...new Set(texts)]
  return {
    images: scope.keep(inBatches(pictures, (batch) => encoder.embedImages(pixelsOf(batch)))),
    texts: scope.keep(inBatches(distinct, (batch) => encoder.embedTexts(batch))),
    rowOf: new Map(distinct.map((text, row) => [text, row])),
  }
}

/** All wordings of a prompt; only its own where no vocabulary parses it. */
export function wordings(text: string, vocabulary: PromptVocabulary | undefined): string[] {
  const attributes = vocabulary === undefined ? undefined : parsePrompt(text, vocabulary)
  if (vocabulary === undefined || attributes === undefined) return [text]
  return [
    ...new Set(Array.from({ length: templateCount }, (_, template) => promptText(attributes, vocabulary, template))),
  ]
}

/** How many different distractors a prompt has in store. */
const distractorPool = 24

/**
 * Fits the head.
 * @throws {RewardError} labels of one class only
 */
export function fitReward(
  encoder: ImageTextEncoder,
  examples: readonly LabelledImage[],
  fit: RewardFit,
  seed: number,
  vocabulary?: PromptVocabulary,
  label = 'reward',
): Weights {
  expectBothClasses(examples)
  const prompts = [...new Set(examples.map(({ text }) => text))]
  const wordingsOf = new Map(prompts.map((text) => [text, wordings(text, vocabulary)]))
  const wrongOf = new Map(
    prompts.map((text, i) => [
      text,
      vocabulary === undefined
        ? []
        : wordingsOf
            .get(text)!
            .flatMap((wording) => distractors({ text: wording }, vocabulary, distractorPool, random(seed, 2, i))),
    ]),
  )
  using scope = tensorScope()
  const { images, texts, rowOf } = embed(
    encoder,
    examples.map(({ picture }) => picture),
    [...wordingsOf.values(), ...wrongOf.values()].flat(),
  )
  const labels = tensor(examples.map(({ good }) => (good ? 1 : 0)))
  const head = Weights.fresh(seedOf(seed, 3))
  const first = rewardOf(head, images.slice(0, 0, 1), texts.slice(0, 0, 1), encoder.width)
  first.dispose()
  for (const parameter of head.tensors().values()) scope.keep(parameter.requireGrad())
  const optimiser = new AdamW(head.tensors(), { learningRate: fit.learningRate, weightDecay: fit.weightDecay })
  const stream = random(seed, 4)
  const rows = (all: Tensor, index: readonly number[]) => all.indexSelect(0, tensor(index, [index.length], 'int64'))
  const textRow = (text: string) => rowOf.get(text)!
  const perEpoch = Math.ceil(examples.length / fit.batchSize)
  const updates = fit.epochs * perEpoch
  const bar = progress(label, updates, 'updates')
  for (let epoch = 0, update = 0; epoch < fit.epochs; epoch++) {
    const order = stream.shuffle(examples.map((_, i) => i))
    for (let from = 0; from < order.length; from += fit.batchSize, update++) {
      using _update = tensorScope()
      const batch = order.slice(from, from + fit.batchSize)
      const shown = batch.map((i) => stream.pick(wordingsOf.get(examples[i].text)!))
      const rewards = rewardOf(head, rows(images, batch), rows(texts, shown.map(textRow)), encoder.width)
      let loss = squaredError(rewards, rows(labels, batch))
      const good = batch.flatMap((i, place) => {
        const wrong = wrongOf.get(examples[i].text)!
        return examples[i].good && wrong.length >= fit.distractors ? [{ i, own: shown[place], wrong }] : []
      })
      if (fit.classificationWeight > 0 && good.length > 0) {
        const columns = 1 + fit.distractors
        const choices = good.flatMap(({ own, wrong }) => [own, ...stream.shuffle(wrong).slice(0, fit.distractors)])
        const repeated = good.flatMap(({ i }) => new Array<number>(columns).fill(i))
        const among = rewardOf(head, rows(images, repeated), rows(texts, choices.map(textRow)), encoder.width)
        const classification = promptClassification(among.reshape(good.length, columns), fit.temperature)
        loss = loss.add(classification.mul(fit.classificationWeight))
      }
      loss.backward()
      applyGradients([optimiser], head.tensors(), {
        maxGradNorm: 1,
        learningRates: [fit.learningRate * (1 - update / updates)],
      })
      bar.advance(1, update % 20 === 0 ? `loss ${loss.item().toFixed(4)}` : undefined)
    }
  }
  bar.done()
  for (const parameter of head.tensors().values()) parameter.requireGrad(false)
  return head
}

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
export function measureReward(
  encoder: ImageTextEncoder,
  head: Weights,
  examples: readonly LabelledImage[],
): RewardQuality {
  expectBothClasses(examples)
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const { images, texts, rowOf } = embed(
    encoder,
    examples.map(({ picture }) => picture),
    examples.map(({ text }) => text),
  )
  const own = texts.indexSelect(
    0,
    tensor(
      examples.map(({ text }) => rowOf.get(text)!),
      [examples.length],
      'int64',
    ),
  )
  const scores = rewardOf(head, images, own, encoder.width).toArray()
  const similarities = images.mul(own).sum(1).toArray()
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
