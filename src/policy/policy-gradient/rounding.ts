/** How much of a log-ratio is rounding, and whether it begins at nothing. */
import { alongBatch } from '../../diffusion/per-sample.ts'
import type { Sampler } from '../../diffusion/process.ts'
import { ConfigError, RatioError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Place } from './transitions.ts'

/** Transitions of an iteration whose rounding is measured: each is computed in float64, which a GPU does slowly. */
const mostMeasured = 2
/** Steps that stand for all of a longer trajectory. */
const mostSteps = 64
/** What a |Δ| may be before anything has changed: nats, and in rounding errors. */
const [firstNats, firstErrors] = [1e-3, 10]

/** Some transitions of a minibatch, evenly over the order of their steps. */
export function placesToMeasure(minibatch: readonly Place[]): Place[] {
  const count = Math.min(mostMeasured, minibatch.length)
  const inOrder = minibatch.toSorted((a, b) => a.step - b.step || a.rollout - b.rollout)
  return Array.from({ length: count }, (_, i) => inOrder[Math.floor(((i + 0.5) * inOrder.length) / count)])
}

/**
 * What rounding alone moves a log-ratio by, as its variance over the noise z of the action. With x = μ_old + σ z,
 *
 *   Δ = log p_θ(x) − log p_old(x) = ⟨z, s⟩ − ‖s‖²/2,  s = (μ_θ − μ_old)/σ,
 *
 * and both means carry an error of their own, as large as δ = μ − μ_exact. So Δ deviates by √2 ‖δ/σ‖ nats (`noise_nats`),
 * while a bound on |Δ| is to hold what an update has moved: where rounding takes half of it, little else is left. The KL to
 * the pre-trained model, whose mean is rounded as well, contains half this variance a transition, of nothing.
 *
 * A network's error is about the same at all times; what it does to the mean is a matter of the step. So the error of a
 * few predictions is carried through all steps of a trajectory. Before the first update nothing of this is seen, since both
 * passes round alike there.
 *
 * @param steps   that are trained, in the order of sampling
 * @param rounded predictions as the training pass computes them, [M, …]
 * @param exact   the same in float64
 * @param xt      their states, float32
 * @returns       mean over predictions and steps, nats² a transition, []
 */
export function roundingVariance(
  sampler: Sampler,
  steps: readonly number[],
  { rounded, exact, xt }: { readonly rounded: Tensor; readonly exact: Tensor; readonly xt: Tensor },
): Tensor {
  const every = Math.ceil(steps.length / mostSteps)
  const shown = steps.filter((_, i) => (steps.length - 1 - i) % every === 0)
  const [count, ...shape] = xt.shape
  const at = sampler.place(Array.from({ length: count }, () => shown).flat(), xt.device)
  const atAll = (of: Tensor) =>
    of
      .unsqueeze(1)
      .expand(count, shown.length, ...shape)
      .reshape(at.count, ...shape)
  const { mean } = sampler.transition(atAll(rounded), atAll(xt), at)
  const { mean: exactly, sigma } = sampler.transition(atAll(exact), atAll(xt.to('float64')), at)
  const along = sigma.shape.length > 1 ? sigma : alongBatch('sigma', sigma, exactly)
  return mean.to('float64').sub(exactly).div(along).square().flatten(1).sum(1).mean().mul(2)
}

/** @param noiseNats the root of {@link roundingVariance} @throws {ConfigError} it is more than half of what the ratio is bounded by */
export function expectSmallRounding(noiseNats: number, clipRange: number): void {
  if (!(noiseNats > clipRange / 2)) return
  const nats = (number: number) => `${number.toPrecision(2)} nats`
  throw new ConfigError({
    where: '--clip-range',
    expected: `at least ${nats(2 * noiseNats)}, twice what rounding alone moves a log-ratio by (noise_nats)`,
    received: String(clipRange),
    remedy:
      'raise it, give each step more noise of its own with a higher --eta or fewer --steps, or train on rounding with --ignore-rounding',
  })
}

/** The transition of a minibatch with the largest |Δ|: in which of its batches, and at which step of sampling, from 1. */
export interface FirstDelta {
  readonly batch: number
  readonly batches: number
  readonly step: number
}

/**
 * Before the first update the policy is the one that drew, whose log-density has to come out again.
 *
 * @param firstDelta largest |Δ| of all processes, nats
 * @param find       its transition, where it is one of this process
 * @param bound      the bound on |Δ| where roll-outs are in a narrower type, of which a tenth is let pass; nothing else
 * @throws {RatioError} it does not, beyond 1e-3 nats and ten times what rounding explains
 */
export function expectFirstDelta(
  firstDelta: number,
  find: (() => FirstDelta) | undefined,
  noiseNats: number,
  bound: number | undefined,
): void {
  const limit = Math.max(bound === undefined ? firstNats : bound / 10, firstErrors * noiseNats)
  if (firstDelta <= limit) return
  const of = find?.()
  const place = of === undefined ? 'in another process' : `batch ${of.batch} of ${of.batches}, sampling step ${of.step}`
  throw new RatioError({
    where: `first update, ${place}`,
    expected: `the log-density that the action was drawn with, within ${limit.toPrecision(2)} nats`,
    received: `one that differs by ${firstDelta.toPrecision(3)} nats`,
    remedy:
      'a model has to say the same of a state in any batch, with gradients and without: please report it, or mend the model where it is your own',
  })
}
