/** Every operator that this folder exposes: forward and gradient against PyTorch, and against finite differences. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gradients } from './autograd.ts'
import * as create from './create.ts'
import {
  arange,
  cat,
  constants,
  full,
  indexOf,
  ones,
  rand,
  randint,
  randn,
  stack,
  tensor,
  where,
  zeros,
} from './create.ts'
import * as functional from './functional.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { readSafetensors } from './safetensors.ts'
import { tensorScope } from './scope.ts'
import { Tensor } from './tensor.ts'

useThreads(1)

const fixture = fileURLToPath(new URL('../../test/fixtures/tensor-operators.safetensors', import.meta.url))

type Case = (...inputs: Tensor[]) => Tensor
/** The same names and functions as in test/fixtures/tensor.py; the first word is what is tested. */
const cases: Record<string, Case> = {
  add: (a, b) => a.add(b),
  'add number': (a) => a.add(1.5),
  sub: (a, b) => a.sub(b),
  'sub number': (a) => a.sub(2),
  mul: (a, b) => a.mul(b),
  'mul number': (a) => a.mul(-0.25),
  div: (a, b) => a.div(b),
  'div number': (a) => a.div(3),
  add_: (a, b) => a.clone().add_(b),
  'add_ number': (a) => a.clone().add_(1),
  mul_: (a, b) => a.clone().mul_(b),
  'mul_ number': (a) => a.clone().mul_(1.5),
  pow: (a) => a.pow(2.5),
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
  clamp: (a) => a.clamp(-0.5, 0.5),
  'clamp low': (a) => a.clamp(0.1),
  'clamp high': (a) => a.clamp(undefined, 0.1),
  matmul: (a, b) => a.matmul(b),
  eq: (a, b) => round(a).eq(round(b)),
  'eq number': (a) => a.eq(1),
  gt: (a, b) => a.gt(b),
  'gt number': (a) => a.gt(0.25),
  lt: (a, b) => a.lt(b),
  'lt number': (a) => a.lt(0.25),
  logicalNot: (a) => a.logicalNot(),
  isfinite: (a) => a.div(0).isfinite(),
  abs: (a) => a.abs(),
  cos: (a) => a.cos(),
  exp: (a) => a.exp(),
  gelu: (a) => a.gelu(),
  log: (a) => a.log(),
  neg: (a) => a.neg(),
  relu: (a) => a.relu(),
  rsqrt: (a) => a.rsqrt(),
  sigmoid: (a) => a.sigmoid(),
  silu: (a) => a.silu(),
  sin: (a) => a.sin(),
  softplus: (a) => a.softplus(),
  sqrt: (a) => a.sqrt(),
  square: (a) => a.square(),
  tanh: (a) => a.tanh(),
  sum: (a) => a.sum(),
  'sum dim': (a) => a.sum(1),
  'sum dims kept': (a) => a.sum([0, 2], true),
  mean: (a) => a.mean(),
  'mean dims': (a) => a.mean([-1, -2]),
  variance: (a) => a.variance(1),
  'variance biased': (a) => a.variance([0, 1], 0, true),
  amax: (a) => a.amax(1),
  argmax: (a) => a.argmax(1),
  norm: (a) => a.norm(),
  softmax: (a) => a.softmax(-1),
  logSoftmax: (a) => a.logSoftmax(0),
  reshape: (a) => a.reshape(3, -1),
  flatten: (a) => a.flatten(1),
  transpose: (a) => a.transpose(0, 2),
  permute: (a) => a.permute(2, 0, 1),
  unsqueeze: (a) => a.unsqueeze(1),
  squeeze: (a) => a.squeeze(1),
  expand: (a) => a.expand(4, 2, 3),
  slice: (a) => a.slice(1, 1, 3),
  select: (a) => a.select(1, -1),
  indexSelect: (a, i) => a.indexSelect(0, i),
  gather: (a, i) => a.gather(1, i),
  'to bfloat16': (a) => a.to('bfloat16'),
  'to float64': (a) => a.to('float64'),
  'to int64': (a) => a.mul(4).to('int64'),
  'to device': (a) => a.to('cpu'),
  clone: (a) => a.clone(),
  contiguous: (a) => a.transpose(0, 1).contiguous(),
  detach: (a) => a.mul(a.detach()),
  copy_: (a, b) => a.clone().copy_(b),
  zero_: (a) => a.clone().zero_(),
  lerp_: (a, b) => a.clone().lerp_(b, 0.3),
  cat: (a, b) => cat([a, b], 1),
  stack: (a, b) => stack([a, b], -1),
  where: (c, a, b) => where(c.gt(0), a, b),
  linear: functional.linear,
  'linear without bias': functional.linear,
  conv2d: (x, w, b) => functional.conv2d(x, w, b, 1, 1),
  'conv2d stride': (x, w) => functional.conv2d(x, w, undefined, 2),
  embedding: functional.embedding,
  rmsNorm: (x, w) => functional.rmsNorm(x, w),
  layerNorm: (x, w, b) => functional.layerNorm(x, w, b),
  groupNorm: (x, w, b) => functional.groupNorm(x, 2, w, b),
  attention: (q, k, v) => functional.attention(q, k, v),
  'attention mask': (q, k, v, mask) => functional.attention(q, k, v, mask),
  pixelShuffle: (x) => functional.pixelShuffle(x, 2),
  pixelUnshuffle: (x) => functional.pixelUnshuffle(x, 2),
  crossEntropy: functional.crossEntropy,
  'attention causal': (q, k, v) => functional.attention(q, k, v, undefined, true),
  pad2d: (x) => functional.pad2d(x, { left: 1, right: 2, bottom: 3 }),
  upsampleNearest: (x) => functional.upsampleNearest(x, 5, 6),
  resizeBicubic: (x) => functional.resizeBicubic(x, 3, 4),
  averagePool: (x) => functional.averagePool(x, 2, 3),
  quickGelu: functional.quickGelu,
  silu_: (x) => functional.silu_(x.clone()),
}
const round = (a: Tensor) => a.add(100.5).to('int64')

/** Not differentiable as a function of its input, by design. */
const notTheDerivative = ['to bfloat16', 'detach']

function near(actual: readonly number[], expected: readonly number[], relative: number, absolute: number): void {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => {
    const allowed = absolute + relative * Math.abs(expected[i])
    assert.ok(Math.abs(value - expected[i]) <= allowed, `element ${i}: ${value}, expected ${expected[i]}`)
  })
}

/** Σ out · cos(0, 1, 2, …): a number in which every element of the output takes part differently. */
function weigh(out: Tensor): Tensor {
  const weights = arange(0, out.numel, 'float64')
    .cos()
    .reshape(...out.shape)
  return out.to('float64').mul(weights).sum()
}

describe('operators', () => {
  let numbers: Map<string, Tensor>
  const inputsOf = (name: string): Tensor[] => {
    const inputs: Tensor[] = []
    while (numbers.has(`${name}/in${inputs.length}`)) inputs.push(numbers.get(`${name}/in${inputs.length}`)!)
    return inputs
  }
  before(() => {
    numbers = readSafetensors(fixture).tensors
  })

  it('are compared with PyTorch one and all', () => {
    const stored = new Set(
      [...numbers.keys()].filter((key) => !key.startsWith('draw/')).map((key) => key.split('/')[0]),
    )
    assert.deepEqual([...stored].sort(), Object.keys(cases).sort())

    const tested = new Set(Object.keys(cases).map((name) => name.split(' ')[0]))
    const elsewhere = ['constructor', 'backward', 'dispose', 'item', 'requireGrad', 'toArray', 'toBytes', 'toFloat32']
    const accessors = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype)).filter(([, how]) => !how.value)
    const methods = Object.getOwnPropertyNames(Tensor.prototype).filter(
      (name) => !elsewhere.includes(name) && !accessors.some(([accessor]) => accessor === name),
    )
    const makers = ['arange', 'constants', 'full', 'indexOf', 'ones', 'rand', 'randint', 'randn', 'tensor', 'zeros']
    const made = Object.keys(create).filter((name) => !makers.includes(name))
    const untested = [...methods, ...Object.keys(functional), ...made].filter((name) => !tested.has(name))
    assert.deepEqual(untested, [])
  })

  it('make an index and a few numbers without a copy where they can, the same as with one', () => {
    using _scope = tensorScope()
    for (const numbers of [[], [7], [3, 3, 3], [2, 3, 4, 5], [4, 1, 1]]) {
      const index = indexOf(numbers, 'cpu')
      assert.deepEqual([index.toArray(), index.shape, index.dtype], [numbers, [numbers.length], 'int64'])
    }
    for (const device of ['cpu', 'meta']) {
      const made = constants([1, 2.5, 0, -4], [2, 2], device)
      assert.deepEqual([made.shape, made.dtype, made.device], [[2, 2], 'float32', device])
    }
    assert.deepEqual(constants([1, 2.5], [2, 1], 'cpu').toArray(), [1, 2.5])
  })

  for (const [name, call] of Object.entries(cases)) {
    it(`${name}: value and gradient of PyTorch`, () => {
      using _scope = tensorScope()
      const inputs = inputsOf(name).map((input) => input.clone())
      inputs.forEach((input) => void (input.dtype === 'float32' && input.requireGrad()))
      const out = call(...inputs)
      const expected = numbers.get(`${name}/out`)!
      assert.deepEqual(out.shape, expected.shape)
      assert.equal(out.dtype, expected.dtype)
      near(out.detach().toArray(), expected.toArray(), 1e-5, 1e-6)

      const wanted = inputs.map((_, i) => numbers.get(`${name}/grad${i}`))
      if (!wanted.some((gradient) => gradient !== undefined)) return
      weigh(out).backward()
      inputs.forEach((input, i) => {
        if (wanted[i] === undefined) return
        assert.deepEqual(input.grad!.shape, input.shape)
        near(input.grad!.toArray(), wanted[i].toArray(), 1e-4, 1e-5)
      })
    })
  }

  for (const [name, call] of Object.entries(cases)) {
    if (notTheDerivative.includes(name)) continue
    it(`${name}: gradient of finite differences`, () => {
      using _scope = tensorScope()
      const inputs = inputsOf(name).map((input) => (input.dtype === 'float32' ? input.to('float64') : input))
      const leaves = inputs.map((input) => (input.dtype === 'float64' ? input.clone().requireGrad() : input))
      const out = call(...leaves)
      if (!out.requiresGrad) return
      const wanted = leaves.filter((leaf) => leaf.requiresGrad)
      const found = gradients([weigh(out)], wanted)
      wanted.forEach((leaf, which) => {
        const at = leaves.indexOf(leaf)
        const numeric = inputs[at].toArray().map((_, element, all) => {
          const shifted = (by: number) => {
            using _inner = tensorScope()
            const moved = tensor(
              all.map((value, i) => (i === element ? value + by : value)),
              leaf.shape,
              'float64',
            )
            return weigh(call(...inputs.map((input, i) => (i === at ? moved : input)))).item()
          }
          return (shifted(1e-6) - shifted(-1e-6)) / 2e-6
        })
        near(found[which]?.toArray() ?? numeric.map(() => 0), numeric, 1e-6, 1e-7)
      })
    })
  }
})

describe('random numbers', () => {
  it('are those of torch.Generator with the same seed', () => {
    using _scope = tensorScope()
    const { tensors } = readSafetensors(fixture, { only: (name) => name.startsWith('draw/') })
    const generator = new Generator(7)
    const draws = {
      'state before': generator.state(),
      randn: randn([5], generator),
      'randn many': randn([33], generator),
      'randn float64': randn([3], generator, 'float64'),
      rand: rand([2, 3], generator),
      randint: randint(-3, 9, [10], generator),
      'state after': generator.state(),
    }
    for (const [name, drawn] of Object.entries(draws)) {
      const expected = tensors.get(`draw/${name}`)!
      assert.equal(drawn.dtype, expected.dtype, name)
      // Vectorised logarithms and cosines differ in the last bit from one processor to the next.
      near(drawn.toArray(), expected.toArray(), drawn.dtype === 'float32' ? 1e-5 : 1e-13, 1e-6)
    }
    assert.equal(tensors.size, Object.keys(draws).length)
  })
})

describe('new tensors', () => {
  it('have the shape, type and elements that they are asked for', () => {
    using _scope = tensorScope()
    assert.deepEqual(zeros([2, 2]).toArray(), [0, 0, 0, 0])
    assert.deepEqual(ones([2], 'int64').toArray(), [1, 1])
    assert.deepEqual(full([2], 1).dtype, 'float32')
    assert.deepEqual(full([2], 2.5, 'bfloat16').toArray(), [2.5, 2.5])
    assert.deepEqual(arange(2, 5).toArray(), [2, 3, 4])
    assert.deepEqual(tensor([1, 2, 3, 4], [2, 2]).shape, [2, 2])
    assert.deepEqual(tensor([1, 2], [2], 'int64').toArray(), [1, 2])
    assert.deepEqual(tensor([1, 0], [2], 'bool').dtype, 'bool')
    assert.deepEqual(tensor(new Uint16Array([0x3fc0, 0xc000]), [2], 'bfloat16').toArray(), [1.5, -2])
    assert.deepEqual(tensor(new Uint8Array([1, 2, 255])).toArray(), [1, 2, 255])
    assert.deepEqual(tensor(new BigInt64Array([-5n])).toArray(), [-5])
  })
  it('copy their elements', () => {
    using _scope = tensorScope()
    const elements = new Float32Array([1, 2])
    const made = tensor(elements)
    elements[0] = 9
    made.toFloat32()[1] = 9
    assert.deepEqual(made.toArray(), [1, 2])
  })
  it('give one element as a number', () => {
    using _scope = tensorScope()
    assert.equal(tensor([2.5], []).item(), 2.5)
    assert.equal(tensor([7], [1, 1], 'int64').item(), 7)
  })
})
