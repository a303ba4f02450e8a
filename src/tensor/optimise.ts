/** Where gradients meet the optimisers, and what all optimisers have in common. */
import { DivergenceError, FormatError } from '../errors.ts'
import { noGrad } from './autograd.ts'
import { cat, full, ones, stack, where, zeros } from './create.ts'
import { expectFinite } from './finite.ts'
import type { Group } from './group.ts'
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
const scale_ = operator<[tensors: readonly Tensor[], factor: Tensor], void>('_foreach_mul_', 'Tensor')

interface UpdateOptions {
  /** Where given, gradients are scaled so that their global norm is at most this. */
  readonly maxGradNorm?: number
  /** One an optimiser; without it, their own. */
  readonly learningRates?: readonly number[]
  /** Processes that have each computed a part of the gradients, which are added up first; this one alone without it. */
  readonly group?: Group
}

/** Of an update that was made: what it measured, on the device until somebody reads it. */
export interface Update {
  /** To be read with others, {@link readTogether}, and handed to `check`. */
  readonly measured: Tensor
  /**
   * @returns the Euclidean norm over all gradients, before clipping
   * @throws {DivergenceError} a gradient was not finite, or a parameter is not
   */
  check(measured: readonly number[]): number
}

/**
 * One update: measures the gradients, clips them, lets every optimiser step and clears them. The gradients of several
 * processes are added up before they are measured. Nothing is read: the device goes on while the host prepares
 * what comes next, and whether the numbers are finite is known when the result is checked.
 *
 * @param parameters all parameters that the optimisers share between them, by name
 * @returns its tensor belongs to the scope in force
 */
export function startUpdate(
  optimisers: readonly Optimiser[],
  parameters: ReadonlyMap<string, Tensor>,
  { maxGradNorm, learningRates, group }: UpdateOptions = {},
): Update {
  using scope = tensorScope()
  using _noGrad = noGrad()
  if (group !== undefined) sumGradients(group, parameters)
  const gradients = gradientsOf(parameters)
  const each = normsOf(gradients)
  const norm = each.norm()
  if (maxGradNorm !== undefined && gradients.size > 0) clip_([...gradients.values()], norm, maxGradNorm)
  const largest = stepAll(optimisers, parameters, learningRates)
  const measured = scope.keep(cat([norm.unsqueeze(0), largest.unsqueeze(0), each]))
  return {
    measured,
    check([normRead, largestRead, ...eachRead]) {
      expectFiniteNorm(normRead, [...gradients.keys()], eachRead)
      if (Number.isFinite(largestRead)) return normRead
      expectFinite('update of', parameters, remedy)
      throw notFinite('update of the parameters', `${largestRead}`)
    },
  }
}

/**
 * As `startUpdate`, read at once: before anything changes.
 *
 * @returns the Euclidean norm over all gradients, before clipping
 * @throws {DivergenceError} a gradient is not finite, and nothing has changed; or a parameter is not after the step
 */
export function applyGradients(
  optimisers: readonly Optimiser[],
  parameters: ReadonlyMap<string, Tensor>,
  { maxGradNorm, learningRates, group }: UpdateOptions = {},
): number {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  if (group !== undefined) sumGradients(group, parameters)
  const gradients = gradientsOf(parameters)
  const each = normsOf(gradients)
  const norm = each.norm()
  const read = norm.item()
  if (!Number.isFinite(read)) expectFiniteNorm(read, [...gradients.keys()], each.toArray())
  if (maxGradNorm !== undefined && read > maxGradNorm) clip_([...gradients.values()], norm, maxGradNorm)
  const largest = stepAll(optimisers, parameters, learningRates).item()
  if (!Number.isFinite(largest)) expectFinite('update of', parameters, remedy)
  return read
}

/** A parameter on which one process alone has come has no gradient in the others; one that none used has none at all. */
function sumGradients(group: Group, parameters: ReadonlyMap<string, Tensor>): void {
  const all = [...parameters.values()]
  const uses = group.sumNumbers(all.map(({ grad }) => (grad === undefined ? 0 : 1)))
  const used = all.filter((_, i) => uses[i] > 0)
  for (const one of used) one.grad ??= zeros(one.shape, one.dtype, one.device)
  group.sum(used.map(({ grad }) => grad!))
}

function gradientsOf(parameters: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const gradients = new Map<string, Tensor>()
  for (const [name, parameter] of parameters) {
    const gradient = parameter.grad
    if (gradient !== undefined) gradients.set(name, gradient)
  }
  return gradients
}

/** [gradients] */
const normsOf = (gradients: ReadonlyMap<string, Tensor>) =>
  gradients.size === 0 ? zeros([0]) : stack(norms([...gradients.values()], 2))

/** Scales gradients in place by min(1, most / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. @param norm a scalar */
function clip_(gradients: readonly Tensor[], norm: Tensor, most: number): void {
  const wide = norm.to('float64')
  const most64 = full([], most, 'float64', norm.device)
  scale_(gradients, where(wide.gt(most), most64.div(wide.add(1e-6)), ones([], 'float64', norm.device)).to(norm.dtype))
}

/** Lets every optimiser step and clears the gradients. @returns the largest absolute value of a parameter, a scalar */
function stepAll(
  optimisers: readonly Optimiser[],
  parameters: ReadonlyMap<string, Tensor>,
  learningRates: readonly number[] | undefined,
): Tensor {
  optimisers.forEach((optimiser, i) => optimiser.step(learningRates?.[i]))
  for (const parameter of parameters.values()) parameter.grad = undefined
  const moved = [...parameters.values()].filter(({ numel }) => numel > 0)
  return moved.length === 0 ? zeros([]) : stack(norms(moved, Infinity)).amax(0)
}

const remedy = 'lower the learning rate or maxGradNorm, or continue from the last checkpoint'

/**
 * A learning rate below the one that went wrong, and not above the usual one.
 * @returns two digits
 */
export const loweredRate = (rate: number, usual: number): number => Number(Math.min(rate / 10, usual).toPrecision(2))

function expectFiniteNorm(norm: number, names: readonly string[], each: readonly number[]): void {
  if (Number.isFinite(norm)) return
  const name = names.find((_, i) => !Number.isFinite(each[i]))
  throw notFinite(`gradient of ${name ?? 'the parameters'}`, `a norm of ${norm}`)
}

const notFinite = (where: string, received: string) =>
  new DivergenceError({ where, expected: 'finite numbers', received, remedy })

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
