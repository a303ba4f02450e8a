/** AdamW, Muon, clipping and averages against torch.optim; what happens to a gradient that is not finite. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DivergenceError, FormatError, ShapeError } from '../errors.ts'
import { AdamW } from './adamw.ts'
import { arange, randn, tensor, zeros } from './create.ts'
import { Ema } from './ema.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { Muon, orthogonalise } from './muon.ts'
import { applyGradients, startUpdate, type Optimiser } from './optimise.ts'
import { readTogether } from './read-together.ts'
import { readSafetensors } from './safetensors.ts'
import { livingTensors, tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

useThreads(1)

const fixture = fileURLToPath(new URL('../../test/fixtures/tensor-optimisers.safetensors', import.meta.url))
const allNames = ['wide', 'tall', 'bias', 'convolution']

function near(actual: Tensor, expected: Tensor, tolerance: number, what: string): void {
  assert.deepEqual(actual.shape, expected.shape)
  const wanted = expected.toArray()
  actual.toArray().forEach((value, i) => {
    assert.ok(Math.abs(value - wanted[i]) <= tolerance, `${what} element ${i}: ${value}, expected ${wanted[i]}`)
  })
}

/** Parameters of the fixture, and a function that gives them the gradients of one of its five steps. */
function start(names: readonly string[]) {
  const { tensors } = readSafetensors(fixture)
  const parameters = new Map(names.map((name) => [name, tensors.get(`start/${name}`)!.clone().requireGrad()]))
  const giveGradients = (step: number): void => {
    for (const [name, parameter] of parameters) parameter.grad = tensors.get(`gradient${step}/${name}`)?.clone()
  }
  return { tensors, parameters, giveGradients }
}

describe('AdamW', () => {
  it('takes the five steps of torch.optim.AdamW', () => {
    using _scope = tensorScope()
    const { tensors, parameters, giveGradients } = start(allNames)
    const options = { learningRate: 0.02, betas: [0.8, 0.95], epsilon: 1e-6, weightDecay: 0.1 } as const
    const optimiser = new AdamW(parameters, options)
    for (let step = 0; step < 5; step++) {
      giveGradients(step)
      optimiser.step()
    }
    for (const [name, parameter] of parameters) near(parameter, tensors.get(`adamw/${name}`)!, 1e-6, name)
    for (const [name, state] of optimiser.state()) near(state, tensors.get(`adamw/${name}`)!, 1e-6, name)
  })

  it('leaves a parameter without a gradient alone', () => {
    using _scope = tensorScope()
    const { parameters, giveGradients } = start(allNames)
    const optimiser = new AdamW(parameters, { learningRate: 0.02, weightDecay: 0.1 })
    giveGradients(2)
    const before = parameters.get('bias')!.toArray()
    optimiser.step()
    assert.deepEqual(parameters.get('bias')!.toArray(), before)
    assert.equal(optimiser.state().get('step.bias')!.item(), 0)
    assert.equal(optimiser.state().get('step.wide')!.item(), 1)
  })
})

describe('Muon', () => {
  it('takes the five steps of torch.optim.Muon in bfloat16', () => {
    using _scope = tensorScope()
    const { tensors, parameters, giveGradients } = start(['wide', 'tall'])
    const optimiser = new Muon(parameters, { learningRate: 0.02, weightDecay: 0.1, newtonSchulz: 'bfloat16' })
    for (let step = 0; step < 5; step++) {
      giveGradients(step)
      optimiser.step()
    }
    // A processor may round one bfloat16 differently: 2⁻⁸ of five steps of about 0.02 · √3.
    for (const [name, parameter] of parameters) near(parameter, tensors.get(`muon bfloat16/${name}`)!, 2e-3, name)
  })

  it('takes the five steps of the published algorithm in float32, convolutions flattened', () => {
    using _scope = tensorScope()
    const { tensors, parameters, giveGradients } = start(['wide', 'tall', 'convolution'])
    const optimiser = new Muon(parameters, { learningRate: 0.02, weightDecay: 0.1 })
    for (let step = 0; step < 5; step++) {
      giveGradients(step)
      optimiser.step()
    }
    for (const [name, parameter] of parameters) near(parameter, tensors.get(`muon/${name}`)!, 2e-5, name)
  })

  it('makes a matrix nearly orthogonal', () => {
    using _scope = tensorScope()
    const made = orthogonalise(randn([8, 3], new Generator(3)))
    const gram = made.transpose(0, 1).matmul(made).toArray()
    gram.forEach((value, i) => assert.ok(i % 4 === 0 ? value > 0.4 && value < 1.6 : Math.abs(value) < 0.4, `${gram}`))
  })

  it('refuses vectors', () => {
    using _scope = tensorScope()
    assert.throws(() => new Muon(new Map([['gain', zeros([4])]]), { learningRate: 1 }), {
      name: ShapeError.name,
      where: 'Muon gain',
    })
  })
})

describe('applyGradients', () => {
  it('clips to the norm of torch.nn.utils.clip_grad_norm_ and clears', () => {
    using _scope = tensorScope()
    const { tensors, parameters, giveGradients } = start(allNames)
    giveGradients(0)
    const seen = new Map<string, Tensor>()
    const looking: Optimiser = {
      step: () => parameters.forEach((parameter, name) => seen.set(name, parameter.grad!.clone())),
      state: () => new Map(),
      load: () => undefined,
    }
    const norm = applyGradients([looking], parameters, { maxGradNorm: 0.5 })
    assert.ok(Math.abs(norm / tensors.get('clip/norm')!.item() - 1) < 1e-6)
    assert.deepEqual([...seen.keys()], allNames)
    for (const parameter of parameters.values()) assert.equal(parameter.grad, undefined)
  })

  it('passes learning rates on and leaves small gradients as they are', () => {
    using _scope = tensorScope()
    const weight = tensor([1, 1]).requireGrad()
    const parameters = new Map([['weight', weight]])
    const optimiser = new AdamW(parameters, { learningRate: 1, epsilon: 0 })
    weight
      .mul(tensor([0.3, -0.4]))
      .sum()
      .backward()
    const norm = applyGradients([optimiser], parameters, { maxGradNorm: 1, learningRates: [0.25] })
    assert.ok(Math.abs(norm - 0.5) < 1e-7)
    near(weight, tensor([0.75, 1.25]), 1e-6, 'the first step of Adam is the learning rate')
  })

  it('throws before anything changes where a gradient is not finite', () => {
    using _scope = tensorScope()
    const { parameters, giveGradients } = start(allNames)
    const optimiser = new AdamW(parameters, { learningRate: 0.02 })
    giveGradients(0)
    parameters.get('tall')!.grad!.mul_(Number.NaN)
    const everything = () => [...parameters.values(), ...optimiser.state().values()].map((one) => one.toArray())
    const before = everything()
    assert.throws(() => applyGradients([optimiser], parameters), {
      name: DivergenceError.name,
      where: 'gradient of tall',
      received: 'a norm of NaN',
    })
    assert.deepEqual(everything(), before)
    assert.notEqual(parameters.get('wide')!.grad, undefined)
  })

  it('started is the same update to the bit, and is told of what was not finite when it is read', () => {
    for (const maxGradNorm of [0.5, 1e9, undefined]) {
      using _scope = tensorScope()
      const [one, other] = [start(allNames), start(allNames)]
      const [read, unread] = [one, other].map(({ parameters }) => new AdamW(parameters, { learningRate: 0.02 }))
      one.giveGradients(0)
      other.giveGradients(0)
      const norm = applyGradients([read], one.parameters, { maxGradNorm })
      const update = startUpdate([unread], other.parameters, { maxGradNorm })
      const [measured, again] = readTogether([update.measured, tensor([7, 8], [2, 1])])
      assert.equal(update.check(measured), norm)
      assert.deepEqual(again, [7, 8])
      const all = ({ parameters }: typeof one) => [...parameters.values()].map((each) => each.toArray())
      assert.deepEqual(all(other), all(one))
      assert.ok([...other.parameters.values()].every(({ grad }) => grad === undefined))

      other.giveGradients(1)
      other.parameters.get('tall')!.grad!.mul_(Number.NaN)
      const broken = startUpdate([unread], other.parameters, { maxGradNorm })
      assert.throws(() => broken.check(broken.measured.toArray()), {
        name: DivergenceError.name,
        where: 'gradient of tall',
        received: 'a norm of NaN',
      })
    }
  })

  it('started tells of parameters that are not finite after it', () => {
    using _scope = tensorScope()
    const { parameters, giveGradients } = start(['wide'])
    giveGradients(0)
    const update = startUpdate([new AdamW(parameters, { learningRate: 1e38 })], parameters, { learningRates: [1e39] })
    assert.throws(() => update.check(update.measured.toArray()), {
      name: DivergenceError.name,
      where: 'update of wide',
    })
  })

  it('started without gradients is a norm of 0', () => {
    using _scope = tensorScope()
    const { parameters } = start(['wide'])
    const update = startUpdate([new AdamW(parameters, { learningRate: 1 })], parameters, { maxGradNorm: 1 })
    assert.equal(update.check(update.measured.toArray()), 0)
  })

  it('without gradients is a norm of 0', () => {
    using _scope = tensorScope()
    const { parameters } = start(['wide'])
    assert.equal(applyGradients([new AdamW(parameters, { learningRate: 1 })], parameters), 0)
  })
})

describe('the state of an optimiser', () => {
  const makers: Record<string, (parameters: ReadonlyMap<string, Tensor>) => Optimiser> = {
    AdamW: (parameters) => new AdamW(parameters, { learningRate: 0.05 }),
    Muon: (parameters) => new Muon(parameters, { learningRate: 0.05 }),
  }
  for (const [name, make] of Object.entries(makers)) {
    it(`of ${name} continues bit for bit`, () => {
      using _scope = tensorScope()
      const [first, second] = [start(['wide', 'tall']), start(['wide', 'tall'])]
      const [through, stopped] = [make(first.parameters), make(second.parameters)]
      const step = (run: typeof first, optimiser: Optimiser, i: number) => {
        run.giveGradients(i)
        applyGradients([optimiser], run.parameters)
      }
      for (let i = 0; i < 5; i++) step(first, through, i)
      for (let i = 0; i < 3; i++) step(second, stopped, i)
      const resumed = make(second.parameters)
      resumed.load(new Map([...stopped.state()].map(([key, state]) => [key, state.clone()])))
      for (let i = 3; i < 5; i++) step(second, resumed, i)
      for (const [key, parameter] of first.parameters) {
        assert.deepEqual(parameter.toArray(), second.parameters.get(key)!.toArray())
      }
    })

    it(`of ${name} must fit`, () => {
      using _scope = tensorScope()
      const optimiser = make(start(['wide', 'tall']).parameters)
      const other = make(start(['wide']).parameters)
      assert.throws(() => optimiser.load(other.state()), FormatError)
      const narrow = make(new Map([['wide', zeros([2, 2])]]))
      assert.throws(() => other.load(narrow.state()), /expected shape \[3, 7\], received \[2, 2\]/)
    })
  }
})

describe('Ema', () => {
  it('averages by its decay and leaves the parameters alone', () => {
    using _scope = tensorScope()
    const weight = tensor([0, 8]).requireGrad()
    const average = new Ema(new Map([['weight', weight]]), 0.75)
    weight.detach().copy_(tensor([4, 8]))
    average.update()
    assert.deepEqual(average.values().get('weight')!.toArray(), [1, 8])
    average.update()
    assert.deepEqual(average.values().get('weight')!.toArray(), [1.75, 8])
    assert.deepEqual(weight.toArray(), [4, 8])
    const resumed = new Ema(new Map([['weight', weight]]), 0.75)
    resumed.load(average.state())
    assert.deepEqual(resumed.values().get('weight')!.toArray(), [1.75, 8])
    assert.equal(resumed.values().get('weight')!.requiresGrad, false)
  })
})

describe('200 steps of training', () => {
  it('learn, and hold as many tensors and as much memory at the end as at the beginning', () => {
    using _scope = tensorScope()
    const source = new Generator(5)
    const weight = randn([64, 128], source).requireGrad()
    const bias = zeros([128]).requireGrad()
    const parameters = new Map([
      ['weight', weight],
      ['bias', bias],
    ])
    const optimisers = [
      new Muon(new Map([['weight', weight]]), { learningRate: 0.02 }),
      new AdamW(new Map([['bias', bias]]), { learningRate: 0.01 }),
    ]
    const average = new Ema(parameters, 0.99)
    const x = randn([32, 64], source)
    const target = arange(0, 128, 'float32').sin()
    const losses: number[] = []
    const living: number[] = []
    let early = 0
    for (let step = 0; step < 200; step++) {
      using _step = tensorScope()
      const loss = x.matmul(weight).add(bias).gelu().sub(target).square().mean()
      loss.backward()
      applyGradients(optimisers, parameters, { maxGradNorm: 1 })
      average.update()
      losses.push(loss.item())
      living.push(livingTensors())
      if (step === 20) early = process.memoryUsage().rss
    }
    assert.ok(losses[199] < losses[0] / 2, `${losses[0]} → ${losses[199]}`)
    assert.equal(living[199], living[0])
    const grown = (process.memoryUsage().rss - early) / 2 ** 20
    assert.ok(grown < 64, `${grown} MB more after 180 steps`)
  })
})
