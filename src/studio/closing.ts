/** What is to be ended, the last thing first. (`AsyncDisposableStack` is this, from Node 24 on.) */
export class Closing implements AsyncDisposable {
  #steps: (() => unknown)[] = []

  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  use<T extends AsyncDisposable>(made: T): T {
    this.defer(() => made[Symbol.asyncDispose]())
    return made
  }

  /** All of it, which is not ended any more where this one is. */
  move(): Closing {
    const moved = new Closing()
    moved.#steps = this.#steps
    this.#steps = []
    return moved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step()
  }
}
