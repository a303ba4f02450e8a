/** Random generators of their own: never the process-wide one. The same seed gives the numbers of PyTorch's generator. */
import { native, type GeneratorHandle } from './library.ts'
import { Tensor } from './tensor.ts'

export class Generator {
  readonly handle: GeneratorHandle

  /** @param seed whole number ≥ 0, below 2^53 */
  constructor(seed: number, device = 'cpu') {
    this.handle = native().generator(device, seed)
  }

  /** Starts over from a seed. */
  seed(seed: number): void {
    native().seedGenerator(this.handle, seed)
  }

  /** The state as a uint8 tensor; equal to `torch.Generator.get_state()`. */
  state(): Tensor {
    return new Tensor(native().generatorState(this.handle)!)
  }

  restore(state: Tensor): void {
    native().generatorState(this.handle, state.handle)
  }
}
