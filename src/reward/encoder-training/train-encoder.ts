/**
 * PickScore as a training (Kirstain et al. 2023, arXiv:2305.01569, §3): CLIP itself learns from pairs of images of one prompt.
 *
 *   s(x, y) = exp(logit scale) · E_txt(x) · E_img(y),   p̂ = softmax(s(x, better), s(x, worse)),   L = E[KL(p ‖ p̂)]
 *
 * with p = (1, 0), or (½, ½) of a tie. AdamW, a linear warm-up and a linear decay.
 *
 * Departures from the paper and options beside it:
 * 1. Low-rank adapters of both towers may be trained instead of all weights.
 * 2. A pair counts by its weight: one of a ranking, of ratings or of labels less than one that was asked for. The published
 *    code weighs a pair by how often its prompt was judged.
 * 3. The prompts of some pairs are held out of the training: the weights of the look at which the loss on their pairs is
 *    lowest are taken, the encoder as it was among them, and the training ends when that lies three looks back. (The paper
 *    chooses by the accuracy on a validation set.)
 * 4. Prompts that a vocabulary can parse are shown in all wordings, as heads see them.
 * 5. No weight decay, and gradients are clipped to a norm of 1.
 */
import { z } from 'zod'
import { flagName } from '../../config.ts'
import { Disposables } from '../../disposables.ts'
import { DivergenceError } from '../../errors.ts'
import type { Picture } from '../../images/png.ts'
import type { EncoderTuning } from '../../networks/image-text-encoder.ts'
import { progress } from '../../progress.ts'
import { random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import { AdamW } from '../../tensor/adamw.ts'
import { noGrad, withoutGrad } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { gatherValues, shareOf, type Group } from '../../tensor/group.ts'
import { applyGradients, copyState, loweredRate } from '../../tensor/optimise.ts'
import { holdEnd, isEndAsked, stopped } from '../../tensor/orderly-end.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { numbersOf, under } from '../../tensor/training-state.ts'
import type { Comparison } from '../examples/reward-examples.ts'
import type { ShownTexts } from '../examples/shown-texts.ts'
import type { FitCheckpoint } from '../training/fit-checkpoint.ts'
import type { EncoderTrainingSettings } from './fields.ts'
import { preferenceKl } from './pair-loss.ts'
import { Pictures } from './pictures.ts'
import type { PairSplit } from './split-pairs.ts'
import { logScaleName, pairScores, trainedEncoder, type ShownPair, type TrainedEncoder } from './trained-encoder.ts'

export interface EncoderTrainingOptions {
  readonly tuning: EncoderTuning
  readonly pairs: PairSplit
  /** Of the prompts of all pairs. */
  readonly wordings: ShownTexts['wordings']
  /** An image by its place. */
  readonly read: (image: number) => Promise<Picture>
  readonly settings: EncoderTrainingSettings
  readonly seed: number
  /** Written by the first process: after each look, when the end is asked for, and every half minute. */
  readonly checkpoint: FitCheckpoint
  readonly group: Group
}

/** The encoder on pairs that it does not learn from. */
interface Look {
  readonly update: number
  /** Mean KL, nats; that of an even guess is log 2 for pairs that are no ties. */
  readonly loss: number
  /** Share of the pairs that are no ties in which the better image scores higher. */
  readonly pairAccuracy: number
}

/** Its tensors go with it. */
export interface TrainedToEnd extends TrainedEncoder, Disposable {
  readonly facts: EncoderFacts
}

/** What a reader of the run has to know of the training. */
export interface EncoderFacts {
  readonly trained: EncoderTrainingSettings['trainEncoder']
  readonly parameters: number
  readonly learningRate: number
  readonly batchSize: number
  readonly pairs: number
  readonly ties: number
  /** Updates that were made, and after which of them its weights were taken. */
  readonly updates: number
  readonly updateTaken: number
  /** exp of the log scale, before and after. */
  readonly logitScale: readonly [before: number, after: number]
  readonly validationPairs: number
  readonly looks: readonly Look[]
}

const checkpointEveryMs = 30_000
const mostWarmUp = 500
/** Updates between looks, where an epoch is longer. */
const lookEvery = 100
/** Looks without a lower loss. */
const patience = 3

const Numbers = z.object({
  update: z.int().nonnegative(),
  looks: z.array(z.object({ update: z.int(), loss: z.number(), pairAccuracy: z.number() })),
})

/**
 * @throws {DivergenceError} names the update
 * @throws {StoppedError} a process of the group was asked to end; the checkpoint has all that was done
 */
export async function trainEncoder(options: EncoderTrainingOptions): Promise<TrainedToEnd> {
  const { tuning, pairs, wordings, settings, seed, checkpoint, group } = options
  const label = 'encoder'
  using kept = new Disposables()
  const trained = unscoped(() => trainedEncoder(tuning, settings, seed))
  const { parameters } = trained
  for (const one of parameters.values()) kept.use(one)
  const learningRate = settings.encoderLearningRate ?? tuning.usual.learningRates[settings.trainEncoder]
  const batchSize = settings.encoderBatchSize ?? tuning.usual.batchSize
  const perEpoch = Math.ceil(pairs.training.length / batchSize)
  const updates = settings.encoderEpochs * perEpoch
  using scratch = new Disposables()
  const adamw = unscoped(() => new AdamW(parameters, { learningRate }))
  const best = new Map([...parameters].map(([name, one]) => [name, unscoped(() => withoutGrad(() => one.clone()))]))
  for (const one of [...adamw.state().values(), ...best.values()]) scratch.use(one)
  const living = new Map([
    ...under('parameters', parameters),
    ...under('optimiser', adamw.state()),
    ...under('best', best),
  ])
  const pictures = new Pictures(options.read)
  let { update, looks } = readState(label, living, checkpoint, group)
  let keptAt = performance.now()
  const keep = () => {
    if (group.rank === 0) checkpoint.write(update, { tensors: living, numbers: { update, looks } })
    keptAt = performance.now()
  }
  const lookAgain = async () => {
    if (pairs.validation.length === 0) return
    const before = bestOf(looks)
    looks = [...looks, { update, ...(await validate(trained, pairs.validation, pictures, settings, batchSize, group)) }]
    if (bestOf(looks) !== before) copyInto(best, parameters)
  }
  const isOver = () => update === updates || looks.length - 1 - looks.indexOf(bestOf(looks)!) >= patience
  if (looks.length === 0) await lookAgain()
  using _end = holdEnd()
  const bar = progress(label, updates, 'updates')
  bar.skip(update)
  let epoch: { readonly number: number; readonly pairs: readonly ShownPair[] } | undefined
  while (!isOver()) {
    const [number, place] = [Math.floor(update / perEpoch), update % perEpoch]
    if (epoch?.number !== number) {
      epoch = { number, pairs: pairsOfEpoch(pairs.training, wordings, seed, number) }
    }
    const batch = epoch.pairs.slice(...boundsOf(pairs.training.length, perEpoch, place))
    const loss = await accumulate(trained, batch, pictures, settings, group)
    const where = `${label}, update ${update + 1} of ${updates}`
    try {
      const rate = learningRate * shareOfRate(update, updates)
      applyGradients([adamw], parameters, { maxGradNorm: 1, learningRates: [rate], group })
    } catch (error) {
      throw asDiverged(error, where, learningRate, tuning.usual.learningRates[settings.trainEncoder])
    }
    update++
    const isLook = update === updates || update % Math.min(perEpoch, lookEvery) === 0
    if (isLook) await lookAgain()
    const last = looks.at(-1)
    const seen = last && ` held out ${last.loss.toFixed(4)}, ${(100 * last.pairAccuracy).toFixed(1)} % right`
    bar.advance(1, `loss ${loss.toFixed(4)}${seen ?? ''}`)
    const isEnding = !isOver() && isEndAsked(group)
    if (isLook || isEnding || performance.now() - keptAt > checkpointEveryMs) keep()
    if (isEnding) {
      group.barrier()
      throw stopped(label, `SIGTERM after update ${update} of ${updates}`)
    }
  }
  bar.done()
  const taken = bestOf(looks)
  if (taken !== undefined) copyInto(parameters, best)
  for (const one of parameters.values()) one.requireGrad(false)
  const own = kept.move()
  return {
    ...trained,
    [Symbol.dispose]: () => own[Symbol.dispose](),
    facts: {
      trained: settings.trainEncoder,
      parameters: [...parameters.values()].reduce((sum, { numel }) => sum + numel, 0),
      ...{ learningRate, batchSize },
      pairs: pairs.training.length,
      ties: pairs.training.filter(({ isTie }) => isTie).length,
      updates: update,
      updateTaken: taken?.update ?? update,
      logitScale: [tuning.logitScale.value, Math.exp(parameters.get(logScaleName)!.item())],
      validationPairs: pairs.validation.length,
      looks,
    },
  }
}

/** That with the lowest loss, of equal ones the first. */
const bestOf = (looks: readonly Look[]): Look | undefined =>
  looks.reduce<Look | undefined>((best, look) => (best === undefined || look.loss < best.loss ? look : best), undefined)

/** The first process reads, and all have what it has read. */
function readState(
  label: string,
  living: ReadonlyMap<string, Tensor>,
  checkpoint: FitCheckpoint,
  group: Group,
): z.infer<typeof Numbers> {
  using _scope = tensorScope()
  const saved = group.rank === 0 ? checkpoint.read() : undefined
  if (saved !== undefined) copyState(label, living, saved.tensors)
  const [numbers] = gatherValues(group, saved === undefined ? null : numbersOf(label, Numbers, saved))
  if (numbers === null) return { update: 0, looks: [] }
  using _noGrad = noGrad()
  group.broadcast([...living.values()])
  return numbers
}

function copyInto(to: ReadonlyMap<string, Tensor>, from: ReadonlyMap<string, Tensor>): void {
  using _noGrad = noGrad()
  for (const [name, one] of to) one.copy_(from.get(name)!.detach())
}

/** In the order of the epoch, each with one of the wordings of its prompt. */
function pairsOfEpoch(
  pairs: readonly Comparison[],
  wordings: ShownTexts['wordings'],
  seed: number,
  epoch: number,
): ShownPair[] {
  const stream = random(...rewardStreams.encoderPairs(seed, epoch))
  return stream.shuffle(pairs).map((pair) => ({ ...pair, shown: stream.pick(wordings.get(pair.text) ?? [pair.text]) }))
}

/** Of a part of things that are divided evenly. */
const boundsOf = (count: number, parts: number, place: number): [from: number, to: number] => [
  Math.round((place * count) / parts),
  Math.round(((place + 1) * count) / parts),
]

/** Linear warm-up over a tenth of the updates, and over 500 at the most; then linear decay to zero. */
export function shareOfRate(update: number, updates: number): number {
  const warmUp = Math.min(mostWarmUp, Math.ceil(updates / 10))
  return update < warmUp ? (update + 1) / warmUp : (updates - update) / Math.max(1, updates - warmUp)
}

/** Adds the gradient of the mean loss of a batch, of which each process computes its share. @returns the loss, of all */
async function accumulate(
  trained: TrainedEncoder,
  batch: readonly ShownPair[],
  pictures: Pictures,
  settings: EncoderTrainingSettings,
  group: Group,
): Promise<number> {
  const { gradientCheckpointing, gradientAccumulationSteps } = settings
  const total = batch.reduce((sum, { weight }) => sum + weight, 0)
  const { from, to } = shareOf(group, batch.length)
  const size = Math.max(1, Math.ceil((to - from) / (gradientAccumulationSteps ?? 1)))
  let sum = 0
  for (let begin = from; begin < to; begin += size) {
    const part = batch.slice(begin, Math.min(to, begin + size))
    const pictureOf = await pictures.of(part.flatMap(({ better, worse }) => [better, worse]))
    using _scope = tensorScope()
    using graph = gradientCheckpoints(gradientCheckpointing)
    const loss = lossOf(trained, part, total, pictureOf)
    graph.backward(loss)
    sum += loss.item()
  }
  return group.sumNumbers([sum])[0]
}

/** Σ weight · KL / total of some pairs, a scalar. */
export function lossOf(
  trained: TrainedEncoder,
  pairs: readonly ShownPair[],
  total: number,
  pictureOf: (image: number) => Picture,
): Tensor {
  const { better, worse } = pairScores(trained, pairs, pictureOf)
  const losses = preferenceKl(better, worse, pairs.map(({ isTie }) => isTie)) // prettier-ignore
  return losses.mul(tensor(pairs.map(({ weight }) => weight / total)).to(losses.device)).sum()
}

async function validate(
  trained: TrainedEncoder,
  pairs: readonly Comparison[],
  pictures: Pictures,
  settings: EncoderTrainingSettings,
  batchSize: number,
  group: Group,
): Promise<Omit<Look, 'update'>> {
  const size = Math.max(1, Math.ceil(batchSize / group.size / (settings.gradientAccumulationSteps ?? 1)))
  const { from, to } = shareOf(group, pairs.length)
  const sums = [0, 0]
  const weightOf = (some: readonly Comparison[]) => some.reduce((sum, { weight }) => sum + weight, 0)
  for (let begin = from; begin < to; begin += size) {
    const part = pairs.slice(begin, Math.min(to, begin + size)).map((pair) => ({ ...pair, shown: pair.text }))
    const pictureOf = await pictures.of(part.flatMap(({ better, worse }) => [better, worse]))
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const { better, worse } = pairScores(trained, part, pictureOf)
    const isTie = part.map((pair) => pair.isTie)
    const [losses, ahead] = [preferenceKl(better, worse, isTie), better.sub(worse)].map((of) => of.toArray())
    part.forEach(({ weight }, i) => {
      sums[0] += weight * losses[i]
      if (!isTie[i]) sums[1] += weight * (ahead[i] > 0 ? 1 : ahead[i] === 0 ? 0.5 : 0)
    })
  }
  const [loss, right] = group.sumNumbers(sums)
  return { loss: loss / weightOf(pairs), pairAccuracy: right / weightOf(pairs.filter(({ isTie }) => !isTie)) }
}

function asDiverged(error: unknown, where: string, rate: number, usual: number): unknown {
  if (!(error instanceof DivergenceError)) return error
  return new DivergenceError({
    where: `${where}: ${error.where}`,
    expected: error.expected,
    received: error.received,
    remedy: `train again with ${flagName('encoderLearningRate')} ${loweredRate(rate, usual)}`,
    cause: error,
  })
}
