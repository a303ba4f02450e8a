/**
 * What rounding does to DPOK's log-ratio and KL at Stable Diffusion 1.5's size:
 * `node_modules/.bin/node bench/gpu/rounding.ts [--device cuda:0] [--side 64] [--rate 3e-4] [--seeds 3] [--steps 5,25,45]
 * [--types float32,TF32,float16,bfloat16] [--tiny]`. On a CPU (`--device cpu --side 16 --types TF32,bfloat16`: 5.5 GB) TF32 is made
 * by rounding the factors of products.
 * Random weights, adapters of rank 8 one Adam step of `rate` away from nothing. For each precision it compares the guided
 * prediction (scale 7.5) with that of exact float32 over the same weights: how far the adapters move it, how far rounding moves
 * it and the adapters' change, how much of that change is in what is computed, and what rounding is in nats: the deviation of
 * a transition's log-ratio under the 50-step sampler, and the KL of a trajectory of such steps.
 */
import { parseArgs } from 'node:util'
import { ddimSampler, ddimTransition } from '../../src/diffusion/ddim.ts'
import { guide } from '../../src/diffusion/guidance.ts'
import { leadingTimesteps, scaledLinearSchedule } from '../../src/diffusion/schedule.ts'
import { isAdapterTarget } from '../../src/networks/stable-diffusion/model.ts'
import { sd15 } from '../../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { unet } from '../../src/networks/stable-diffusion/unet.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import { imageOrderOn, inOrder } from '../../src/networks/image-order.ts'
import { type Adapter, Weights } from '../../src/networks/weights.ts'
import { noGrad } from '../../src/tensor/autograd.ts'
import { cat, full, randn } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { useTf32 } from '../../src/tensor/library.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { roundFactors, tf32Bits } from '../rounding/round-factors.ts'
import { randomWeights, smallestUnet } from '../stable-diffusion/networks.ts'

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda:0' },
    side: { type: 'string', default: '64' },
    rate: { type: 'string', default: '3e-4' },
    seeds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5,25,45' },
    types: { type: 'string', default: 'float32,TF32,float16,bfloat16' },
    tiny: { type: 'boolean', default: false },
  },
})
const { device } = values
const [side, rate] = [Number(values.side), Number(values.rate)]
const small = { block_out_channels: [32, 64, 64, 64], norm_num_groups: 8, attention_head_dim: 4 }
const size = readUnetConfig({ ...sd15, ...(values.tiny && small) }, 'unet')
const precisions = (
  [
    { name: 'float32', dtype: 'float32', tf32: false },
    { name: 'TF32', dtype: 'float32', tf32: true },
    { name: 'float16', dtype: 'float16', tf32: false },
    { name: 'bfloat16', dtype: 'bfloat16', tf32: false },
  ] as const
).filter(({ name }) => values.types.split(',').includes(name))
const roundTo = (tf32: boolean) => (device === 'cpu' ? roundFactors(tf32 ? tf32Bits : undefined) : useTf32(tf32))
roundTo(false)

const schedule = scaledLinearSchedule({ start: 0.00085, end: 0.012 })
const sampler = ddimSampler(schedule, leadingTimesteps(1000, 50, 1), { finalAlphaBar: schedule.alphaBar[0] })

using _scope = tensorScope()
using _noGrad = noGrad()
const rms = (x: Tensor) => x.square().mean().sqrt().item()
const drawn = randomWeights('float32', device, (fresh) => smallestUnet(fresh, size))
const inType = (weights: Weights, dtype: Dtype) => {
  const order = imageOrderOn(device, dtype)
  return Weights.of(new Map([...weights.tensors()].map(([name, tensor]) => [name, inOrder(tensor.to(dtype), order)])))
}

console.log(
  '| precision | seed | step | adapters move | rounding moves | and the change | of the change drawn | log-ratio, nats | KL, nats |',
)
console.log('|---|---|---|---|---|---|---|---|---|')
for (const { name, dtype, tf32 } of precisions) {
  using _precision = tensorScope()
  const weights = inType(drawn, dtype)
  const widened = weights.in('float32')
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    const source = new Generator(seed)
    const xt = randn([1, 4, side, side], source).to(device)
    const tokens = randn([2, 77, size.tokenWidth], source).to(device).to(dtype)
    const adapters = new Map<string, Adapter>()
    for (const [key, { shape }] of weights.tensors()) {
      if (!isAdapterTarget(`unet.${key}`, ['attention'])) continue
      const down = randn([8, shape[1]], source).mul_(1 / Math.sqrt(shape[1]))
      const up = randn([shape[0], 8], source)
      adapters.set(key, { down: down.to(device), up: up.div(up.abs()).mul(rate).to(device), scale: 1 })
    }
    for (const step of values.steps.split(',').map(Number)) {
      const predict = (from: Weights) => {
        using scope = tensorScope()
        const t = full([2], sampler.steps[step].t, 'int64', device)
        const both = unet(from, size, cat([xt, xt]), t, { tokens: tokens.to(from.dtype) }).to('float32')
        return scope.keep(guide(both.slice(0, 0, 1), both.slice(0, 1, 2), 7.5))
      }
      roundTo(false)
      const [exactBase, exactMoved] = [predict(widened), predict(widened.with({ adapters }))]
      roundTo(tf32)
      const [base, moved] = [predict(weights), predict(weights.with({ adapters }))]
      const change = exactMoved.sub(exactBase)
      const noise = moved.sub(base).sub(change)
      const at = (prediction: Tensor) => ddimTransition(prediction, xt, [step], sampler)
      const { mean, sigma } = at(exactBase)
      const inSigmas = at(exactBase.add(noise))
        .mean.sub(mean)
        .div(sigma.reshape(-1, 1, 1, 1))
      const squared = inSigmas.square().sum().item()
      const cells = [
        rms(change),
        rms(base.sub(exactBase)),
        rms(noise),
        moved.sub(base).mul(change).sum().div(change.square().sum()).item(),
        Math.sqrt(squared),
        (squared / 2) * sampler.steps.length,
      ]
      console.log(`| ${name} | ${seed} | ${step} | ${cells.map((cell) => cell.toPrecision(3)).join(' | ')} |`)
    }
  }
}
