/** Diffusion-DPO against the same worked out by hand on the closed Gaussian chain. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seedOf } from '../../random.ts'
import { policyStreams } from '../../streams.ts'
import { random } from '../../random.ts'
import { randn, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { gaussianModel, offset, process, schedule, shiftsFrom, slope } from '../gaussian-model.test-helper.ts'
import { Dpo, DpoSettings } from './dpo.ts'

useThreads(1)

const [count, elements, seed] = [8, 4, 7]
const x0 = Array.from({ length: count }, (_, i) => Array.from({ length: elements }, (_, k) => Math.sin(3 * i + k)))
const textOf = (i: number) => (i % 2 === 0 ? 'low' : 'high')
const pairs = [
  { better: 0, worse: 2, text: textOf(0), isTie: false, weight: 1 },
  { better: 3, worse: 1, text: textOf(1), isTie: false, weight: 0.5 },
  { better: 4, worse: 6, text: textOf(0), isTie: true, weight: 1 },
  { better: 5, worse: 7, text: textOf(1), isTie: false, weight: 2 },
]

function training(settings: Partial<DpoSettings>, shifts?: number[][]): Dpo {
  return new Dpo({
    ...{ model: gaussianModel(), trainable: shiftsFrom(shifts), seed, pairs },
    states: { x0: tensor(x0.flat(), [count, 1, 2, 2]), earlier: [] },
    settings: DpoSettings.parse({ batchSize: 6, beta: 3, heldOut: 0, updates: 40, learningRate: 1e-3, ...settings }),
  })
}

/** By hand: loss, errors and gradient of the first update. */
function byHand(shifts: readonly (readonly number[])[], { beta, ties }: { beta: number; ties: DpoSettings['ties'] }) {
  const used = pairs.filter(({ isTie }) => !isTie || ties === 'davidson')
  const stream = random(...policyStreams.choices(seed, 0))
  const batch = Array.from({ length: 6 }, () => stream.pick(used))
  const generator = new Generator(seedOf(...policyStreams.generatedNoise(seed, 0)))
  const times = process.drawTimes(6, generator).toArray()
  const noise = randn([6, 1, 2, 2], generator).toArray()
  const total = batch.reduce((sum, { weight }) => sum + weight, 0)
  const tieWeight = used.filter(({ isTie }) => isTie).reduce((sum, { weight }) => sum + weight, 0)
  const tieShare = tieWeight / used.reduce((sum, { weight }) => sum + weight, 0)
  const nu = (2 * tieShare) / (1 - tieShare)
  const alphaBar = schedule.alphaBar
  const error = (image: number, place: number, shift: number) => {
    const [signal, sigma] = [Math.sqrt(alphaBar[times[place]]), Math.sqrt(1 - alphaBar[times[place]])]
    const squares = x0[image].map((clean, k) => {
      const xt = signal * clean + sigma * noise[place * elements + k]
      return (slope * xt + offset + shift - clean) ** 2
    })
    return squares.reduce((sum, one) => sum + one, 0) / elements
  }
  const lossAt = (all: readonly (readonly number[])[]) => {
    const sums = { loss: 0, margin: 0, accuracy: 0, better: 0, worse: 0, betterReference: 0, worseReference: 0 }
    batch.forEach(({ better, worse, text, isTie, weight }, place) => {
      const shift = all[text === 'low' ? 1 : 2][times[place]]
      const [b, w] = [error(better, place, shift), error(worse, place, shift)]
      const [rb, rw] = [error(better, place, 0), error(worse, place, 0)]
      const d = (-beta / 2) * (b - rb - (w - rw))
      const odds = [Math.exp(d / 2), Math.exp(-d / 2), nu]
      const said = odds[isTie ? 2 : 0] / odds.reduce((sum, one) => sum + one, 0)
      const share = weight / total
      sums.loss -= share * Math.log(said)
      sums.margin += share * d
      sums.accuracy += share * (d > 0 ? 1 : d === 0 ? 0.5 : 0)
      sums.better += share * b
      sums.worse += share * w
      sums.betterReference += share * rb
      sums.worseReference += share * rw
    })
    return sums
  }
  const step = 1e-5
  const gradient = shifts.flatMap((row, i) =>
    row.map((_, k) => {
      const moved = (by: number) => shifts.map((each, j) => each.map((one, l) => (i === j && k === l ? one + by : one)))
      return (lossAt(moved(step)).loss - lossAt(moved(-step)).loss) / (2 * step)
    }),
  )
  return { ...lossAt(shifts), gradNorm: Math.hypot(...gradient) }
}

const near = (value: number, wanted: number, bound = 1e-5) =>
  assert.ok(Math.abs(value - wanted) <= bound * Math.max(1, Math.abs(wanted)), `${value}, by hand ${wanted}`)

describe('Diffusion-DPO', () => {
  for (const ties of ['drop', 'davidson'] as const) {
    it(`has the loss, errors and gradient of the formula, ties ${ties}`, () => {
      using _scope = tensorScope()
      const shifts = [0, 1, 2].map((text) => [0, 1, 2, 3].map((time) => (text * (time - 1.5)) / 10))
      const row = training({ ties }, shifts).step()
      const wanted = byHand(shifts, { beta: 3, ties })
      near(row.dpo_loss, wanted.loss)
      near(row.margin, wanted.margin)
      near(row.accuracy, wanted.accuracy)
      near(row.better_error, wanted.better)
      near(row.worse_error, wanted.worse)
      near(row.better_reference_error, wanted.betterReference)
      near(row.worse_reference_error, wanted.worseReference)
      near(row.grad_norm, wanted.gradNorm, 1e-4)
    })
  }

  it('begins at log 2, with a policy that holds all pairs equal', () => {
    using _scope = tensorScope()
    const { dpo_loss: loss, accuracy, margin } = training({}).step()
    near(loss, Math.log(2), 1e-6)
    assert.deepEqual([accuracy, margin], [0.5, 0])
  })

  it('is the same in parts', () => {
    using _scope = tensorScope()
    const rows = [1, 4].map((gradientAccumulationSteps) => training({ gradientAccumulationSteps }).step())
    for (const [name, value] of Object.entries(rows[0])) near(rows[1][name as 'dpo_loss'], value!, 1e-6)
  })

  it('learns to prefer what was preferred', () => {
    using _scope = tensorScope()
    const learner = training({ learningRate: 0.05, updates: 120, beta: 20 })
    const rows = Array.from({ length: 120 }, () => learner.step())
    assert.ok(rows.at(-1)!.dpo_loss < 0.8 * rows[0].dpo_loss)
    const last = rows.slice(-20).map(({ accuracy }) => accuracy)
    assert.ok(last.reduce((sum, one) => sum + one, 0) / 20 > 0.75)
  })

  it('measures pairs of prompts that it is not trained on, always at the same noise', () => {
    using _scope = tensorScope()
    const held = () => training({ heldOut: 0.5, heldOutEvery: 2, updates: 5 })
    const learner = held()
    const rows = Array.from({ length: 5 }, () => learner.step())
    assert.deepEqual(rows.map((row) => 'heldout_accuracy' in row), [false, true, false, true, true]) // prettier-ignore
    const { pairs: trained, heldOutPairs } = learner.results as Record<string, number>
    assert.equal(trained + heldOutPairs, 3)
    const still = training({ heldOut: 0.5, heldOutEvery: 1, updates: 5, learningRate: 1e-30 })
    const [first, second] = [still.step(), still.step()]
    assert.equal(first.heldout_loss, second.heldout_loss)
  })

  it('says so where no pair tells images apart', () => {
    using _scope = tensorScope()
    const tie = { ...pairs[2] }
    const begin = (some: typeof pairs, ties: 'drop' | 'davidson') =>
      new Dpo({
        ...{ model: gaussianModel(), trainable: shiftsFrom(), seed, pairs: some },
        states: { x0: tensor(x0.flat(), [count, 1, 2, 2]), earlier: [] },
        settings: DpoSettings.parse({ ties, heldOut: 0 }),
      })
    assert.throws(() => begin([], 'drop'), /pairs: expected some in which one image is better.*received none/)
    assert.throws(() => begin([tie, tie], 'davidson'), /received 2 ties/)
  })
})
