/** The loss of DiffusionNFT by hand, its gradient, and the fixed point that the paper's theorem names. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose, float64, withoutLeak } from '../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../errors.ts'
import { gradients } from '../tensor/autograd.ts'
import { full, randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { cappedWeight, nftLosses, optimality } from './nft-loss.ts'

useThreads(1)

const policy = [0.4, -1, 2, 0.3, 0.2, -0.7]
const old = [0.1, -0.5, 1.5, 0.2, -0.2, 0.1]
const target = [1, -0.3, 0.7, 0.9, 0.4, -1.5]
const shares = [0.8, 0.35]
const weights = [0.3, 1]
const elements = 3

interface Parts {
  readonly beta: number
  /** w± of both samples, where they are not those of the predictions themselves. */
  readonly sizes?: readonly (readonly [plus: number, minus: number])[]
}

/** Of two samples of three elements. */
function byHand(said: readonly number[], { beta, sizes }: Parts) {
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
  const all = shares.map((share, row) => {
    const errors = ([1, -1] as const).map((sign) =>
      Array.from({ length: elements }, (_, k) => {
        const at = row * elements + k
        return weights[row] * (old[at] + sign * beta * (said[at] - old[at]) - target[at])
      }),
    )
    const own = errors.map((side) => mean(side.map(Math.abs)))
    const [plus, minus] = sizes?.[row] ?? own
    const [good, bad] = errors.map((side) => mean(side.map((one) => one ** 2)))
    return { loss: (share * good) / plus / beta + ((1 - share) * bad) / minus / beta, sizes: own as [number, number] }
  })
  return { losses: all.map(({ loss }) => loss), sizes: all.map((one) => one.sizes) }
}

const tensors = (said: readonly number[]) => ({
  policy: float64(said, 2, elements).requireGrad(),
  old: float64(old, 2, elements),
  target: float64(target, 2, elements),
  optimality: float64(shares),
  weight: float64(weights),
})

describe('the loss of DiffusionNFT', () => {
  for (const beta of [0.1, 1, 3]) {
    it(`is the formula by hand, and its gradient that of the formula with w± held, β = ${beta}`, () => {
      withoutLeak(() => {
        const given = tensors(policy)
        const losses = nftLosses(given, beta)
        const { losses: wanted, sizes } = byHand(policy, { beta })
        assertClose(losses.toArray(), wanted)
        const [gradient] = gradients([losses.sum()], [given.policy])
        const lossAt = (k: number, by: number) => {
          const moved = policy.map((one, i) => (i === k ? one + by : one))
          return byHand(moved, { beta, sizes }).losses.reduce((sum, one) => sum + one, 0)
        }
        const differences = policy.map((_, k) => (lossAt(k, 1e-5) - lossAt(k, -1e-5)) / 2e-5)
        assertClose(gradient!.toArray(), differences, 1e-7)
      })
    })

    it(`has at θ = θ_old the gradient 2 (2r − 1) c (p_old − y)/(D mean |p_old − y|), β = ${beta}`, () => {
      withoutLeak(() => {
        const given = tensors(old)
        const [gradient] = gradients([nftLosses(given, beta).sum()], [given.policy])
        const wanted = old.map((one, at) => {
          const row = Math.floor(at / elements)
          const errors = Array.from(
            { length: elements },
            (_, k) => old[row * elements + k] - target[row * elements + k],
          )
          const size = errors.reduce((sum, error) => sum + Math.abs(error), 0)
          return (2 * (2 * shares[row] - 1) * weights[row] * (one - target[at])) / size
        })
        assertClose(gradient!.toArray(), wanted)
      })
    })
  }

  it('is least at v_old + (2/β) Δ, as the theorem of the paper has it', () => {
    // Clean images ±d and noise, as likely; those at +d are optimal with probability ρ, those at −d with 1 − ρ. The old
    // policy says their mean, 0. Optimal ones have the mean (2ρ − 1) d and make up one half: Δ = (2ρ − 1) d / 2.
    const [count, size, d, rho, beta] = [400, 256, 0.1, 0.9, 0.5]
    using _scope = tensorScope()
    const generator = new Generator(3)
    const sides = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1 : -1))
    const y = randn([count, size], generator, 'float64').add(float64(sides.map((side) => side * d)).unsqueeze(1))
    const given = {
      old: full([count, size], 0, 'float64'),
      target: y,
      optimality: float64(sides.map((side) => (side > 0 ? rho : 1 - rho))),
      weight: full([count], 1, 'float64'),
    }
    let said = 0
    for (let step = 0; step < 40; step++) {
      using _step = tensorScope()
      const leaf = float64([said]).requireGrad()
      const loss = nftLosses({ ...given, policy: leaf.unsqueeze(0).expand(count, size) }, beta).mean()
      const [gradient] = gradients([loss], [leaf])
      // The curvature is 2β/w, and w is √(2/π) of a standard normal error.
      said -= (gradient!.item() * Math.sqrt(2 / Math.PI)) / (2 * beta)
    }
    const wanted = (2 / beta) * ((2 * rho - 1) * d) * 0.5
    assert.ok(Math.abs(said - wanted) < 0.06 * wanted, `${said}, the theorem ${wanted}`)
  })

  it('is 0 where nothing is left to explain, and finite there', () => {
    withoutLeak(() => {
      const given = { ...tensors(target), old: float64(target, 2, elements) }
      const losses = nftLosses(given, 1)
      assert.deepEqual(losses.toArray(), [0, 0])
      assert.deepEqual(gradients([losses.sum()], [given.policy])[0]!.toArray(), target.map(() => 0)) // prettier-ignore
    })
  })

  it('refuses shapes that do not fit', () => {
    withoutLeak(() => {
      const given = tensors(policy)
      assert.throws(() => nftLosses({ ...given, old: float64([1]) }, 1), ShapeError)
      assert.throws(() => nftLosses({ ...given, weight: float64([1, 2, 3]) }, 1), ShapeError)
    })
  })
})

it('optimality is linear in the advantage, from 0 to 1', () => {
  assert.deepEqual([-7, -5, 0, 2.5, 5, 9].map(optimality), [0, 0, 0.5, 0.75, 1, 1])
})

it('a weight is that of the clean image up to 1', () => {
  withoutLeak(() => assertClose(cappedWeight(float64([0, 0.4, 1, 14.6])).toArray(), [0, 0.4, 1, 1]))
})
