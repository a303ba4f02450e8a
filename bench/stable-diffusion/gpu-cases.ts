/** Attune's side of gpu.ts: measures one case after the other, and prints each as a line of JSON as soon as it is known. */
import { samplerOf, drawStages, decodeStages } from '../../src/images/draw.ts'
import { imageOrderOn, inOrder } from '../../src/networks/image-order.ts'
import { policyOf } from '../../src/networks/generative-model.ts'
import { unet } from '../../src/networks/stable-diffusion/unet.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import { Weights } from '../../src/networks/weights.ts'
import { Dpok, DpokSettings } from '../../src/policy/algorithms/dpok.ts'
import { trainableChange } from '../../src/policy/trainable.ts'
import { AdamW } from '../../src/tensor/adamw.ts'
import { noGrad, withoutGrad } from '../../src/tensor/autograd.ts'
import { full, randn } from '../../src/tensor/create.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { gradientCheckpoints } from '../../src/tensor/gradient-checkpoints.ts'
import { native, useTf32 } from '../../src/tensor/library.ts'
import { applyGradients } from '../../src/tensor/optimise.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { products, type Figure, type GpuSetup } from './gpu-setup.ts'
import { brightness, configsOf, randomClip, randomModel } from './model.ts'

const setup = JSON.parse(process.argv[2]) as GpuSetup
const { device, dtype, batches, steps, transitions, rollouts, tiny, rounds } = setup
useTf32(false)
using _all = tensorScope()
const configs = configsOf(tiny)
const model = randomModel(setup)
const features = randomClip({ ...setup, dtype: 'float32' })
const source = new Generator(0)
const noise = (...shape: number[]) => randn(shape, source).to(device)

/** `work` gives a tensor whose numbers are waited for. */
function measure(name: string, work: () => Tensor, times = rounds): void {
  const seconds: number[] = []
  const held = (anew: boolean) => (device === 'cpu' ? undefined : native().deviceMemory(device, anew))
  held(true)
  for (let round = 0; round <= times; round++) {
    using _scope = tensorScope()
    const began = process.hrtime.bigint()
    work().to('float32').sum().item()
    if (round > 0) seconds.push(Number(process.hrtime.bigint() - began) / 1e9)
  }
  seconds.sort((a, b) => a - b)
  const peak = held(false)
  const figure: Figure = {
    name,
    seconds: seconds[Math.floor(times / 2)],
    least: seconds[0],
    most: seconds[times - 1],
    megabytes: peak === undefined ? null : Math.round(peak[3] / 2 ** 20),
  }
  console.log(JSON.stringify(figure))
}

function measureProducts(): void {
  using _scope = tensorScope()
  const side = products.side(tiny)
  const a = noise(side, side).to(dtype)
  measure('matmul', () => {
    using scope = tensorScope()
    for (let i = 1; i < products.count; i++) a.matmul(a).dispose()
    return scope.keep(a.matmul(a).select(0, 0))
  })
}

const sampling = { steps, eta: 1, guidance: 7.5 }
const prompts = ['a cat on a mat', 'a red square', 'two dogs', 'a green house']

function measureDrawing(): void {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  for (const batch of batches) {
    const requests = Array.from({ length: batch }, (_, i) => ({ text: prompts[i % prompts.length], seed: 0, index: i }))
    measure(`draw ${batch}`, () => decodeStages(model, drawStages(model, requests, sampling)))
  }
}

/** A pass of guidance in the order of numbers that is taken, and in the other one. */
function measureOrders(): void {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const size = readUnetConfig(configs.unet, 'unet')
  const taken = imageOrderOn(device, dtype)
  for (const order of [taken, taken === 'places' ? 'rows' : 'places'] as const) {
    using _order = tensorScope()
    const placed = [...model.weights.tensors()].map(([name, tensor]) => [name, inOrder(tensor, order)] as const)
    const own = Weights.of(new Map(placed), { dtype, order }).at('unet')
    for (const batch of batches) {
      const rows = 2 * batch
      const given = { tokens: noise(rows, 77, size.tokenWidth).to(dtype) }
      const [xt, t] = [noise(rows, 4, configs.side, configs.side), full([rows], 500, 'int64', device)]
      measure(`pass of ${rows} rows by ${order}`, () => unet(own, size, xt, t, given))
    }
  }
}

function measureUpdates(): void {
  using _scope = tensorScope()
  const size = readUnetConfig(configs.unet, 'unet')
  const { change, parameters } = trainableChange(model, adapters, 0)
  const optimiser = new AdamW(parameters, { learningRate: 1e-5 })
  const rows = 2 * transitions
  const [xt, t] = [noise(rows, 4, configs.side, configs.side), full([rows], 500, 'int64', device)]
  const tokens = noise(rows, 77, size.tokenWidth)
  const ways = [
    { type: dtype, isCheckpointed: false },
    ...(dtype === 'float32' ? [] : [{ type: 'float32' as const, isCheckpointed: false }]),
    { type: 'float32' as const, isCheckpointed: true },
  ]
  for (const { type, isCheckpointed } of ways) {
    const reference = model.weights.in(type)
    const given = { tokens: tokens.to(type) }
    const predict = (weights: Weights) => unet(weights.at('unet'), size, xt, t, given)
    measure(`update in ${type}${isCheckpointed ? ' with checkpoints' : ''}`, () => {
      using scope = tensorScope()
      using graph = gradientCheckpoints(isCheckpointed)
      const before = withoutGrad(() => predict(reference))
      const loss = predict(reference.with(change)).sub(before).to('float32').square().mean()
      graph.backward(loss)
      applyGradients([optimiser], parameters, { maxGradNorm: 1 })
      return scope.keep(loss.detach())
    })
  }
}

const adapters = { parameters: 'lora' as const, rank: 8, loraAlpha: 8, loraLayers: ['attention' as const] }

/** Iterations of the trainer that `policy dpok` runs, without value learning and with it. */
function measureIterations(): void {
  using _scope = tensorScope()
  for (const value of [false, true]) {
    const dpok = new Dpok({
      model,
      trainable: trainableChange(model, adapters, 0),
      reward: brightness(features),
      texts: prompts,
      sampler: samplerOf(model, sampling),
      guidance: sampling.guidance,
      seed: 0,
      settings: DpokSettings.parse({
        imagesDrawn: 100 * rollouts,
        rolloutsPerIteration: rollouts,
        transitionsPerRollout: 2,
        gradientSteps: 2,
        batchSize: Math.max(...batches),
        learningRate: 1e-5,
        ignoreRounding: true,
        value,
      }),
    })
    const some = policyOf(model).stateShape
    measure(`iteration${value ? ' with V' : ''}`, () => full(some, dpok.step().reward_mean), Math.min(rounds, 2))
  }
}

function measureClip(): void {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const pixels = noise(32, 3, 224, 224)
  for (const type of ['float32', 'TF32', 'bfloat16'] as const) {
    using _type = tensorScope()
    useTf32(type === 'TF32')
    const embed = type === 'bfloat16' ? randomClip({ ...setup, dtype: type }) : features
    measure(`CLIP of 32 previews in ${type}`, () => embed(pixels))
  }
  useTf32(false)
}

measureProducts()
measureDrawing()
measureOrders()
measureUpdates()
measureIterations()
measureClip()
