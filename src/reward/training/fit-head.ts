/**
 * Trains the reward head on human labels (Lee et al. 2023 §4.2): the head learns from minibatches of labelled images,
 * of which it sees frozen embeddings that were computed once. Comparisons train it too, alone or beside labels:
 *
 *   L = E_labels[(y − r)²] + λ E_good[cross entropy of the true prompt] + λ_p E_comparisons[−log P(answer)]
 *
 * with P of Davidson (davidson.ts) and each mean over its own examples in the minibatch. Comparisons are of images of one
 * prompt, so they leave open what all logits have in common. Where there are no labels of both classes, labels are left
 * out, and a term of 0.1 (mean logit of the minibatch)² keeps scores around 1/2.
 *
 * Departures from the paper:
 * 1. The head `agreement` works on the product of projected embeddings and starts as the CLIP score (agreement-head.ts);
 *    `mlp` is the paper's (mlp-head.ts).
 * 2. Prompts that a vocabulary can parse are shown in all wordings, so that the head learns meaning instead of wording.
 * 3. AdamW with linear decay; the paper does not state its optimiser.
 * 4. Temperature T = 0.3 instead of 2: with rewards in [0, 1], T = 2 leaves the softmax almost flat (docs/log.md).
 * 5. A prompt with fewer distractors than asked for is told from those that it has; one without any has no second term.
 * 6. Comparisons, which the paper does not collect.
 */
import { DivergenceError } from '../../errors.ts'
import { progress } from '../../progress.ts'
import { seedOf, type Random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { AdamW } from '../../tensor/adamw.ts'
import { tensor } from '../../tensor/create.ts'
import { alone } from '../../tensor/group.ts'
import { applyGradients, copyState, loweredRate } from '../../tensor/optimise.ts'
import { isEndAsked, stopped } from '../../tensor/orderly-end.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { numbersOf, under } from '../../tensor/training-state.ts'
import { davidsonLogits, davidsonLoss } from './davidson.ts'
import { imageRows, textRows, type Embedded } from '../encoding/embeddings.ts'
import {
  expectTellsApart,
  hasBothClasses,
  type Comparison,
  type Label,
  type RewardExamples,
} from '../examples/reward-examples.ts'
import { freshHead, headLogit, headScore, type HeadKind, type RewardHead } from '../heads/reward-head.ts'
import type { FitCheckpoint } from './fit-checkpoint.ts'
import { rewardFitFields, type RewardFit } from './reward-fit.ts'
import { FitProgress, Minibatches } from './minibatches.ts'
import { promptClassification, squaredError } from './reward-loss.ts'
import { expectDifferences, spreadOf } from './sameness.ts'
import { drawDistractors, type ShownTexts } from '../examples/shown-texts.ts'

export interface FitOptions {
  readonly head: HeadKind
  readonly seed: number
  /** Of the progress line. */
  readonly label?: string
  /** Where the fit goes on from, and where it is kept: at its end, when it is asked to end, and every half minute. */
  readonly checkpoint?: FitCheckpoint
  /** Hears of a head that tells images hardly apart; where it is not given, such a head is let pass. */
  readonly warn?: (line: string) => void
}

const checkpointEveryMs = 30_000

/** A fitted reward, with what was seen on the way. */
export interface FittedReward {
  /** Its tensors belong to the caller's scope. */
  readonly head: RewardHead
  /** Davidson's ν: how readily raters call images equal; null without comparisons. */
  readonly nu: number | null
}

/** Of log ν, in learning rates of the head: it is one number, and has as few updates to find its place. */
const tieRate = 30
/** Weight of the squared mean logit where no label says what a logit of 0 is. */
const centreWeight = 0.1

/**
 * Fits a head, which has the whole say.
 * @param embedded  the images, and all texts of `shown`
 * @param shown     of the prompts of the examples
 * @throws {RewardError} labels of one class only, and no comparison with a better image; with `warn`, a head that says the
 *   same of all images at the end of an epoch
 * @throws {DivergenceError} names the update
 * @throws {StoppedError} this process was asked to end; the checkpoint has all that was done
 */
export function fitHead(
  embedded: Embedded,
  examples: RewardExamples,
  shown: ShownTexts,
  fit: RewardFit,
  { head: kind, seed, label = 'reward', checkpoint, warn }: FitOptions,
): FittedReward {
  const { labels, comparisons } = trainingExamples(examples, fit)
  using scope = tensorScope()
  const head = freshHead(kind, embedded.images.shape[1], seedOf(...rewardStreams.head(seed)))
  const parameters = new Map(head.weights.tensors())
  const optimisers = [new AdamW(parameters, { learningRate: fit.learningRate, weightDecay: fit.weightDecay })]
  const logNu = tensor([Math.log(likelyNu(comparisons))])
  if (comparisons.length > 0) {
    parameters.set('log ν', logNu)
    optimisers.push(new AdamW(new Map([['log ν', logNu]]), { learningRate: tieRate * fit.learningRate }))
  }
  for (const parameter of parameters.values()) parameter.requireGrad()
  for (const parameter of head.weights.tensors().values()) scope.keep(parameter)

  const living = new Map([
    ...under('parameters', parameters),
    ...optimisers.flatMap((one, place) => under(`optimiser.${place}`, one.state())),
  ])
  const saved = checkpoint?.read()
  if (saved !== undefined) copyState(label, living, saved.tensors)
  const progressOf = saved && numbersOf(label, FitProgress, saved)
  const minibatches = new Minibatches({ labels, comparisons }, fit.batchSize, seed, progressOf)
  let keptAt = performance.now()
  const keep = () => {
    const done = minibatches.progress
    checkpoint?.write(done.update, { tensors: living, numbers: done })
    keptAt = performance.now()
  }
  const updates = fit.epochs * minibatches.count
  const bar = progress(label, updates, 'updates')
  bar.skip(minibatches.progress.update)
  for (let update = minibatches.progress.update; update < updates; update++) {
    using _update = tensorScope()
    const batch = minibatches.next()
    const { stream } = minibatches
    const terms = [
      ...(batch.labels.length > 0 ? labelTerms(head, embedded, batch.labels, shown, fit, stream) : []),
      ...(batch.comparisons.length > 0
        ? comparisonTerms(head, logNu, embedded, batch.comparisons, shown, fit, stream, labels.length === 0)
        : []),
    ]
    const loss = terms.reduce((sum, term) => sum.add(term))
    loss.backward()
    const rate = 1 - update / updates
    const learningRates = [fit.learningRate * rate, tieRate * fit.learningRate * rate].slice(0, optimisers.length)
    try {
      applyGradients(optimisers, parameters, { maxGradNorm: 1, learningRates })
    } catch (error) {
      throw asDivergedFit(error, `${label}, update ${update + 1} of ${updates}`, fit)
    }
    if (warn !== undefined && (update + 1) % minibatches.count === 0) {
      const where = `${label}, update ${update + 1} of ${updates}`
      const spread = spreadOf(head, embedded, { labels, comparisons })
      const warning = spread && expectDifferences(where, spread, decayedShare(fit, update + 1, updates))
      const isFirst = update + 1 >= updates / 4 && update + 1 - minibatches.count < updates / 4
      if (warning !== undefined && isFirst) warn(warning)
    }
    bar.advance(1, update % 20 === 0 ? `loss ${loss.item().toFixed(4)}` : undefined)
    const isEnding = checkpoint !== undefined && update + 1 < updates && isEndAsked(alone)
    if (isEnding || performance.now() - keptAt > checkpointEveryMs) keep()
    if (isEnding) throw stopped(label, `SIGTERM after update ${update + 1} of ${updates}`)
  }
  keep()
  bar.done()
  for (const parameter of parameters.values()) parameter.requireGrad(false)
  return { head, nu: comparisons.length === 0 ? null : Math.exp(logNu.item()) }
}

/**
 * What a fit learns from: comparisons unless they weigh nothing, and labels where there are some of both classes.
 * @throws {RewardError} neither tells images apart
 */
export function trainingExamples({ labels, ...examples }: RewardExamples, fit: RewardFit): RewardExamples {
  const comparisons = fit.comparisonWeight > 0 ? examples.comparisons : []
  expectTellsApart({ labels, comparisons })
  return { labels: hasBothClasses(labels) ? labels : [], comparisons }
}

/** What decay alone leaves of a weight after some of the updates. */
function decayedShare({ learningRate, weightDecay }: RewardFit, done: number, updates: number): number {
  const left = (update: number) => Math.abs(1 - learningRate * (1 - update / updates) * weightDecay)
  return Array.from({ length: done }, (_, update) => left(update)).reduce((share, one) => share * one, 1)
}

/** @param where names the update */
function asDivergedFit(error: unknown, where: string, fit: RewardFit): unknown {
  if (!(error instanceof DivergenceError)) return error
  return new DivergenceError({
    where: `${where}: ${error.where}`,
    expected: error.expected,
    received: error.received,
    remedy: `train again with ${lowerFitRates(fit)}`,
    cause: error,
  })
}

/** Flags with which a fit that diverged may go well. */
export function lowerFitRates({ learningRate, weightDecay }: RewardFit): string {
  const usual = (field: 'learningRate' | 'weightDecay') => rewardFitFields[field].parse(undefined)
  const rate = `--learning-rate ${loweredRate(learningRate, usual('learningRate'))}`
  return learningRate * weightDecay < 1 ? rate : `${rate} --weight-decay ${usual('weightDecay')}`
}

/** Where ν starts: the ties that there are, if all images were equal: ν/(2 + ν). One half of a tie more keeps it above 0. */
export function likelyNu(comparisons: readonly Pick<Comparison, 'isTie'>[]): number {
  const ties = comparisons.filter(({ isTie }) => isTie).length
  const share = (ties + 0.5) / (comparisons.length + 1)
  return (2 * share) / (1 - share)
}

function labelTerms(
  head: RewardHead,
  embedded: Embedded,
  batch: readonly Label[],
  shown: ShownTexts,
  fit: RewardFit,
  stream: Random,
): Tensor[] {
  const own = batch.map(({ text }) => stream.pick(shown.wordings.get(text)!))
  const rewards = headScore(head, imageRows(embedded, batch.map(({ image }) => image)), textRows(embedded, own)) // prettier-ignore
  const error = squaredError(rewards, tensor(batch.map(({ good }) => (good ? 1 : 0))))
  if (fit.classificationWeight === 0) return [error]
  const choices = choicesOf(batch, own, shown, fit.distractors, stream)
  const count = choices.reduce((sum, group) => sum + group.length, 0)
  const terms = choices.map((group) => {
    const columns = group[0].texts.length
    const repeated = group.flatMap(({ image }) => new Array<number>(columns).fill(image))
    const texts = group.flatMap((choice) => choice.texts)
    const among = headScore(head, imageRows(embedded, repeated), textRows(embedded, texts))
    const classification = promptClassification(among.reshape(group.length, columns), fit.temperature)
    return classification.mul(fit.classificationWeight * (group.length / count))
  })
  return [error, ...terms]
}

/** Among which texts the head has to find that of a good image. */
interface Choice {
  readonly image: number
  /** The true prompt first. */
  readonly texts: readonly string[]
}

/** The good images of a batch whose prompts have distractors, in groups of as many texts. */
function choicesOf(
  batch: readonly Label[],
  own: readonly string[],
  shown: ShownTexts,
  most: number,
  stream: Random,
): Choice[][] {
  const groups = new Map<number, Choice[]>()
  batch.forEach(({ image, good, text }, place) => {
    if (!good || shown.distractors.get(text)!.length === 0) return
    const texts = [own[place], ...drawDistractors(shown, text, most, stream)]
    groups.set(texts.length, [...(groups.get(texts.length) ?? []), { image, texts }])
  })
  return [...groups.values()]
}

function comparisonTerms(
  head: RewardHead,
  logNu: Tensor,
  embedded: Embedded,
  batch: readonly Comparison[],
  shown: ShownTexts,
  fit: RewardFit,
  stream: Random,
  isCentred: boolean,
): Tensor[] {
  const own = batch.map(({ text }) => stream.pick(shown.wordings.get(text)!))
  const images = [...batch.map(({ better }) => better), ...batch.map(({ worse }) => worse)]
  const logits = headLogit(head, imageRows(embedded, images), textRows(embedded, [...own, ...own]))
  const n = batch.length
  const loss = davidsonLoss(
    davidsonLogits(logits.slice(0, 0, n), logits.slice(0, n, 2 * n), logNu),
    batch.map(({ isTie }) => (isTie ? 'tie' : 'first')),
    batch.map(({ weight }) => weight),
  ).mul(fit.comparisonWeight)
  return isCentred ? [loss, logits.mean().square().mul(centreWeight)] : [loss]
}
