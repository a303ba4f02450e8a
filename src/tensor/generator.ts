/** Random generators of their own: never the process-wide one. The same seed gives the numbers of PyTorch's generator. */
import { native, type GeneratorHandle } from './library.ts'
import { calling } from './operator.ts'
import { Tensor } from './tensor.ts'

/** A source of random numbers of libtorch with a seed of its own. */
export class Generator {
  readonly handle: GeneratorHandle

  /**
   * @param seed whole number ≥ 0, below 2^53
   * @throws {TensorError}
   */
  constructor(seed: number, device = 'cpu') {
    this.handle = calling('generator', () => native().generator(device, seed))
  }

  /** Starts over from a seed. */
  seed(seed: number): void {
    calling('generator', () => native().seedGenerator(this.handle, seed))
  }

  /** The state as a uint8 tensor; equal to `torch.Generator.get_state()`. */
  state(): Tensor {
    return new Tensor(native().generatorState(this.handle)!)
  }

  /** @throws {TensorError} not a state of this kind of generator */
  restore(state: Tensor): void {
    calling('generator state', () => native().generatorState(this.handle, state.handle))
  }
}
