/** What is worth a warning in a training that still computes. */
import { mean } from 'simple-statistics'

/** Of DPOK, as far as warnings go. */
export interface RewardRow {
  readonly step: number
  readonly reward_mean: number
  /** Between roll-outs. */
  readonly reward_std: number
  readonly kl: number
  readonly images_drawn: number
}

/** From here on a policy is far from the pre-trained model, nats of a trajectory: that of runs that gain is below. */
const farKlNats = 20
/** Steps over which rewards are averaged. */
const window = 3
/** Standard errors by which a mean reward has to be lower than the first one, and than the best one of many. */
const [belowFirst, belowBest] = [3, 6]

/**
 * A KL that is large while the reward is lower than it was: the policy has left the images on which the reward is right,
 * or its updates are too large to follow it.
 *
 * @param rows all steps so far, the last one last
 */
export function farAndWorse(rows: readonly RewardRow[]): string | undefined {
  const last = rows.at(-1)
  if (last === undefined || rows.length < 2 || last.kl < farKlNats) return undefined
  const now = averaged(rows, rows.length - 1)
  const first = averaged(rows.slice(0, 1), 0)
  const means = rows.map((_, i) => averaged(rows, i))
  const best = means.reduce((high, one) => (one.reward > high.reward ? one : high))
  const isBelow = (other: Averaged, errors: number) =>
    now.reward < other.reward - errors * Math.hypot(now.error, other.error)
  const from = isBelow(first, belowFirst) ? first : isBelow(best, belowBest) ? best : undefined
  if (from === undefined) return undefined
  const [kl, before, after] = [last.kl.toFixed(0), from.reward.toFixed(3), now.reward.toFixed(3)]
  return `a KL of ${kl} nats and a reward that fell from ${before} (step ${from.step}) to ${after}: the policy gets worse; lower --learning-rate or raise --kl-weight`
}

interface Averaged {
  readonly step: number
  readonly reward: number
  /** Standard error of `reward`. */
  readonly error: number
}

/** Over the last few steps up to a place. */
function averaged(rows: readonly RewardRow[], place: number): Averaged {
  const part = rows.slice(Math.max(0, place + 1 - window), place + 1)
  const drawn = (row: RewardRow) => row.images_drawn / row.step
  const error = Math.sqrt(mean(part.map((row) => row.reward_std ** 2 / drawn(row))) / part.length)
  return { step: rows[place].step, reward: mean(part.map((row) => row.reward_mean)), error }
}

/** Of reward-weighted training, as far as warnings go. */
export interface LossRow {
  readonly step: number
  readonly train_loss: number
}

/** Updates over which losses are averaged, and the rise above the first one that is no noise. */
const [lossWindow, mostRise] = [10, 4]

/**
 * A loss that is a multiple of the pre-trained model's: too large updates have spoilt what it had learned.
 *
 * @param rows all updates so far, the last one last; the loss of the first one is that of the model before any update
 */
export function lossRisen(rows: readonly LossRow[]): string | undefined {
  if (rows.length < lossWindow) return undefined
  const [before, now] = [rows[0].train_loss, mean(rows.slice(-lossWindow).map((row) => row.train_loss))]
  if (!(now > mostRise * before)) return undefined
  return `a loss that rose from ${before.toPrecision(3)} to ${now.toPrecision(3)}: the policy gets worse; lower --learning-rate`
}
