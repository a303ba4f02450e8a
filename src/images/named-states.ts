/** Clean states in files: x_0 of the policy's stage is `latents`, those of the stages before it `earlier.0` and so on. */
import type { CleanStates } from '../networks/generative-model.ts'
import type { Tensor } from '../tensor/tensor.ts'

const x0Name = 'latents'
const earlierName = (place: number) => `earlier.${place}`

export function namedStates({ x0, earlier }: CleanStates): [name: string, Tensor][] {
  return [[x0Name, x0], ...earlier.map((each, place): [string, Tensor] => [earlierName(place), each])]
}

/** The inverse of {@link namedStates}, among other tensors; undefined where there are none. */
export function statesNamed(tensors: ReadonlyMap<string, Tensor>): CleanStates | undefined {
  const x0 = tensors.get(x0Name)
  if (x0 === undefined) return undefined
  const earlier: Tensor[] = []
  for (let each = tensors.get(earlierName(0)); each !== undefined; each = tensors.get(earlierName(earlier.length))) {
    earlier.push(each)
  }
  return { x0, earlier }
}
