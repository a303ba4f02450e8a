/**
 * The parameters of a network, by name. A network is a function of its weights, and declares each parameter where it
 * uses it: in fresh weights the first use draws the initial value, in loaded weights it checks the shape.
 *
 * A fine-tuned policy and its frozen reference are the same network over two views of the same weights: the view of the
 * policy puts trained tensors or low-rank adapters in front, and whatever is not trained is held once.
 */
import { FormatError } from '../errors.ts'
import { seedOf } from '../random.ts'
import { parameterWeights } from '../streams.ts'
import { wantsGrad } from '../tensor/autograd.ts'
import { convertImage, groupNormOfPlaces, type ImageOrder } from '../tensor/channels-last.ts'
import { ones, randn, zeros } from '../tensor/create.ts'
import type { Dtype } from '../tensor/dtype.ts'
import { conv2d, groupNorm, layerNorm, linear } from '../tensor/functional.ts'
import { Generator } from '../tensor/generator.ts'
import { lowRankLinear } from '../tensor/low-rank.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { imageOrderOn, inOrder } from './image-order.ts'

/** How a parameter starts: normal with standard deviation 1/√fan-in times a gain, zeros, or ones. */
export type Initial = { readonly gain: number } | 'zeros' | 'ones'

/**
 * Low-rank change of one weight: W + scale · up · down (Hu et al. 2021, LoRA). Of a convolution, `down` has its kernel,
 * stride and padding, and `up` is 1 × 1.
 */
export interface Adapter {
  /** [rank, in], or [rank, in, k, k] */
  readonly down: Tensor
  /** [out, rank], or [out, rank, 1, 1] */
  readonly up: Tensor
  /** alpha / rank */
  readonly scale: number
}

/** What a fine-tuning run changes; everything else stays as it was pre-trained. */
export interface Change {
  /** Full replacements of parameters. */
  readonly trained?: ReadonlyMap<string, Tensor>
  /** Adapters by the name of the weight that they change. */
  readonly adapters?: ReadonlyMap<string, Adapter>
}

/** A leaf of the same shape and type without elements; it wants a gradient where the tensor does. */
export function hollow(tensor: Tensor): Tensor {
  const made = zeros(tensor.shape, tensor.dtype, 'meta')
  return tensor.requiresGrad ? made.requireGrad() : made
}

/** A change by its shapes alone. */
export function hollowChange({ trained, adapters }: Change): Change {
  return {
    trained: new Map([...(trained ?? [])].map(([name, tensor]) => [name, hollow(tensor)])),
    adapters: new Map(
      [...(adapters ?? [])].map(([name, { down, up, scale }]) => [name, { down: hollow(down), up: hollow(up), scale }]),
    ),
  }
}

function nameHash(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) >>> 0
  return hash
}

/** What all views of one network's weights share. */
interface Store {
  readonly tensors: Map<string, Tensor>
  /** Of fresh weights. */
  readonly seed: number | undefined
  readonly dtype: Dtype
  readonly device: string
  /** Of images on their way through the network. */
  readonly order: ImageOrder
  /** Names that a network has asked for so far. */
  readonly asked: Set<string>
}

/** Weights by name as networks ask for them, with what a policy changes in them. */
export class Weights {
  readonly #store: Store
  readonly #change: Change
  readonly #prefix: string

  private constructor(store: Store, change: Change, prefix: string) {
    this.#store = store
    this.#change = change
    this.#prefix = prefix
  }

  /** Weights that are drawn as the network asks for them; the value depends on the seed and the name alone. */
  static fresh(seed: number, { dtype = 'float32' as Dtype, device = 'cpu' } = {}): Weights {
    const order = imageOrderOn(device, dtype)
    return new Weights({ tensors: new Map(), seed, dtype, device, order, asked: new Set() }, {}, '')
  }

  /**
   * Loaded weights. All lie on one device. The network computes in `dtype`, in their own without it, and keeps its images in
   * `order`, in that of `imageOrderOn` without it, in which kernels of convolutions should lie.
   */
  static of(
    tensors: ReadonlyMap<string, Tensor>,
    given: { readonly dtype?: Dtype; readonly order?: ImageOrder } = {},
  ): Weights {
    const [first] = tensors.values()
    const { dtype = first?.dtype ?? 'float32' } = given
    const device = first?.device ?? 'cpu'
    const { order = imageOrderOn(device, dtype) } = given
    const store = { tensors: new Map(tensors), seed: undefined, dtype, device, order, asked: new Set<string>() }
    return new Weights(store, {}, '')
  }

  /** Element type in which the network computes. What is trained may be held in a wider one. */
  get dtype(): Dtype {
    return this.#store.dtype
  }

  get device(): string {
    return this.#store.device
  }

  /** The same parameters with a change in front. The change replaces any earlier one. */
  with(change: Change): Weights {
    return new Weights(this.#store, change, this.#prefix)
  }

  /**
   * The same tensors, of which a network computes in another element type: each is converted where it is used, so nothing is
   * held twice, and two types see the same values.
   */
  in(dtype: Dtype): Weights {
    const order = imageOrderOn(this.device, dtype)
    return new Weights({ ...this.#store, dtype, order }, this.#change, this.#prefix)
  }

  /**
   * The change with its adapters in the element type in which the network computes, for many passes without gradients, each of
   * which would convert them again. `undefined` where they are in it; new tensors belong to the scope in force.
   */
  convertedAdapters(): Change | undefined {
    const { adapters = new Map<string, Adapter>() } = this.#change
    if ([...adapters.values()].every(({ down, up }) => down.dtype === this.dtype && up.dtype === this.dtype))
      return undefined
    const converted = [...adapters].map(([name, adapter]) => [name, this.#inComputingType(adapter)] as const)
    return { ...this.#change, adapters: new Map(converted) }
  }

  /** The same parameters and change by their shapes alone, on the device `meta`; they belong to the scope in force. */
  hollow(): Weights {
    const { tensors, ...store } = this.#store
    const own = new Map([...tensors].map(([name, tensor]) => [name, hollow(tensor)]))
    return new Weights({ ...store, tensors: own, device: 'meta' }, hollowChange(this.#change), this.#prefix)
  }

  /** The part below a name: `weights.at('middle.0')`. */
  at(name: string): Weights {
    return new Weights(this.#store, this.#change, `${this.#prefix}${name}.`)
  }

  /** The shape of a parameter of loaded weights; undefined where there is none of this name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#store.tensors.get(this.#prefix + name)?.shape
  }

  /** Names of tensors that no network has asked for yet. */
  unasked(): string[] {
    return [...this.#store.tensors.keys()].filter((name) => !this.#store.asked.has(name))
  }

  /** All parameters of the underlying network, without any change. */
  tensors(): ReadonlyMap<string, Tensor> {
    return this.#store.tensors
  }

  /**
   * A parameter of this shape.
   * @throws {FormatError} missing, or of another shape
   */
  parameter(name: string, shape: readonly number[], initial: Initial): Tensor {
    const full = this.#prefix + name
    const { tensors, seed, asked } = this.#store
    asked.add(full)
    const known = this.#change.trained?.get(full) ?? tensors.get(full)
    if (known !== undefined) {
      const actual = known.shape
      if (actual.length === shape.length && actual.every((size, i) => size === shape[i])) return this.#inType(known)
      throw new FormatError({
        where: full,
        expected: `shape [${shape.join(', ')}]`,
        received: `[${actual.join(', ')}]`,
        remedy: 'these weights belong to another network',
      })
    }
    if (seed === undefined) {
      throw new FormatError({
        where: full,
        expected: `a tensor of shape [${shape.join(', ')}]`,
        received: 'no tensor of this name',
        remedy: 'these weights belong to another network, or the file is incomplete',
      })
    }
    const made = unscoped(() => this.#draw(full, shape, initial))
    tensors.set(full, made)
    return made
  }

  #draw(name: string, shape: readonly number[], initial: Initial): Tensor {
    const { seed, dtype, device } = this.#store
    if (initial === 'zeros' || device === 'meta') return zeros(shape, dtype, device)
    if (initial === 'ones') return ones(shape, dtype, device)
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
    const generator = new Generator(seedOf(...parameterWeights(seed!, nameHash(name))))
    const drawn = randn(shape, generator).mul_(initial.gain / Math.sqrt(fanIn))
    const placed = inOrder(drawn.to(dtype).to(device), this.#store.order)
    if (placed !== drawn) drawn.dispose()
    return placed
  }

  #inType(known: Tensor): Tensor {
    const { dtype, order } = this.#store
    if (known.dtype === dtype) return known
    return known.shape.length === 4 ? convertImage(known, dtype, order) : known.to(dtype)
  }

  /**
   * Affine map x Wᵀ + b of the last dimension, with the adapter of its weight where there is one: beside the weight on a GPU and
   * where gradients are wanted, else added to it where x has more rows than it would save.
   */
  linear(name: string, x: Tensor, inputs: number, outputs: number, gain = 1, bias = true): Tensor {
    const weight = this.parameter(`${name}.weight`, [outputs, inputs], gain === 0 ? 'zeros' : { gain })
    const offset = bias ? this.parameter(`${name}.bias`, [outputs], 'zeros') : undefined
    const adapter = this.#adapter(name)
    if (adapter === undefined) return linear(x, weight, offset)
    // A GPU waits for kernels, of which this takes least, and rounds alike with gradients and without.
    if (this.device !== 'cpu') return lowRankLinear(x, weight, offset, adapter)
    // In narrower types the sum of both would round a small change away.
    const isSummed = this.dtype === 'float32' && !wantsGrad() && x.numel > 2 * inputs * outputs
    if (isSummed) return linear(x, weight.add(scaledUp(adapter).matmul(adapter.down)), offset)
    return linear(x, weight, offset).add(linear(linear(x, adapter.down), scaledUp(adapter)))
  }

  /** Convolution; with the default padding an odd kernel keeps height and width. */
  conv(
    name: string,
    x: Tensor,
    inputs: number,
    outputs: number,
    kernel: number,
    gain = 1,
    { stride = 1, padding = (kernel - 1) / 2 } = {},
  ): Tensor {
    const weight = this.parameter(`${name}.weight`, [outputs, inputs, kernel, kernel], gain === 0 ? 'zeros' : { gain })
    const bias = this.parameter(`${name}.bias`, [outputs], 'zeros')
    const y = conv2d(x, weight, bias, stride, padding)
    const adapter = this.#adapter(name)
    if (adapter === undefined) return y
    return y.add(conv2d(conv2d(x, adapter.down, undefined, stride, padding), scaledUp(adapter), undefined))
  }

  /** Group normalisation of x [B, C, H, W] with scale and offset a channel. */
  groupNorm(name: string, x: Tensor, channels: number, groups: number, epsilon: number): Tensor {
    const [weight, bias] = this.#scaleAndOffset(name, channels)
    const norm = this.#store.order === 'places' ? groupNormOfPlaces : groupNorm
    return norm(x, groups, weight, bias, epsilon)
  }

  /** An image [B, C, H, W] in the order in which the network keeps its images; a new tensor where it lies in another. */
  image(x: Tensor): Tensor {
    return inOrder(x, this.#store.order)
  }

  /** Layer normalisation of the last dimension with scale and offset. */
  layerNorm(name: string, x: Tensor, width: number, epsilon: number): Tensor {
    const [weight, bias] = this.#scaleAndOffset(name, width)
    return layerNorm(x, weight, bias, epsilon)
  }

  #scaleAndOffset(name: string, width: number): [weight: Tensor, bias: Tensor] {
    return [this.parameter(`${name}.weight`, [width], 'ones'), this.parameter(`${name}.bias`, [width], 'zeros')]
  }

  #adapter(name: string): Adapter | undefined {
    const adapter = this.#change.adapters?.get(`${this.#prefix}${name}.weight`)
    return adapter === undefined ? undefined : this.#inComputingType(adapter)
  }

  /** Gradients reach the adapter in its own type. A scale is multiplied before a narrower type rounds. */
  #inComputingType(adapter: Adapter): Adapter {
    const { down, up, scale } = adapter
    if (up.dtype === this.dtype) return { down: this.#inType(down), up, scale }
    return { down: this.#inType(down), up: this.#inType(scaledUp(adapter)), scale: 1 }
  }
}

const scaledUp = ({ up, scale }: Adapter): Tensor => (scale === 1 ? up : up.mul(scale))
