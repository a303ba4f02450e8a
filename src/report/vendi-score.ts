/** Vendi score: how many different images a set has, as if those that are alike were one. */
import { noGrad } from '../tensor/autograd.ts'
import { cat } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import { operator, type Tensor } from '../tensor/tensor.ts'
import { featureRows } from './feature-rows.ts'

const eigenvalues = operator<[self: Tensor, uplo?: string], Tensor>('linalg_eigvalsh')

/**
 * exp(−Σ λ log λ) with λ the eigenvalues of K/n, Kᵢⱼ the cosine of xᵢ and xⱼ, in float64. Rows without a direction (zeros)
 * are like each other and like no other row. It takes the n × n matrix or, of the same eigenvalues, the d × d one,
 * whichever is smaller.
 *
 * @param features x [n, d], n ≥ 1
 * @returns        from 1, all point one way, to n, all at right angles
 * @throws {ShapeError} no row
 * @throws {DivergenceError} a feature is NaN or infinite
 * @see Friedman & Dieng 2023 (arXiv:2210.02410), Definition 3.1
 */
export function vendiScore(features: Tensor): number {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const rows = featureRows('vendiScore', features, 1)
  const [n, d] = rows.shape
  const lengths = rows.square().sum(1, true).sqrt()
  const isZero = lengths.eq(0).to('float64')
  const units = cat([rows.div(lengths.add(isZero)), isZero], 1) // [n, d + 1]
  const across = units.transpose(0, 1)
  const shares = eigenvalues((n <= d ? units.matmul(across) : across.matmul(units)).div(n)).toArray()
  return Math.exp(-shares.reduce((sum, share) => (share > 0 ? sum + share * Math.log(share) : sum), 0))
}
