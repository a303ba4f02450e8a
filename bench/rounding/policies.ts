/**
 * What rounding does to what is trained, measured on a CPU: `node_modules/.bin/node bench/rounding/policies.ts [--of ratio,gradient,scores]
 * [--models embedded,sd1]`. TF32 is made by rounding the factors of every product (on the way forward, and those that are kept for
 * the way back); bf16 is that of the processor.
 *
 * - `ratio`: DPOK's `noise_nats` in the first iteration, and its KL after three of small steps.
 * - `gradient`: of one update of reward-weighted training, how far it is from that in float32, beside how far that of another
 *   batch is.
 * - `scores`: cosines of the embedded CLIP, beside how they differ among images of one prompt.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { samplerOf } from '../../src/images/draw.ts'
import { policyOf, type GenerativeModel } from '../../src/networks/generative-model.ts'
import { imageEmbedding, textEmbedding } from '../../src/networks/embedded/clip.ts'
import { openStableDiffusion } from '../../src/networks/stable-diffusion/open.ts'
import { Weights } from '../../src/networks/weights.ts'
import { Dpok, DpokSettings } from '../../src/policy/algorithms/dpok.ts'
import { RewardWeighted, RewardWeightedSettings } from '../../src/policy/algorithms/reward-weighted.ts'
import { trainableChange } from '../../src/policy/trainable.ts'
import { rollOut } from '../../src/policy/rollout.ts'
import type { Reward } from '../../src/reward/reward.ts'
import { textSize, tokenRows } from '../../src/shapes/model.ts'
import { openShapes } from '../../src/shapes/open.ts'
import { noGrad } from '../../src/tensor/autograd.ts'
import { randn } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { readSafetensors } from '../../src/tensor/safetensors.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import { roundFactors, tf32Bits } from './round-factors.ts'

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: 'ratio,gradient,scores' },
    models: { type: 'string', default: 'embedded,sd1' },
  },
})
const models = values.models.split(',')
roundFactors(undefined)
useThreads(1)
using _scope = tensorScope()

interface Precision {
  readonly name: string
  readonly dtype: Dtype
  readonly bits?: number
}
const exact: Precision = { name: 'float32', dtype: 'float32' }
const precisions: readonly Precision[] = [
  exact,
  { name: 'TF32', dtype: 'float32', bits: tf32Bits },
  { name: 'bf16', dtype: 'bfloat16' },
]

/** How bright an image is, between 0 and 1. */
const brightness: Reward = {
  name: 'brightness',
  sha256: '',
  range: [0, 1],
  score: (pixels) => pixels.flatten(1).mean(1).add(1).div(2),
  embedImages: (pixels) => pixels.flatten(1),
  features: (pixels) => pixels.flatten(2).mean(2),
}

const world = openShapes()
const clip = Weights.of(
  readSafetensors(fileURLToPath(new URL('../../weights/clip.safetensors', import.meta.url))).tensors,
)
const checkpoint = fileURLToPath(new URL('../../test/fixtures/stable-diffusion/sd1', import.meta.url))

function open(name: string, dtype: Dtype): GenerativeModel {
  if (name !== 'embedded')
    return openStableDiffusion(checkpoint, { device: 'cpu', dtype, imageSize: null, tiling: false }).model
  return dtype === 'float32' ? world.model : world.model.in(dtype)
}

const texts = ['red circles', 'two rings', 'a blue background with one cross', 'three green triangles']
const trainable = (model: GenerativeModel) =>
  trainableChange(model, { parameters: null, rank: 8, loraAlpha: 8, loraLayers: ['attention'] }, 1)
const significant = (number: number) => Number(number.toPrecision(2))

/** A policy gradient whose training pass is in this precision. */
function ratio(name: string, { dtype, bits }: Precision): string {
  using _scope = tensorScope()
  const model = open(name, dtype)
  const own = model.in.bind(model)
  Object.defineProperty(model, 'in', {
    configurable: true,
    value: (asked: Dtype) => (asked === 'float32' ? model : own(asked)),
  })
  const { steps, eta, guidance } = policyOf(model).sampling
  const long = name === 'embedded' ? steps : 50
  roundFactors(bits)
  const algorithm = new Dpok({
    model,
    trainable: trainable(model),
    reward: brightness,
    texts,
    sampler: samplerOf(model, { steps: long, eta, guidance }),
    guidance,
    seed: 4,
    settings: DpokSettings.parse({
      imagesDrawn: 48,
      rolloutsPerIteration: 16,
      transitionsPerRollout: 4,
      batchSize: 16,
      value: false,
      learningRate: 3e-4,
      ignoreRounding: true,
    }),
  })
  const rows = [1, 2, 3].map(() => algorithm.step())
  roundFactors(undefined)
  const [first] = rows
  return `${significant(first.noise_nats)} | ${significant(first.first_delta)} | ${significant(rows[2].kl)}`
}

/** The gradient of one update, all parameters after each other. */
function gradientOf(name: string, { dtype, bits }: Precision, seed = 3): Float64Array {
  using _scope = tensorScope()
  const model = open(name, dtype)
  const { stateShape } = policyOf(model)
  const count = 32
  const drawn = Array.from({ length: count }, (_, i) => ({ text: texts[i % texts.length], score: (i % 5) / 4 }))
  const ofShapes = name === 'embedded' ? world.pretraining(0, count) : undefined
  const x0 = ofShapes?.x0 ?? randn([count, ...stateShape], new Generator(1))
  const change = trainable(model)
  // Of adapters that begin with nothing half have no gradient.
  for (const [key, tensor] of change.parameters) {
    if (!key.endsWith('.lora.up')) continue
    using _off = noGrad()
    tensor.add_(randn(tensor.shape, new Generator(5)).mul(0.01))
  }
  roundFactors(bits)
  const algorithm = new RewardWeighted({
    model,
    trainable: change,
    images: drawn,
    reward: brightness,
    states: { x0, earlier: [] },
    pretraining: () => ({ x0, earlier: [], captions: drawn.map(({ text }) => text) }),
    ...{ seed, sampler: samplerOf(model, policyOf(model).sampling), guidance: 1 },
    settings: RewardWeightedSettings.parse({ updates: 10, batchSize: count, pretrainingWeight: 0, maxGradNorm: 1e9 }),
  })
  losses.push(algorithm.step().train_loss)
  roundFactors(undefined)
  // After one update AdamW's first moment is a tenth of the gradient.
  const moments = [...algorithm.state().tensors].filter(([key]) => key.startsWith('optimiser.exp_avg.'))
  return Float64Array.from(moments.flatMap(([, moment]) => moment.toArray()))
}
const losses: number[] = []

function apart(a: Float64Array, b: Float64Array): number {
  const norm = (of: (i: number) => number) => Math.sqrt(a.reduce((sum, _, i) => sum + of(i) ** 2, 0))
  return norm((i) => a[i] - b[i]) / norm((i) => b[i])
}

/** Cosines of images drawn for each prompt, [prompt][image]. */
function cosines({ dtype, bits }: Omit<Precision, 'name'>): number[][] {
  using _scope = tensorScope()
  using _off = noGrad()
  const { model } = world
  const sampler = samplerOf(model, policyOf(model).sampling)
  const each = 16
  const all = texts.flatMap((text) => new Array<string>(each).fill(text))
  const { states } = rollOut(model, brightness, all, (i) => [9, i], { sampler, guidance: 1, batchSize: 64 })
  roundFactors(bits)
  const weights = clip.in(dtype)
  const images = imageEmbedding(weights, model.decode([states[states.length - 1]]).to(dtype)).to('float32')
  const prompts = textEmbedding(weights, tokenRows(texts), textSize).to('float32')
  roundFactors(undefined)
  return texts.map((_, row) =>
    images
      .slice(0, row * each, (row + 1) * each)
      .matmul(prompts.select(0, row).unsqueeze(1))
      .toArray(),
  )
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
const rms = (numbers: readonly number[]) => Math.sqrt(mean(numbers.map((one) => one ** 2)))

if (values.of.includes('ratio')) {
  console.log('| model | training pass | noise_nats | first_delta | KL after three iterations |\n|---|---|---|---|---|')
  for (const name of models)
    for (const precision of precisions) console.log(`| ${name} | ${precision.name} | ${ratio(name, precision)} |`)
}
if (values.of.includes('gradient')) {
  console.log(
    '\n| model | computed in | gradient apart | loss apart | gradient of another batch |\n|---|---|---|---|---|',
  )
  for (const name of models) {
    const own = gradientOf(name, exact)
    const loss = losses.at(-1)!
    const other = significant(apart(gradientOf(name, exact, 4), own))
    for (const precision of precisions.slice(1)) {
      const gradient = significant(apart(gradientOf(name, precision), own))
      const off = significant(Math.abs(losses.at(-1)! / loss - 1))
      console.log(`| ${name} | ${precision.name} | ${gradient} | ${off} | ${other} |`)
    }
  }
}
if (values.of.includes('scores')) {
  const own = cosines(exact)
  const spread = rms(own.flatMap((row) => row.map((one) => one - mean(row))))
  console.log(
    '\n| encoder | computed in | cosine off by | of the spread within a prompt | pairs in another order |\n|---|---|---|---|---|',
  )
  for (const { name, ...precision } of precisions.slice(1)) {
    const found = cosines(precision)
    const off = rms(own.flatMap((row, i) => row.map((one, j) => found[i][j] - one)))
    let [turned, pairs] = [0, 0]
    for (const [i, row] of own.entries())
      for (let a = 0; a < row.length; a++)
        for (let b = 0; b < a; b++) {
          pairs++
          if (Math.sign(row[a] - row[b]) !== Math.sign(found[i][a] - found[i][b])) turned++
        }
    console.log(`| embedded | ${name} | ${significant(off)} | ${significant(off / spread)} | ${turned} of ${pairs} |`)
  }
}
