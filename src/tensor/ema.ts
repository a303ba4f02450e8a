import { noGrad } from './autograd.ts'
import { copyState } from './optimise.ts'
import { operator, type Tensor } from './tensor.ts'

const lerpAll_ = operator<[averages: readonly Tensor[], towards: readonly Tensor[], weight: number], void>(
  '_foreach_lerp_',
  'Scalar',
)

/**
 * Exponential moving average of parameters: average ← decay · average + (1 − decay) · parameter, starting at the
 * parameters. The averages belong to the scope in which this is made.
 */
export class Ema {
  readonly #parameters: readonly Tensor[]
  readonly #averages: Map<string, Tensor>
  readonly #decay: number

  /** @param decay in [0, 1); 0.999 averages over about 1000 updates */
  constructor(parameters: ReadonlyMap<string, Tensor>, decay: number) {
    using _noGrad = noGrad()
    this.#parameters = [...parameters.values()]
    this.#averages = new Map([...parameters].map(([name, parameter]) => [name, parameter.detach().clone()]))
    this.#decay = decay
  }

  /** Call it after each step of the optimiser. @param decay another one for this time, in [0, 1]; with 0 a copy */
  update(decay = this.#decay): void {
    using _noGrad = noGrad()
    lerpAll_([...this.#averages.values()], this.#parameters, 1 - decay)
  }

  /** The living averages by the names of the parameters. */
  values(): Map<string, Tensor> {
    return new Map(this.#averages)
  }

  /** The living averages as `ema.<parameter>`. */
  state(): Map<string, Tensor> {
    return new Map([...this.#averages].map(([name, average]) => [`ema.${name}`, average]))
  }

  /** @throws {FormatError} */
  load(state: ReadonlyMap<string, Tensor>): void {
    copyState('Ema', this.state(), state)
  }
}
