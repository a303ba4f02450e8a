/**
 * The TypeScript side of compare.ts: reads one case a line, runs it once, answers one JSON line with its seconds and a
 * number that Python must find too. Each function stands in cases.py with the same operators in the same order.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { AdamW } from '../../src/tensor/adamw.ts'
import { noGrad } from '../../src/tensor/autograd.ts'
import { cat, randn, zeros } from '../../src/tensor/create.ts'
import { attention, conv2d, groupNorm, linear, rmsNorm } from '../../src/tensor/functional.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

useThreads(1)
const source = new Generator(0)

function smallOperators(): Record<string, () => unknown> {
  const [a, b, one] = [randn([1], source), randn([1], source), randn([1, 1], source)]
  const [x, weight] = [randn([32, 32], source), randn([32, 32], source)]
  const [q, image, kernel] = [randn([1, 2, 8, 16], source), randn([1, 4, 8, 8], source), randn([4, 4, 3, 3], source)]
  return {
    add: () => a.add(b),
    add_: () => a.add_(b),
    'mul number': () => a.mul(1.5),
    relu: () => a.relu(),
    reshape: () => one.reshape(1),
    sum: () => x.sum(1),
    softmax: () => x.softmax(-1),
    'linear 32×32': () => linear(x, weight),
    cat: () => cat([x, weight], 0),
    'attention 8×16': () => attention(q, q, q),
    'conv2d 8×8': () => conv2d(image, kernel, undefined, 1, 1),
  }
}

class Weights {
  readonly all = new Map<string, Tensor>()
  make(...shape: number[]): Tensor {
    const tensor = randn(shape, source).mul_(0.05).requireGrad()
    this.all.set(String(this.all.size), tensor)
    return tensor
  }
}

/** 6 transformer blocks of width 256 with modulated norms, batch 8 × 64 tokens. */
function dit(weights: Weights): () => Tensor {
  const [batch, tokens, width, heads] = [8, 64, 256, 4]
  const blocks = Array.from({ length: 6 }, () => ({
    modulation: weights.make(4 * width, width),
    gain: weights.make(width),
    qkv: weights.make(3 * width, width),
    out: weights.make(width, width),
    up: weights.make(4 * width, width),
    down: weights.make(width, 4 * width),
  }))
  const x = randn([batch, tokens, width], source)
  const condition = randn([batch, width], source)
  const target = randn([batch, tokens, width], source)
  return () => {
    let h = x
    for (const block of blocks) {
      using scope = tensorScope()
      const modulation = linear(condition.silu(), block.modulation).unsqueeze(1)
      const part = (i: number) => modulation.slice(2, i * width, (i + 1) * width)
      let y = rmsNorm(h, block.gain).mul(part(0).add(1)).add(part(1))
      const qkv = linear(y, block.qkv)
        .reshape(batch, tokens, 3, heads, width / heads)
        .permute(2, 0, 3, 1, 4)
      y = attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2))
      h = h.add(linear(y.transpose(1, 2).reshape(batch, tokens, width), block.out))
      y = rmsNorm(h, block.gain).mul(part(2).add(1)).add(part(3))
      h = scope.keep(h.add(linear(linear(y, block.up).gelu(), block.down)))
    }
    return h.sub(target).square().mean()
  }
}

/** Two resolutions of residual convolutions, 32 and 64 channels, batch 8 × 3 × 32 × 32. */
function unet(weights: Weights): () => Tensor {
  const residual = (channels: number) => {
    const gains = [weights.make(channels), weights.make(channels)]
    const biases = [weights.make(channels), weights.make(channels)]
    const kernels = [weights.make(channels, channels, 3, 3), weights.make(channels, channels, 3, 3)]
    return (x: Tensor) => {
      using scope = tensorScope()
      let y = x
      for (let i = 0; i < 2; i++) y = conv2d(groupNorm(y, 8, gains[i], biases[i]).silu(), kernels[i], undefined, 1, 1)
      return scope.keep(x.add(y))
    }
  }
  const first = weights.make(32, 3, 3, 3)
  const [high, again] = [residual(32), residual(32)]
  const down = weights.make(64, 32, 3, 3)
  const [low, lower] = [residual(64), residual(64)]
  const up = weights.make(32, 64 + 32, 3, 3)
  const enlarge = weights.make(256, 64, 1, 1)
  const last = weights.make(3, 32, 3, 3)
  const x = randn([8, 3, 32, 32], source)
  const target = randn([8, 3, 32, 32], source)
  return () => {
    const h = high(conv2d(x, first, undefined, 1, 1))
    const l = lower(low(conv2d(h, down, undefined, 2, 1)))
    const large = conv2d(l, enlarge, undefined)
      .reshape(8, 64, 2, 2, 16, 16)
      .permute(0, 1, 4, 2, 5, 3)
      .reshape(8, 64, 32, 32)
    const joined = again(conv2d(cat([large, h], 1), up, undefined, 1, 1))
    return conv2d(joined, last, undefined, 1, 1).sub(target).square().mean()
  }
}

function networks(make: (weights: Weights) => () => Tensor): Record<string, () => number> {
  const weights = new Weights()
  const loss = make(weights)
  const optimiser = new AdamW(weights.all, { learningRate: 1e-3 })
  return {
    training: () => {
      using _scope = tensorScope()
      const value = loss()
      value.backward()
      optimiser.step()
      for (const parameter of weights.all.values()) parameter.grad = undefined
      return value.item()
    },
    inference: () => {
      using _scope = tensorScope()
      using _noGrad = noGrad()
      return loss().item()
    },
  }
}

function groupOf(name: string): Record<string, () => number> {
  if (name === 'DiT') return networks(dit)
  if (name === 'UNet') return networks(unet)
  const repeated = ([operator, call]: [string, () => unknown]) => {
    const run = () => {
      for (let i = 0; i < 20; i++) {
        using _scope = tensorScope()
        for (let j = 0; j < 100; j++) call()
      }
      return 0
    }
    return [operator, run] as const
  }
  return Object.fromEntries(Object.entries(smallOperators()).map(repeated))
}

const group = groupOf(process.argv[2])
zeros([1]).dispose()
console.log(JSON.stringify({ cases: Object.keys(group) }))
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'peak') {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
    console.log(JSON.stringify({ megabytes: Number(peak?.[1]) / 1024 }))
    continue
  }
  const begin = process.hrtime.bigint()
  const value = group[line]()
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begin) / 1e9, value }))
}
