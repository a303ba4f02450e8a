/** AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, Algorithm 2), in one fused call for all parameters. */
import { noGrad } from './autograd.ts'
import { zeros } from './create.ts'
import { copyState, type Optimiser } from './optimise.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const advance_ = operator<[steps: readonly Tensor[], by: number], void>('_foreach_add_', 'Scalar')
const fusedAdamW_ = operator<
  [
    parameters: readonly Tensor[],
    gradients: readonly Tensor[],
    means: readonly Tensor[],
    squares: readonly Tensor[],
    largestSquares: readonly Tensor[],
    steps: readonly Tensor[],
    learningRate: number,
    beta1: number,
    beta2: number,
    weightDecay: number,
    epsilon: number,
    amsgrad: boolean,
    maximize: boolean,
  ],
  void
>('_fused_adamw_')

interface Moments {
  readonly parameter: Tensor
  readonly mean: Tensor
  readonly square: Tensor
  readonly step: Tensor
}

/** The numbers of `torch.optim.AdamW(fused=True)`. The state belongs to the scope in which the optimiser is made. */
export class AdamW implements Optimiser {
  readonly #moments = new Map<string, Moments>()
  readonly #learningRate: number
  readonly #betas: readonly [number, number]
  readonly #epsilon: number
  readonly #weightDecay: number

  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    options: {
      readonly learningRate: number
      /** Decay of the running mean of the gradient and of its square. */
      readonly betas?: readonly [number, number]
      readonly epsilon?: number
      /** Decoupled from the gradient: each step multiplies parameters by 1 − learningRate · weightDecay. */
      readonly weightDecay?: number
    },
  ) {
    this.#learningRate = options.learningRate
    this.#betas = options.betas ?? [0.9, 0.999]
    this.#epsilon = options.epsilon ?? 1e-8
    this.#weightDecay = options.weightDecay ?? 0
    for (const [name, parameter] of parameters) {
      const { shape, dtype, device } = parameter
      const mean = zeros(shape, dtype, device)
      const square = zeros(shape, dtype, device)
      this.#moments.set(name, { parameter, mean, square, step: zeros([], 'float32', device) })
    }
  }

  step(learningRate = this.#learningRate): void {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const moving: Moments[] = []
    const gradients: Tensor[] = []
    for (const moments of this.#moments.values()) {
      const gradient = moments.parameter.grad
      if (gradient === undefined) continue
      moving.push(moments)
      gradients.push(gradient)
    }
    if (moving.length === 0) return
    const steps = moving.map(({ step }) => step)
    advance_(steps, 1)
    fusedAdamW_(
      moving.map(({ parameter }) => parameter),
      gradients,
      moving.map(({ mean }) => mean),
      moving.map(({ square }) => square),
      [],
      steps,
      learningRate,
      this.#betas[0],
      this.#betas[1],
      this.#weightDecay,
      this.#epsilon,
      false,
      false,
    )
  }

  /** `exp_avg.<parameter>`, `exp_avg_sq.<parameter>` and `step.<parameter>`. */
  state(): Map<string, Tensor> {
    const state = new Map<string, Tensor>()
    for (const [name, { mean, square, step }] of this.#moments) {
      state.set(`exp_avg.${name}`, mean)
      state.set(`exp_avg_sq.${name}`, square)
      state.set(`step.${name}`, step)
    }
    return state
  }

  /** @throws {FormatError} */
  load(state: ReadonlyMap<string, Tensor>): void {
    copyState('AdamW', this.state(), state)
  }
}
