/**
 * Makes the weights that come with Attune: the embedded generator, its CLIP-like encoder, and the network in whose
 * features fidelity is measured. All three see the same noisy web-like data and nothing of any feedback.
 *
 * Each part is a function of its seed: bit for bit on one machine with one thread.
 */
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { pixelsOf } from '../images/png.ts'
import { imageEmbedding, textEmbedding } from '../networks/embedded/clip.ts'
import { policyOf } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { progress } from '../progress.ts'
import { random, seedOf } from '../random.ts'
import { shapesStreams } from '../streams.ts'
import { AdamW } from '../tensor/adamw.ts'
import { arange, randn, tensor } from '../tensor/create.ts'
import { Ema } from '../tensor/ema.ts'
import { crossEntropy } from '../tensor/functional.ts'
import { Generator } from '../tensor/generator.ts'
import { Muon } from '../tensor/muon.ts'
import { applyGradients } from '../tensor/optimise.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { shapesModel, shapesProcess, textSize, tokenRows } from './model.ts'
import { featureWidth, fidelityFeatures } from './fidelity-features.ts'
import { drawBatch, type PretrainingBatch } from './pretraining-data.ts'
import { sceneAttributes } from './scene.ts'
import { objectNames, shapesVocabulary } from './vocabulary.ts'

export interface PretrainOptions {
  readonly seed: number
  readonly steps: number
  readonly batchSize: number
  /** Called with the averaged weights now and then, so that a long training can be looked at. */
  readonly onSample?: (step: number, weights: ReadonlyMap<string, Tensor>) => void
  readonly sampleEvery?: number
}

/** Prompts that are left out of training, so that the model also learns to draw without one (guidance). */
const captionDropout = 0.1
const emaDecay = 0.999
/** Standard deviation of the pixel noise that image encoders learn to look through. */
const imageNoise = 0.05

/** One training loop for all three networks: Muon for inner matrices, AdamW for the rest, linear warm-up and decay. */
function train(
  label: string,
  weights: Weights,
  options: PretrainOptions,
  learningRates: { muon: number; adam: number },
  lossOf: (batch: PretrainingBatch, step: number) => Tensor,
): ReadonlyMap<string, Tensor> {
  const { steps, batchSize, seed } = options
  const batchAt = (step: number) =>
    drawBatch(shapesStreams.pretrainingScene, (seed * steps + step) * batchSize, batchSize)
  {
    using scope = tensorScope()
    lossOf(batchAt(0), 0) // declares the parameters
    for (const parameter of weights.tensors().values()) scope.keep(parameter)
  }
  const parameters = weights.tensors()
  const matrices = new Map<string, Tensor>()
  const others = new Map<string, Tensor>()
  for (const [name, parameter] of parameters) {
    const inner = parameter.shape.length >= 2 && !/(^|\.)(token|position|in\.weight|out\.weight)$/.test(name)
    ;(inner ? matrices : others).set(name, parameter.requireGrad())
  }
  const optimisers = [
    new Muon(matrices, { learningRate: learningRates.muon, weightDecay: 0.01 }),
    new AdamW(others, { learningRate: learningRates.adam, betas: [0.9, 0.99] }),
  ]
  const average = new Ema(parameters, emaDecay)
  const bar = progress(label, steps, 'steps')
  let smoothed = 0
  for (let step = 0; step < steps; step++) {
    using _scope = tensorScope()
    const loss = lossOf(batchAt(step), step)
    loss.backward()
    const rate = Math.min(1, (step + 1) / 100, (1.02 - step / steps) / 0.6)
    applyGradients(optimisers, parameters, {
      maxGradNorm: 5,
      learningRates: [learningRates.muon * rate, learningRates.adam * rate],
    })
    average.update()
    smoothed = step === 0 ? loss.item() : 0.98 * smoothed + 0.02 * loss.item()
    bar.advance(1, `loss ${smoothed.toFixed(4)}`)
    if (options.onSample !== undefined && (step + 1) % (options.sampleEvery ?? 500) === 0) {
      options.onSample(step + 1, average.values())
    }
  }
  bar.done(`loss ${smoothed.toFixed(4)}`)
  return average.values()
}

/** The generator: denoising loss with x0-prediction over uniform steps. */
export function pretrainGenerator(options: PretrainOptions): ReadonlyMap<string, Tensor> {
  const weights = Weights.fresh(seedOf(...shapesStreams.generatorWeights(options.seed)))
  const model = shapesModel(weights, '')
  return train('pretrain generator', weights, options, { muon: 0.02, adam: 2e-3 }, (batch, step) => {
    const generator = new Generator(seedOf(...shapesStreams.generatorNoise(options.seed, step)))
    const dropped = random(...shapesStreams.droppedCaptions(options.seed, step))
    const x0 = pixelsOf(batch.pictures)
    const t = shapesProcess.drawTimes(x0.shape[0], generator)
    const epsilon = randn(x0.shape, generator)
    const captions = batch.captions.map((caption) => (dropped.uniform() < captionDropout ? '' : caption))
    const prediction = policyOf(model).predict(shapesProcess.noised(x0, epsilon, t), t, model.encodeText(captions))
    return denoisingLoss(shapesProcess, { prediction, x0, epsilon, t }).mean()
  })
}

/** The CLIP-like encoder: symmetric contrastive loss within the batch (Radford et al. 2021). */
export function pretrainClip(options: PretrainOptions): ReadonlyMap<string, Tensor> {
  const weights = Weights.fresh(seedOf(...shapesStreams.clipWeights(options.seed)))
  return train('pretrain clip', weights, options, { muon: 0.01, adam: 1e-3 }, (batch, step) => {
    const pixels = pixelsOf(batch.pictures)
    const noise = randn(pixels.shape, new Generator(seedOf(...shapesStreams.clipNoise(options.seed, step)))).mul(
      imageNoise,
    )
    const images = imageEmbedding(weights, pixels.add(noise))
    const texts = textEmbedding(weights, tokenRows(batch.captions), textSize)
    const scale = weights.parameter('logitScale', [1], 'ones').mul(Math.log(10)).exp()
    const logits = images.matmul(texts.transpose(0, 1)).mul(scale)
    const own = arange(0, batch.captions.length)
    return crossEntropy(logits, own)
      .add(crossEntropy(logits.transpose(0, 1), own))
      .mean()
      .mul(0.5)
  })
}

/** The fidelity network: reads the true attributes off clean and slightly noisy renders. */
export function pretrainFeatures(options: PretrainOptions): ReadonlyMap<string, Tensor> {
  const weights = Weights.fresh(seedOf(...shapesStreams.featureWeights(options.seed)))
  const heads: [name: string, classes: readonly (string | number)[]][] = [
    ['object', objectNames],
    ['color', shapesVocabulary.colors],
    ['count', [1, 2, 3, 4]],
    ['background', shapesVocabulary.backgrounds],
  ]
  return train('pretrain features', weights, options, { muon: 0.01, adam: 1e-3 }, (batch, step) => {
    const generator = new Generator(seedOf(...shapesStreams.featureNoise(options.seed, step)))
    const pixels = pixelsOf(batch.pictures)
    const noise = randn(pixels.shape, generator).mul(imageNoise)
    const features = fidelityFeatures(weights, pixels.add(noise))
    const truth = batch.scenes.map((scene) => sceneAttributes(scene) as unknown as Record<string, string | number>)
    return heads
      .map(([name, classes]) => {
        const logits = weights.linear(`head.${name}`, features, featureWidth, classes.length)
        const index = truth.map((attributes) => classes.indexOf(attributes[name]))
        return crossEntropy(logits, tensor(index, [index.length], 'int64')).mean()
      })
      .reduce((sum, loss) => sum.add(loss))
  })
}
