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
  handle: TensorHandle
}

/** Emptied handles that no tensor refers to, to be filled again. */
const vacant: TensorHandle[] = []
const mostVacant = 16384
/** What freed tensors refer to; it never holds anything. */
let nothing: TensorHandle | undefined

/** Frees the memory of tensors now. */
export function free(tensors: readonly Owned[]): void {
  if (tensors.length === 0) return
  nothing ??= native().vacant(1)[0]
  const handles: TensorHandle[] = []
  for (const tensor of tensors) {
    if (tensor.handle === nothing) continue
    handles.push(tensor.handle)
    tensor.handle = nothing
  }
  native().dispose(handles)
  for (const handle of handles) if (vacant.length < mostVacant) vacant.push(handle)
}

/** An emptied handle for a tensor that will belong to the scope in force; `undefined` outside of scopes. */
export function takeVacant(): TensorHandle | undefined {
  if (current === undefined) return undefined
  const handle = vacant.pop()
  if (handle !== undefined) return handle
  vacant.push(...native().vacant(256))
  return vacant.pop()
}

/** Gives back a handle that was not filled. */
export function giveBack(handle: TensorHandle | undefined): void {
  if (handle !== undefined) vacant.push(handle)
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
    current = this.#outer
    if (this.#kept.size === 0) return free(this.#owned)
    const ended: Owned[] = []
    for (const tensor of this.#owned) {
      if (!this.#kept.has(tensor)) ended.push(tensor)
      else this.#outer?.adopt(tensor)
    }
    free(ended)
  }
}

let current: TensorScope | undefined

/** Opens a scope: `using scope = tensorScope()`. */
export function tensorScope(): TensorScope {
  current = new TensorScope(current)
  return current
}

/** Runs `make` with no scope in force: what it makes belongs to the caller, however deep in scopes the call stands. */
export function unscoped<T>(make: () => T): T {
  const before = current
  current = undefined
  try {
    return make()
  } finally {
    current = before
  }
}

/** Gives a new tensor to the scope in force, if there is one. */
export function adopt(tensor: Owned): void {
  current?.adopt(tensor)
}

/** Number of tensors that hold memory now, in this process. For tests of lifetime. */
export function livingTensors(): number {
  return native().livingTensors()
}
