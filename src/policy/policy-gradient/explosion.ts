/** Where an update has left all that a policy gradient can tell: far beyond what runs reach that learn. */
import { DivergenceError } from '../../errors.ts'

/** Nats of a log-ratio beyond which the ratio is no number of float32 any more. */
const mostLogRatio = 88
/**
 * Nats of a trajectory. A KL per number of noise is (δ/σ)²/2, so one of 1/20 is means that are moved by about a third of
 * the noise at every step; trajectories of few numbers may have more.
 */
const mostKl = (numbers: number) => Math.max(1000, numbers / 20)
/** Up to this share of both a policy is worth going on from. */
const soundShare = 1 / 4

/** Means over the updates of an iteration. */
interface Distances {
  /** 0.5 · mean(Δ²), nats². */
  readonly approxKl: number
  /** Σ_t KL_t, nats a trajectory. */
  readonly kl: number
}

const logRatioOf = ({ approxKl }: Distances) => Math.sqrt(2 * approxKl)

/**
 * @param numbers of noise in a trajectory: elements of a state times the steps that have an action
 * @throws {DivergenceError} ratios or the KL have exploded
 */
export function expectNear(distances: Distances, numbers: number): void {
  const refuse = (where: string, most: number, received: number) =>
    new DivergenceError({
      where,
      expected: `at most ${most.toFixed(0)} nats`,
      received: `${received.toPrecision(3)} nats`,
      remedy: 'lower the learning rate',
    })
  const logRatio = logRatioOf(distances)
  if (!(logRatio <= mostLogRatio)) {
    throw refuse('log-ratio of the policy to the one that drew (root mean square)', mostLogRatio, logRatio)
  }
  const most = mostKl(numbers)
  if (!(distances.kl <= most)) throw refuse('KL to the pre-trained model', most, distances.kl)
}

/** Whether a policy that has come so far is worth going on from. */
export const isNear = (distances: Distances, numbers: number): boolean =>
  logRatioOf(distances) <= soundShare * mostLogRatio && distances.kl <= soundShare * mostKl(numbers)
