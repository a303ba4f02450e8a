/** Where gradients meet the optimisers, and what all optimisers have in common. */
import { DivergenceError, FormatError } from '../errors.ts'
import { noGrad } from './autograd.ts'
import { stack } from './create.ts'
import { expectFinite } from './finite.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

/** An optimiser of named parameters. `step` reads `.grad`; parameters without one are left alone. */
export interface Optimiser {
  step(learningRate?: number): void
  /** The living tensors of its state by name, in a fixed order; copy or write them before the next step. */
  state(): Map<string, Tensor>
  /** Copies a state of the same names and shapes into its own. */
  load(state: ReadonlyMap<string, Tensor>): void
}

const norms = operator<[tensors: readonly Tensor[], order: number], Tensor[]>('_foreach_norm', 'Scalar')
const scale_ = operator<[tensors: readonly Tensor[], factor: number], void>('_foreach_mul_', 'Scalar')

/**
 * One update: measures the gradients, clips them, lets every optimiser step and clears them. The gradients of several
 * processes would be averaged here, before they are measured.
 *
 * @param parameters all parameters that the optimisers share between them, by name
 * @param options.maxGradNorm where given, gradients are scaled so that their global norm is at most this
 * @param options.learningRates one an optimiser; without it, their own
 * @returns the Euclidean norm over all gradients, before clipping
 * @throws {DivergenceError} a gradient is not finite, and nothing has changed; or a parameter is not after the step
 */
export function applyGradients(
  optimisers: readonly Optimiser[],
  parameters: ReadonlyMap<string, Tensor>,
  options: { readonly maxGradNorm?: number; readonly learningRates?: readonly number[] } = {},
): number {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const gradients = new Map<string, Tensor>()
  for (const [name, parameter] of parameters) {
    const gradient = parameter.grad
    if (gradient !== undefined) gradients.set(name, gradient)
  }
  const norm = gradients.size === 0 ? 0 : globalNorm(gradients)
  const { maxGradNorm, learningRates } = options
  if (maxGradNorm !== undefined && norm > maxGradNorm) scale_([...gradients.values()], maxGradNorm / (norm + 1e-6))
  optimisers.forEach((optimiser, i) => optimiser.step(learningRates?.[i]))
  for (const parameter of parameters.values()) parameter.grad = undefined
  const moved = [...parameters.values()].filter(({ numel }) => numel > 0)
  const largest = moved.length === 0 ? 0 : stack(norms(moved, Infinity)).amax(0).item()
  if (!Number.isFinite(largest)) expectFinite('update of', parameters, remedy)
  return norm
}

const remedy = 'lower the learning rate or maxGradNorm, or continue from the last checkpoint'

/**
 * A learning rate below the one that went wrong, and not above the usual one.
 * @returns two digits
 */
export const loweredRate = (rate: number, usual: number): number => Number(Math.min(rate / 10, usual).toPrecision(2))

function globalNorm(gradients: ReadonlyMap<string, Tensor>): number {
  const each = stack(norms([...gradients.values()], 2))
  const norm = each.norm().item()
  if (Number.isFinite(norm)) return norm
  const values = each.toArray()
  const name = [...gradients.keys()].find((_, i) => !Number.isFinite(values[i]))
  throw new DivergenceError({
    where: `gradient of ${name ?? 'the parameters'}`,
    expected: 'finite numbers',
    received: `a norm of ${norm}`,
    remedy,
  })
}

/**
 * Copies the tensors of a saved state into a living one; other names in `state` are ignored.
 * @throws {FormatError} a name is missing or has another shape; nothing has changed then
 */
export function copyState(
  owner: string,
  living: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
): void {
  for (const [name, tensor] of living) {
    const expected = `[${tensor.shape.join(', ')}]`
    const saved = state.get(name)
    const received = saved === undefined ? 'nothing of this name' : `[${saved.shape.join(', ')}]`
    if (received === expected) continue
    const remedy = 'was this state saved for another network?'
    throw new FormatError({ where: `${owner} state ${name}`, expected: `shape ${expected}`, received, remedy })
  }
  using _noGrad = noGrad()
  for (const [name, tensor] of living) tensor.copy_(state.get(name)!)
}
