/**
 * How much of a small change by adapters a layer computes in bf16: `node_modules/.bin/node bench/rounding/adapters.ts`. A layer of
 * SD 1.5's width with random weights and inputs, adapters of rank 8 whose `up` is `rate` everywhere but for its sign, as after
 * one Adam step. Four ways to add W x and the change; of each the share of the change that is in the result, and the error of
 * the change against the change itself (rms).
 */
import { cat, randn } from '../../src/tensor/create.ts'
import { linear } from '../../src/tensor/functional.ts'
import { Generator } from '../../src/tensor/generator.ts'
import { useThreads } from '../../src/tensor/library.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const [rows, width, rank] = [2048, 320, 8]
const wide = (x: Tensor) => x.to('float32')
const narrow = (x: Tensor) => x.to('bfloat16')

useThreads(1)
using _scope = tensorScope()
const source = new Generator(1)
const weight = narrow(randn([width, width], source).div(Math.sqrt(width)))
const x = narrow(randn([rows, width], source))
const down = randn([rank, width], source).div(Math.sqrt(width))
const drawn = randn([width, rank], source)
const signs = drawn.div(drawn.abs())
const base = linear(x, weight)

console.log('| rate | beside, in bf16 | beside, in float32 | one product | added to the weight |')
console.log('|---|---|---|---|---|')
for (const rate of [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]) {
  using _rate = tensorScope()
  const up = signs.mul(rate)
  const change = linear(linear(wide(x), down), up)
  const low = linear(x, narrow(down))
  const ways = [
    base.add(linear(low, narrow(up))),
    narrow(wide(base).add(change)),
    linear(cat([x, low], 1), cat([weight, narrow(up)], 1)),
    linear(x, narrow(wide(weight).add(up.matmul(down)))),
  ]
  const cells = ways.map((y) => {
    const found = wide(y).sub(wide(base))
    const share = found.mul(change).sum().div(change.square().sum()).item()
    const error = found.sub(change).square().mean().div(change.square().mean()).sqrt().item()
    return `${share.toFixed(2)} (${error.toFixed(2)})`
  })
  console.log(`| ${rate} | ${cells.join(' | ')} |`)
}
