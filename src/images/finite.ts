/** Drawing stops where a state leaves the finite numbers: what would come of it is a black image. */
import type { Reached } from '../diffusion/sample.ts'
import { Disposables } from '../disposables.ts'
import { DivergenceError } from '../errors.ts'
import { cat, zeros } from '../tensor/create.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Sees every state of a batch but x_T: see `Denoising.watch`. */
type Watch = (state: Tensor, reached: Reached) => void

/**
 * Draws a batch while its states are watched. On a GPU nothing is read until all steps are done: to look at each state
 * would make the device wait for every step.
 *
 * @param stage that is drawn, by its name, where it is not the policy's
 * @throws {DivergenceError} a state is not finite: names the first such step and the likely cause
 */
export function watchingStates<T>(draw: (watch: Watch) => T, stage?: string): T {
  using states = new WatchedStates(stage)
  const drawn = draw(states.see)
  states.expectFinite()
  return drawn
}

/** What is left of states that were seen: sums, which are finite where all elements are, and where their sum is. */
class WatchedStates implements Disposable {
  readonly #seen: (Omit<Reached, 'prediction'> & { readonly sums: Tensor })[] = []
  readonly #stage: string

  constructor(stage?: string) {
    this.#stage = stage === undefined ? '' : `${stage}, `
  }

  see: Watch = (state, { prediction, ...reached }) => {
    const sums = unscoped(() => {
      using scope = tensorScope()
      const sumOf = (tensor: Tensor) => tensor.detach().flatten(1).to('float32').sum(1)
      const own = sumOf(state)
      const predicted = prediction === undefined ? zeros(own.shape, own.dtype, own.device) : sumOf(prediction)
      return scope.keep(cat([own, predicted])) // [B of the state, B of the prediction]
    })
    this.#seen.push({ ...reached, sums })
    if (state.device === 'cpu') this.expectFinite()
  }

  /** Of the states since the last call. @throws {DivergenceError} */
  expectFinite(): void {
    using seen = new Disposables()
    const waiting = this.#seen.splice(0)
    for (const { sums } of waiting) seen.use(sums)
    if (waiting.length === 0) return
    using all = cat(waiting.map(({ sums }) => sums))
    const values = all.toArray()
    const batch = values.length / waiting.length / 2
    waiting.forEach(({ step, steps, t }, place) => {
      const brokenFrom = (half: number) => {
        const from = (2 * place + half) * batch
        return values.slice(from, from + batch).filter((sum) => !Number.isFinite(sum)).length
      }
      const [broken, predicted] = [brokenFrom(0), brokenFrom(1)]
      if (broken > 0)
        throw divergedStates(`${this.#stage}step ${step} of ${steps} (t = ${t})`, broken, batch, predicted > 0)
    })
  }

  [Symbol.dispose](): void {
    for (const { sums } of this.#seen) sums.dispose()
  }
}

function divergedStates(where: string, broken: number, batch: number, isPredicted: boolean): DivergenceError {
  return new DivergenceError({
    where: `drawing, ${where}`,
    expected: 'finite states',
    received: `NaN or infinity in ${broken} of ${batch} images${isPredicted ? ', as the denoiser predicted' : ''}`,
    remedy:
      'in fp16 the network overflows: draw with --mixed-precision bf16 or no; else a policy that diverged, an adapter that is too strong or damaged weights do this: draw without --policy to see which',
  })
}

/** @throws {DivergenceError} pixels are not finite, though the states before them were */
export function expectFinitePixels(pixels: Tensor): void {
  if (isFinite(pixels)) return
  throw new DivergenceError({
    where: 'drawing, decoding',
    expected: 'finite pixels',
    received: 'NaN or infinity, from finite latents',
    remedy:
      'the autoencoder overflows in fp16: draw with --mixed-precision bf16 or no, or give it "force_upcast": true in vae/config.json',
  })
}

function isFinite(tensor: Tensor): boolean {
  using _scope = tensorScope()
  return Number.isFinite(tensor.to('float32').sum().item())
}
