/** What is disposed of together, the last first: `DisposableStack` as far as it is used here, which Node 22 does not have. */
export class Disposables implements Disposable {
  readonly #held: Disposable[] = []

  /** Holds it from now on. */
  use<T extends Disposable>(held: T): T {
    this.#held.push(held)
    return held
  }

  /** Hands all that is held to another, which outlives this one. */
  move(): Disposables {
    const next = new Disposables()
    for (const held of this.#held.splice(0)) next.use(held)
    return next
  }

  [Symbol.dispose](): void {
    for (const held of this.#held.splice(0).reverse()) held[Symbol.dispose]()
  }
}
