/** Grad mode, mixed precision and gradients as values. All of it is per thread and ends with its block. */
import { dtypeCode, type Dtype } from './dtype.ts'
import { native } from './library.ts'
import { calling } from './operator.ts'
import { Tensor } from './tensor.ts'

/** `using _ = noGrad()`: nothing is recorded for gradients until the block ends. */
export function noGrad(): Disposable {
  const before = native().gradMode(false)
  return { [Symbol.dispose]: () => void native().gradMode(before) }
}

let isRecordedLater = false

/** Whether gradients of what is computed are wanted: it is recorded, or will be computed again and recorded then. */
export function wantsGrad(): boolean {
  return isRecordedLater || native().gradMode()
}

/** The value of `compute`, with nothing recorded for gradients. */
export function withoutGrad<T>(compute: () => T): T {
  using _ = noGrad()
  return compute()
}

/** As {@link withoutGrad}, for what is computed again with gradients: it must round as it will then. */
export function withoutGradYet<T>(compute: () => T): T {
  const before = isRecordedLater
  isRecordedLater = true
  try {
    return withoutGrad(compute)
  } finally {
    isRecordedLater = before
  }
}

/** `using _ = autocast('bfloat16')`: matrix products and convolutions compute in this type until the block ends. */
export function autocast(dtype: Dtype | undefined, device = 'cpu'): Disposable {
  const code = dtype === undefined ? null : dtypeCode(dtype)
  const before = calling('autocast', () => native().autocast(device, code))
  return { [Symbol.dispose]: () => void native().autocast(device, before) }
}

/**
 * d(Σ outputs)/d(inputs), one tensor an input; `undefined` where an input has no influence.
 * @param outputs tensors of one element each, or of any shape with `outputGradients` of the same shapes
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  outputGradients?: readonly Tensor[],
): (Tensor | undefined)[] {
  return calling('gradients', () =>
    native().gradients(
      outputs.map((output) => output.handle),
      inputs.map((input) => input.handle),
      outputGradients === undefined ? null : outputGradients.map((gradient) => gradient.handle),
      false,
    ),
  ).map((handle) => (handle === null ? undefined : new Tensor(handle)))
}
