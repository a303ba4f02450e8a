/** Numbers of sampling steps beside tensors of samples that stand at them. */
import { full, tensor } from '../tensor/create.ts'
import type { Dtype } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { alongBatch } from './per-sample.ts'

/** The numbers of a kind of step, by their names. */
type NumberOf<S> = { [K in keyof S]: S[K] extends number ? K : never }[keyof S] & string

/**
 * The steps at which B samples stand, with their numbers on a device: all came in one copy, or in none where all samples
 * stand at the same step. In float64, so that a coefficient is rounded once, to the element type that it is used in.
 */
export class StepRows<S extends object> {
  readonly #steps: readonly S[]
  readonly #device: string
  /** The step of all samples. */
  readonly #only: S | undefined
  /** [numbers, B] float64 where samples stand at different steps. */
  readonly #table: Tensor | undefined
  readonly #names: readonly string[]

  /** Its tensor belongs to the scope in force. */
  constructor(steps: readonly S[], device: string, table?: Tensor) {
    this.#steps = steps
    this.#device = device
    const [first] = steps
    this.#only = steps.every((step) => step === first) ? first : undefined
    const numbers = Object.entries(first ?? {}).filter(([, value]) => typeof value === 'number')
    this.#names = numbers.map(([name]) => name)
    if (this.#only !== undefined) return
    const rows = this.#names.flatMap((name) => steps.map((step) => (step as Record<string, number>)[name]))
    this.#table = table ?? tensor(Float64Array.from(rows), [this.#names.length, steps.length]).to(device)
  }

  get count(): number {
    return this.#steps.length
  }

  /** Samples [from, to). */
  slice(from: number, to: number): StepRows<S> {
    return new StepRows(this.#steps.slice(from, to), this.#device, this.#table?.slice(1, from, to))
  }

  /** A number of each sample's step, [B]. */
  of(name: NumberOf<S>, dtype: Dtype): Tensor {
    if (this.#only !== undefined) return full([this.count], this.#only[name] as number, dtype, this.#device)
    return this.#table!.select(0, this.#names.indexOf(name)).to(dtype)
  }

  /**
   * Samples [B, …] times a number of each one's step, rounded to the element type of the states [B, …].
   */
  times(name: NumberOf<S>, samples: Tensor, states: Tensor): Tensor {
    if (this.#only === undefined) return alongBatch(name, this.of(name, states.dtype), states).mul(samples)
    const number = this.#only[name] as number
    const wide = samples.dtype === 'float64' ? samples : samples.to(states.dtype)
    return wide.mul(states.dtype === 'float64' ? number : Math.fround(number))
  }
}
