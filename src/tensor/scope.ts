/**
 * Tensor lifetime as a block: what is made inside a scope is freed when the block ends, unless it is kept.
 *
 * ```ts
 * {
 *   using scope = tensorScope()
 *   const loss = …            // every intermediate tensor belongs to the scope
 *   result = scope.keep(loss) // now belongs to the enclosing scope, or to the caller where there is none
 * }
 * ```
 */
import { native, type TensorHandle } from './library.ts'

interface Owned {
  readonly handle: TensorHandle
}

/** One block; dispose it with `using`. Scopes nest, and end in the reverse order of their beginning. */
export class TensorScope {
  readonly #owned: Owned[] = []
  readonly #kept = new Set<Owned>()
  readonly #outer: TensorScope | undefined

  constructor(outer: TensorScope | undefined) {
    this.#outer = outer
  }

  adopt(tensor: Owned): void {
    this.#owned.push(tensor)
  }

  /** Hands a tensor to the enclosing scope; without one, to the caller, who disposes it. Returns it. */
  keep<T extends Owned>(tensor: T): T {
    this.#kept.add(tensor)
    return tensor
  }

  [Symbol.dispose](): void {
    const ended: TensorHandle[] = []
    for (const tensor of this.#owned) {
      if (!this.#kept.has(tensor)) ended.push(tensor.handle)
      else this.#outer?.adopt(tensor)
    }
    this.#owned.length = 0
    current = this.#outer
    if (ended.length > 0) native().dispose(ended)
  }
}

let current: TensorScope | undefined

/** Opens a scope: `using scope = tensorScope()`. */
export function tensorScope(): TensorScope {
  current = new TensorScope(current)
  return current
}

/** Gives a new tensor to the scope in force, if there is one. */
export function adopt(tensor: Owned): void {
  current?.adopt(tensor)
}

/** Number of tensors that hold memory now, in this process. For tests of lifetime. */
export function livingTensors(): number {
  return native().livingTensors()
}
