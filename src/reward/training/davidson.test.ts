import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assertClose, assertGradient, float64 } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { AdamW } from '../../tensor/adamw.ts'
import { tensor, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { applyGradients } from '../../tensor/optimise.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { davidsonLogits, davidsonLoss, outcomes, type Outcome } from './davidson.ts'

useThreads(1)

const probabilities = (first: number[], second: number[], nu: number) =>
  davidsonLogits(float64(first), float64(second), float64([Math.log(nu)]))
    .softmax(1)
    .toArray()

describe('comparisons with ties', () => {
  it('by hand: π_i, π_j and ν √(π_i π_j) over their sum', () => {
    using _scope = tensorScope()
    // π = 4 and 1, ν = 1.5: 4, 1 and 3 of 8. Then two equal ones: 1, 1 and 1.5 of 3.5.
    const log4 = Math.log(4)
    const expected = [4 / 8, 1 / 8, 3 / 8, 1 / 3.5, 1 / 3.5, 1.5 / 3.5]
    assertClose(probabilities([log4, 2], [0, 2], 1.5), expected)
    // What both have in common does not count.
    assertClose(probabilities([log4 - 7, 0], [-7, 0], 1.5), expected)
  })

  it('are those of Bradley and Terry where nothing ties', () => {
    using _scope = tensorScope()
    assertClose(probabilities([1.3], [0.4], 1e-14), [1 / (1 + Math.exp(-0.9)), 1 / (1 + Math.exp(0.9)), 0], 1e-9)
  })

  it('stay finite where one image is far better', () => {
    using _scope = tensorScope()
    const logits = davidsonLogits(float64([2000]), float64([-2000]), float64([0]))
    assertClose([davidsonLoss(logits, ['first'], [1]).item()], [0])
    assertClose([davidsonLoss(logits, ['second'], [1]).item()], [4000])
  })

  it('have as loss the mean of −log P by weight, by hand', () => {
    using _scope = tensorScope()
    const logits = davidsonLogits(float64([Math.log(4), 2]), float64([0, 2]), float64([Math.log(1.5)]))
    const loss = davidsonLoss(logits, ['second', 'tie'], [2, 0.5]).item()
    assertClose([loss], [-(2 * Math.log(1 / 8) + 0.5 * Math.log(1.5 / 3.5)) / 2.5])
  })

  it('have the gradient of finite differences, in both images and in log ν', () => {
    const results: Outcome[] = ['first', 'second', 'tie', 'tie']
    const of = (x: Tensor) =>
      davidsonLoss(davidsonLogits(x.slice(0, 0, 4), x.slice(0, 4, 8), x.slice(0, 8, 9)), results, [1, 0.5, 1, 2])
    assertGradient(of, [0.3, -0.8, 1.2, 0, -0.4, 0.5, 0.9, 0.1, -0.7], [9])
  })

  it('refuse shapes that would broadcast', () => {
    using _scope = tensorScope()
    assert.throws(() => davidsonLogits(tensor([1, 0]), tensor([1]), tensor([0])), ShapeError)
    assert.throws(() => davidsonLogits(tensor([1, 0]), tensor([1, 0]), tensor([0, 0])), ShapeError)
    assert.throws(() => davidsonLoss(zeros([2, 3]), ['tie'], [1]), ShapeError)
  })
})

describe('maximum likelihood of comparisons', () => {
  const file = new URL('../../../test/fixtures/davidson.json', import.meta.url)
  const { comparisons, u, logNu, loss } = JSON.parse(readFileSync(file, 'utf8')) as {
    comparisons: [number, number, number][]
    u: number[]
    logNu: number
    loss: number
  }
  const names = Object.keys(outcomes) as Outcome[]
  const lossOf = (strengths: Tensor, ties: Tensor) => {
    const pick = (side: 0 | 1) =>
      strengths.indexSelect(
        0,
        tensor(
          comparisons.map((row) => row[side]),
          [comparisons.length],
          'int64',
        ),
      )
    const results = comparisons.map(([, , outcome]) => names[outcome])
    return davidsonLoss(
      davidsonLogits(pick(0), pick(1), ties),
      results,
      comparisons.map(() => 1),
    )
  }

  it('has the value that SciPy finds', () => {
    using _scope = tensorScope()
    assertClose([lossOf(float64(u), float64([logNu])).item()], [loss], 1e-12)
  })

  it('is reached by gradient steps: SciPy’s strengths and log ν', () => {
    using scope = tensorScope()
    const parameters = new Map([
      ['u', scope.keep(zeros([u.length], 'float64').requireGrad())],
      ['logNu', scope.keep(zeros([1], 'float64').requireGrad())],
    ])
    const optimiser = new AdamW(parameters, { learningRate: 0.1 })
    for (let step = 0; step < 400; step++) {
      using _step = tensorScope()
      lossOf(parameters.get('u')!, parameters.get('logNu')!).backward()
      applyGradients([optimiser], parameters, { learningRates: [0.1 * (1 - step / 400)] })
    }
    const found = parameters.get('u')!.toArray()
    const mean = found.reduce((sum, each) => sum + each, 0) / found.length
    assertClose([...found.map((each) => each - mean), ...parameters.get('logNu')!.toArray()], [...u, logNu], 1e-4)
  })
})
