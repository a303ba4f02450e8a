/** Reading makes the host wait for the device: what is read together waits once. */
import { cat } from './create.ts'
import { withoutGrad } from './autograd.ts'
import { tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

/** The elements of tensors of one device, in the order of the tensors. */
export function readTogether(tensors: readonly Tensor[]): number[][] {
  using _scope = tensorScope()
  if (tensors.length === 0) return []
  const all = withoutGrad(() => cat(tensors.map((one) => one.flatten().to('float64')))).toArray()
  let from = 0
  return tensors.map(({ numel }) => all.slice(from, (from += numel)))
}
