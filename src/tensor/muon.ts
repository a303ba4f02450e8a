/**
 * Muon (Keller Jordan 2024, kellerjordan.github.io/posts/muon): momentum whose update is made orthogonal by
 * Newton–Schulz steps, so that every direction of a weight matrix moves equally. For the matrices inside a network;
 * leave embeddings, biases, gains and the last layer to AdamW.
 *
 * Departures: 1. Newton–Schulz runs in float32 unless asked for bfloat16 (no slower on a CPU without bfloat16 products).
 */
import { ShapeError } from '../errors.ts'
import { noGrad } from './autograd.ts'
import { zeros } from './create.ts'
import type { Dtype } from './dtype.ts'
import { copyState, type Optimiser } from './optimise.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const lerp = operator<[self: Tensor, end: Tensor, weight: number], Tensor>('lerp', 'Scalar')
const addmm = operator<[self: Tensor, left: Tensor, right: Tensor, beta: number, alpha: number], Tensor>('addmm')
const addScaled_ = operator<[self: Tensor, other: Tensor, alpha: number], Tensor>('add_', 'Tensor')

/**
 * An approximation of U Vᵀ for the matrix U S Vᵀ: five steps X ← a X + (b A + c A²) X with A = X Xᵀ; its singular
 * values end up between about 0.7 and 1.2.
 * @param matrix [m, n]
 * @returns [m, n], in `dtype`
 */
export function orthogonalise(matrix: Tensor, dtype: Dtype = 'float32'): Tensor {
  const [a, b, c] = [3.4445, -4.775, 2.0315]
  const tall = matrix.shape[0] > matrix.shape[1]
  const start = matrix.to(dtype)
  let x = tall ? start.transpose(0, 1) : start
  x = x.div(x.norm().clamp(1e-7))
  for (let step = 0; step < 5; step++) {
    const gram = x.matmul(x.transpose(0, 1))
    x = addmm(x, addmm(gram, gram, gram, b, c), x, a, 1)
  }
  return tall ? x.transpose(0, 1) : x
}

/** The numbers of `torch.optim.Muon` where `newtonSchulz` is bfloat16. The state belongs to the scope it is made in. */
export class Muon implements Optimiser {
  readonly #moving = new Map<string, { readonly parameter: Tensor; readonly momentum: Tensor }>()
  readonly #learningRate: number
  readonly #momentum: number
  readonly #weightDecay: number
  readonly #newtonSchulz: Dtype

  /**
   * @param parameters of two dimensions or more; a convolution's [out, in, k, k] is taken as [out, in·k·k]
   * @throws {ShapeError} a parameter has fewer dimensions
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    options: {
      readonly learningRate: number
      readonly momentum?: number
      /** Decoupled: each step multiplies parameters by 1 − learningRate · weightDecay. */
      readonly weightDecay?: number
      readonly newtonSchulz?: Dtype
    },
  ) {
    this.#learningRate = options.learningRate
    this.#momentum = options.momentum ?? 0.95
    this.#weightDecay = options.weightDecay ?? 0
    this.#newtonSchulz = options.newtonSchulz ?? 'float32'
    for (const [name, parameter] of parameters) {
      const { shape, dtype, device } = parameter
      if (shape.length < 2) {
        throw new ShapeError({
          where: `Muon ${name}`,
          expected: 'a matrix',
          received: `shape [${shape.join(', ')}]`,
          remedy: 'give vectors and scalars to AdamW',
        })
      }
      this.#moving.set(name, { parameter, momentum: zeros(shape, dtype, device) })
    }
  }

  step(learningRate = this.#learningRate): void {
    using _noGrad = noGrad()
    for (const { parameter, momentum } of this.#moving.values()) {
      using _scope = tensorScope()
      const gradient = parameter.grad
      if (gradient === undefined) continue
      momentum.lerp_(gradient, 1 - this.#momentum)
      const ahead = lerp(gradient, momentum, this.#momentum)
      const matrix = ahead.flatten(1)
      const [rows, columns] = matrix.shape
      const update = orthogonalise(matrix, this.#newtonSchulz).reshape(...parameter.shape)
      if (this.#weightDecay > 0) parameter.mul_(1 - learningRate * this.#weightDecay)
      addScaled_(parameter, update, -learningRate * Math.sqrt(Math.max(1, rows / columns)))
    }
  }

  /** `momentum_buffer.<parameter>`. */
  state(): Map<string, Tensor> {
    return new Map([...this.#moving].map(([name, { momentum }]) => [`momentum_buffer.${name}`, momentum]))
  }

  /** @throws {FormatError} */
  load(state: ReadonlyMap<string, Tensor>): void {
    copyState('Muon', this.state(), state)
  }
}
