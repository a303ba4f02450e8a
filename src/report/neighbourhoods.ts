/**
 * Two sets of images by their neighbourhoods: the ball around each image that reaches to its k-th nearest neighbour in its
 * own set. Together the balls of a set cover where its images may lie.
 */
import { noGrad } from '../tensor/autograd.ts'
import { cat } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import { operator, type Tensor } from '../tensor/tensor.ts'
import { comparedRows, rowBlocks } from './feature-rows.ts'

const kthValue = operator<[self: Tensor, k: number, dim: number], [values: Tensor, indices: Tensor]>('kthvalue')

/** What each image adds; the mean over images is the measure. */
export interface Neighbourhoods {
  /** Of each image x: 1 where it lies in the ball of any y. */
  readonly precision: readonly number[]
  /** Of each image y: 1 where it lies in the ball of any x. */
  readonly recall: readonly number[]
  /** Of each image x: in how many balls of y it lies, divided by k. */
  readonly density: readonly number[]
  /** Of each image y: 1 where its ball has any x. */
  readonly coverage: readonly number[]
}

/**
 * @param features  x [n, d], of the images that are measured, n > k
 * @param reference y [m, d], of true ones, m > k
 * @param k         neighbours, the image itself not counted
 * @returns         memory grows with n + m, not with n·m
 * @throws {ShapeError} k rows or fewer, or features of another width
 * @throws {DivergenceError} a feature is NaN or infinite
 * @see Kynkäänniemi et al. 2019 (arXiv:1904.06991), §3.1, of precision and recall; Naeem et al. 2020 (arXiv:2002.09797), §3, of density and coverage
 */
export function neighbourhoods(features: Tensor, reference: Tensor, k: number): Neighbourhoods {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const [x, y] = comparedRows('neighbourhoods', features, reference, k + 1)
  const [own, theirs] = [radii(x, k), radii(y, k)]
  const precision: number[] = []
  const density: number[] = []
  let recall = theirs.mul(0)
  let covering = theirs.mul(0)
  let from = 0
  for (const block of rowBlocks(x, y.shape[0])) {
    using scope = tensorScope()
    const apart = squaredDistances(block, y) // [b, m]
    const inTheirs = apart.gt(theirs.unsqueeze(0)).logicalNot().to('float64')
    const inOwn = apart
      .gt(own.slice(0, from, from + block.shape[0]).unsqueeze(1))
      .logicalNot()
      .to('float64')
    precision.push(...inTheirs.amax(1).toArray())
    density.push(...inTheirs.sum(1).div(k).toArray())
    recall = scope.keep(recall.maximum(inOwn.amax(0)))
    covering = scope.keep(covering.maximum(inTheirs.amax(0)))
    from += block.shape[0]
  }
  return { precision, density, recall: recall.toArray(), coverage: covering.toArray() }
}

/** Of a distance, so that rounding puts no image out of the ball that it bounds. */
const slack = 1 + 1e-9

/** Squared distance of each row to the k-th nearest other one, a little more. */
function radii(rows: Tensor, k: number): Tensor {
  using scope = tensorScope()
  const found = rowBlocks(rows, rows.shape[0]).map((block) => {
    using inner = tensorScope()
    // The nearest of all is the row itself.
    return inner.keep(kthValue(squaredDistances(block, rows), k + 1, 1)[0])
  })
  return scope.keep(cat(found).mul(slack))
}

/** Of the squares' sum; nearer rows are equal, since no more than this is left of a difference of squares. */
const same = 1e-13

/** ‖aᵢ − bⱼ‖² [n, m] of rows [n, d] and [m, d]. */
function squaredDistances(a: Tensor, b: Tensor): Tensor {
  const squares = a.square().sum(1).unsqueeze(1).add(b.square().sum(1).unsqueeze(0))
  const apart = squares.sub(a.matmul(b.transpose(0, 1)).mul(2))
  return apart.mul(apart.gt(squares.mul(same)).to('float64'))
}
