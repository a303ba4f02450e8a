/**
 * Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174): blocks of a network keep their inputs alone and are
 * computed a second time on the way back, so memory grows with the number of blocks instead of with all that they
 * compute.
 *
 * ```ts
 * using graph = gradientCheckpoints(true)
 * const loss = …              // the network wraps its blocks in `checkpointed`
 * graph.backward(loss)
 * ```
 * A checkpointed block ends the graph: its output is a leaf. `backward` walks the blocks from the last to the first,
 * computes each again from its inputs, and hands the gradient of its inputs on to whatever made them. A block may hold
 * blocks: those are checkpointed while it is computed again, so a whole step of sampling costs no more memory then than
 * one pass with checkpoints does.
 */
import { TensorError } from '../errors.ts'
import { wantsGrad, withoutGradYet } from './autograd.ts'
import { native } from './library.ts'
import { calling } from './operator.ts'
import { tensorScope, unscoped } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const alias = operator<[Tensor], Tensor>('alias')

type Block = (...inputs: Tensor[]) => Tensor

/** An input that wants a gradient, with what has come back to it so far. */
interface Link {
  readonly input: Tensor
  /** Its place in the graph. */
  readonly end: Tensor
  /** The first block that reads it; when the way back has passed it, the gradient is complete. */
  readonly firstBlock: number
  gradient: Tensor | undefined
}

interface Checkpoint {
  readonly block: Block
  /** The values alone. */
  readonly inputs: readonly Tensor[]
  readonly links: readonly (Link | undefined)[]
  /** The value of the block; a leaf, where the gradient arrives. */
  readonly output: Tensor
}

/** One pass through a network and back. Dispose it with `using`. */
class GradientCheckpoints {
  readonly #checkpoints: Checkpoint[] = []
  readonly #links = new Map<Tensor, Link>()
  readonly #outer: GradientCheckpoints | undefined
  #isSpent = false

  constructor(outer: GradientCheckpoints | undefined) {
    this.#outer = outer
  }

  /** The value of a block, with nothing of its inside recorded. */
  run(block: Block, inputs: readonly Tensor[]): Tensor {
    using scope = tensorScope()
    const links = inputs.map((input) => (input.requiresGrad ? this.#linkOf(input) : undefined))
    // Where no input wants a gradient, the block's own graph tells whether a parameter does.
    const isReached = links.some((link) => link !== undefined)
    const value = isReached ? plainly(() => withoutGradYet(() => block(...inputs))) : nested(() => block(...inputs))
    if (!isReached && !value.requiresGrad) return scope.keep(value)
    const [output, ...values] = unscoped(() => [value, ...inputs].map((each) => each.detach()))
    this.#checkpoints.push({ block, inputs: values, links, output: output.requireGrad() })
    return scope.keep(alias(output))
  }

  #linkOf(input: Tensor): Link {
    const known = this.#links.get(input)
    if (known !== undefined) return known
    const link = { input, end: unscoped(() => alias(input)), firstBlock: this.#checkpoints.length, gradient: undefined }
    this.#links.set(input, link)
    return link
  }

  /**
   * Adds d(loss)/d(leaf) to the `grad` of every leaf that wants one, through all blocks. `loss` has one element.
   * @throws {TensorError} the second time: what the blocks kept is freed on the way back
   */
  backward(loss: Tensor): void {
    if (this.#isSpent) {
      throw new TensorError({
        where: 'gradient checkpoints',
        expected: 'one way back',
        received: 'a second one',
        remedy: 'add the losses up before, or begin another `gradientCheckpoints`',
      })
    }
    this.#isSpent = true
    this.#backFrom(loss, null)
  }

  /** @param gradient of the value; null for 1 */
  #backFrom(value: Tensor, gradient: Tensor | null): void {
    const isWhole = this.#checkpoints.length === 0
    pushBack([value], gradient === null ? null : [gradient], !isWhole)
    if (isWhole) return
    plainly(() => {
      for (let place = this.#checkpoints.length - 1; place >= 0; place--) this.#back(place)
    })
  }

  /** Computes a block again with its inside recorded, and takes the gradient of its output to its inputs. */
  #back(place: number): void {
    const { block, inputs, links, output } = this.#checkpoints[place]
    using _scope = tensorScope()
    const gradient = output.grad
    if (gradient !== undefined) {
      const again = inputs.map((input, i) => (links[i] === undefined ? input : input.detach().requireGrad()))
      nested((inside) => {
        const value = block(...again)
        if (value.requiresGrad) inside.#backFrom(value, gradient)
      })
      again.forEach((input, i) => {
        const [link, share] = [links[i], links[i] && input.grad]
        if (link === undefined || share === undefined) return
        const before = link.gradient
        link.gradient = unscoped(() => (before === undefined ? alias(share) : before.add(share)))
        before?.dispose()
      })
    }
    this.#handOn([...this.#links.values()].filter(({ firstBlock }) => firstBlock === place))
    for (const tensor of [output, ...inputs]) tensor.dispose()
  }

  /** Takes complete gradients on to whatever made the inputs, and frees them together with that part of the graph. */
  #handOn(complete: readonly Link[]): void {
    const reached = complete.filter(({ gradient }) => gradient !== undefined)
    if (reached.length > 0) {
      pushBack(
        reached.map(({ end }) => end),
        reached.map(({ gradient }) => gradient!),
        true,
      )
    }
    for (const { input, end, gradient } of complete) {
      end.dispose()
      gradient?.dispose()
      this.#links.delete(input)
    }
  }

  [Symbol.dispose](): void {
    current = this.#outer
    for (const { inputs, output } of this.#checkpoints) for (const tensor of [output, ...inputs]) tensor.dispose()
    for (const { end, gradient } of this.#links.values()) for (const tensor of [end, gradient]) tensor?.dispose()
  }
}

/** @param retain whether gradients go through the same part of the graph again */
function pushBack(outputs: readonly Tensor[], gradients: readonly Tensor[] | null, retain: boolean): void {
  calling('backward', () =>
    native().backward(
      outputs.map(({ handle }) => handle),
      gradients === null ? null : gradients.map(({ handle }) => handle),
      retain,
    ),
  )
}

let current: GradientCheckpoints | undefined

/** The value of `compute`, whose blocks are checkpointed among themselves; a graph of it alone goes on to live. */
function nested<T>(compute: (inside: GradientCheckpoints) => T): T {
  using inside = new GradientCheckpoints(current)
  current = inside
  return compute(inside)
}

/** The value of `compute`, in which no block is checkpointed. */
function plainly<T>(compute: () => T): T {
  const before = current
  current = undefined
  try {
    return compute()
  } finally {
    current = before
  }
}

/** `using graph = gradientCheckpoints(…)`: until the block ends, blocks of networks are checkpointed where wanted. */
export function gradientCheckpoints(
  wanted: boolean,
): Disposable & { /** As `Tensor.backward`. */ backward(loss: Tensor): void } {
  if (!wanted) return { backward: (loss) => loss.backward(), [Symbol.dispose]: () => undefined }
  return (current = new GradientCheckpoints(current))
}

/**
 * `block(...inputs)`, checkpointed where that is asked for and gradients are on. The block must be a function of its
 * inputs and of parameters alone, and give the same value each time.
 */
export function checkpointed(block: Block, ...inputs: Tensor[]): Tensor {
  return current === undefined || !wantsGrad() ? block(...inputs) : current.run(block, inputs)
}

/**
 * As {@link checkpointed}, for blocks that read the same inputs: what comes back to an input is added up block by block, with
 * checkpoints and without, so both have the same gradients to the bit where the block itself holds no blocks.
 */
export function checkpointedAlike(block: Block, ...inputs: Tensor[]): Tensor {
  if (current !== undefined && wantsGrad()) return current.run(block, inputs)
  using scope = tensorScope()
  return scope.keep(block(...inputs.map((input) => (input.requiresGrad ? alias(input) : input))))
}
