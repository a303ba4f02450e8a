/**
 * The parameters of a network, by name. A network is a function of its weights, and declares each parameter where it
 * uses it: in fresh weights the first use draws the initial value, in loaded weights it checks the shape.
 *
 * A fine-tuned policy and its frozen reference are the same network over two views of the same weights: the view of the
 * policy puts trained tensors or low-rank adapters in front, and whatever is not trained is held once.
 */
import { FormatError } from '../errors.ts'
import { seedOf } from '../random.ts'
import { ones, randn, zeros } from '../tensor/create.ts'
import { conv2d, linear } from '../tensor/functional.ts'
import { Generator } from '../tensor/generator.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** How a parameter starts: normal with standard deviation 1/√fan-in times a gain, zeros, or ones. */
export type Initial = { readonly gain: number } | 'zeros' | 'ones'

/** Low-rank change of one weight: W + scale · up · down (Hu et al. 2021, LoRA). */
export interface Adapter {
  /** [rank, in] */
  readonly down: Tensor
  /** [out, rank] */
  readonly up: Tensor
  /** alpha / rank */
  readonly scale: number
}

/** What a fine-tuning run changes; everything else stays as it was pre-trained. */
export interface Delta {
  /** Full replacements of parameters. */
  readonly trained?: ReadonlyMap<string, Tensor>
  /** Adapters by the name of the weight that they change. */
  readonly adapters?: ReadonlyMap<string, Adapter>
}

function nameHash(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) >>> 0
  return hash
}

export class Weights {
  readonly #tensors: Map<string, Tensor>
  readonly #seed: number | undefined
  readonly #delta: Delta
  readonly #prefix: string

  private constructor(tensors: Map<string, Tensor>, seed: number | undefined, delta: Delta, prefix: string) {
    this.#tensors = tensors
    this.#seed = seed
    this.#delta = delta
    this.#prefix = prefix
  }

  /** Weights that are drawn as the network asks for them; the value depends on the seed and the name alone. */
  static fresh(seed: number): Weights {
    return new Weights(new Map(), seed, {}, '')
  }

  static of(tensors: ReadonlyMap<string, Tensor>): Weights {
    return new Weights(new Map(tensors), undefined, {}, '')
  }

  /** The same parameters with a change in front. The delta replaces any earlier one. */
  with(delta: Delta): Weights {
    return new Weights(this.#tensors, this.#seed, delta, this.#prefix)
  }

  /** The part below a name: `weights.at('middle.0')`. */
  at(name: string): Weights {
    return new Weights(this.#tensors, this.#seed, this.#delta, `${this.#prefix}${name}.`)
  }

  /** All parameters of the underlying network, without any delta. */
  tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors
  }

  /**
   * A parameter of this shape.
   * @throws {FormatError} missing, or of another shape
   */
  parameter(name: string, shape: readonly number[], initial: Initial): Tensor {
    const full = this.#prefix + name
    const known = this.#delta.trained?.get(full) ?? this.#tensors.get(full)
    if (known !== undefined) {
      const actual = known.shape
      if (actual.length === shape.length && actual.every((size, i) => size === shape[i])) return known
      throw new FormatError({
        where: full,
        expected: `shape [${shape.join(', ')}]`,
        received: `[${actual.join(', ')}]`,
        remedy: 'these weights belong to another network',
      })
    }
    if (this.#seed === undefined) {
      throw new FormatError({
        where: full,
        expected: `a tensor of shape [${shape.join(', ')}]`,
        received: 'no tensor of this name',
        remedy: 'these weights belong to another network, or the file is incomplete',
      })
    }
    const made = unscoped(() => this.#draw(full, shape, initial))
    this.#tensors.set(full, made)
    return made
  }

  #draw(name: string, shape: readonly number[], initial: Initial): Tensor {
    if (initial === 'zeros') return zeros(shape)
    if (initial === 'ones') return ones(shape)
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
    const generator = new Generator(seedOf(this.#seed!, nameHash(name)))
    return randn(shape, generator).mul_(initial.gain / Math.sqrt(fanIn))
  }

  /** Affine map x Wᵀ + b of the last dimension, with the adapter of its weight where there is one. */
  linear(name: string, x: Tensor, inputs: number, outputs: number, gain = 1, bias = true): Tensor {
    const weight = this.parameter(`${name}.weight`, [outputs, inputs], gain === 0 ? 'zeros' : { gain })
    const offset = bias ? this.parameter(`${name}.bias`, [outputs], 'zeros') : undefined
    const y = linear(x, weight, offset)
    const adapter = this.#delta.adapters?.get(`${this.#prefix}${name}.weight`)
    return adapter === undefined ? y : y.add(linear(linear(x, adapter.down), adapter.up).mul(adapter.scale))
  }

  /** Convolution with an odd kernel that keeps height and width. */
  conv(name: string, x: Tensor, inputs: number, outputs: number, kernel: number, gain = 1): Tensor {
    const weight = this.parameter(`${name}.weight`, [outputs, inputs, kernel, kernel], gain === 0 ? 'zeros' : { gain })
    return conv2d(x, weight, this.parameter(`${name}.bias`, [outputs], 'zeros'), 1, (kernel - 1) / 2)
  }
}
