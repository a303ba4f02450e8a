/** How much of a log-ratio is rounding, and whether it begins at nothing. */
import type { Transition } from '../../diffusion/process.ts'
import { ConfigError, RatioError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Place } from './transitions.ts'

/** Transitions of an iteration whose rounding is measured: each is computed in float64, which a GPU does slowly. */
const mostMeasured = 2
/** What a |Δ| may be before anything has changed: nats, and in rounding errors. */
const [firstNats, firstErrors] = [1e-3, 10]

/** Some transitions of a minibatch, evenly over the order of their steps; the same for all processes of a group. */
export function placesToMeasure(minibatch: readonly Place[], most: number): Place[] {
  const count = Math.min(mostMeasured, most, minibatch.length)
  const inOrder = minibatch.toSorted((a, b) => a.step - b.step || a.rollout - b.rollout)
  return Array.from({ length: count }, (_, i) => inOrder[Math.floor(((i + 0.5) * inOrder.length) / count)])
}

/**
 * What rounding alone moves a log-ratio by, as its standard deviation over the noise z of the action. With x = μ_old + σ z,
 *
 *   Δ = log p_θ(x) − log p_old(x) = ⟨z, s⟩ − ‖s‖²/2,  s = (μ_θ − μ_old)/σ,
 *
 * and both means carry an error of their own, as large as δ = μ − μ_exact. So Δ varies by √2 ‖δ/σ‖, while a bound on |Δ| is
 * to hold what an update has moved: an n of half the bound leaves the update as little to say as rounding has. The KL to the
 * pre-trained model, whose mean is rounded as well, contains n²/2 a transition of nothing.
 *
 * Before the first update this is not seen, since both passes round alike there.
 *
 * @param rounded as the training pass computes it, M transitions
 * @param exact   the same in float64
 * @returns       root mean square over the transitions, nats a transition, []
 */
export function roundingNats(rounded: Transition, exact: Transition): Tensor {
  const { mean, sigma } = exact
  const along = sigma.shape.length > 1 ? sigma : sigma.reshape(-1, ...mean.shape.slice(1).fill(1))
  return rounded.mean.to(mean.dtype).sub(mean).div(along).square().flatten(1).sum(1).mean().mul(2).sqrt()
}

/** @param noiseNats see {@link roundingNats} @throws {ConfigError} it is more than half of what the ratio is bounded by */
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
