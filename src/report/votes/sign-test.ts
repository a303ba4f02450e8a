/**
 * A sign test that may be looked at after every trial. A fixed interval such as Wilson's is right once, for a number of trials
 * that was set before; who looks again and again and stops where it excludes one half is wrong far more often than 1 in 20.
 */
import { gammaln } from 'simple-statistics'
import { errorRate, mostTold, type TrialsWanted } from './trials-wanted.ts'

/**
 * Logarithm of the likelihood ratio of a coin of unknown bias, uniform between 0 and 1, to one whose probability of winning is
 * p: M = ∫ qʷ(1−q)ˡ dq / (pʷ(1−p)ˡ) = w! l!/(n+1)! / (pʷ(1−p)ˡ), n = w + l. Where p is the truth, M is a martingale that begins
 * at 1, so it ever reaches 1/α with probability α at most, whenever and however often one looks.
 *
 * @param wins    w ≥ 0, need not be whole: what is to be expected of trials to come
 * @param losses  l ≥ 0
 * @param p       within (0, 1)
 * @returns       nats
 * @see Robbins 1970 (Ann. Math. Statist. 41), the mixture of binomials; Ville 1939 for the bound
 */
export const mixtureRatioNats = (wins: number, losses: number, p = 0.5): number =>
  gammaln(wins + 1) +
  gammaln(losses + 1) -
  gammaln(wins + losses + 2) -
  (wins === 0 ? 0 : wins * Math.log(p)) -
  (losses === 0 ? 0 : losses * Math.log1p(-p))

/** From so many nats on it is decided. */
const boundNats = Math.log(1 / errorRate)

export const isDecided = (wins: number, losses: number): boolean => mixtureRatioNats(wins, losses) >= boundNats

/**
 * The probabilities of winning that are not refuted: {p : M(p) < 1/α}, an interval around w/n. All of these intervals, after
 * every trial, hold the truth with probability 1 − α, so one half is outside exactly where {@link isDecided} says so.
 *
 * @returns shares; 0 to 1 before the first trial
 * @see Robbins 1970 (Ann. Math. Statist. 41): (n+1) C(n,w) pʷ(1−p)ˡ > α
 */
export function sequentialInterval(wins: number, losses: number): { readonly low: number; readonly high: number } {
  const n = wins + losses
  if (n === 0) return { low: 0, high: 1 }
  const isRefuted = (p: number) => mixtureRatioNats(wins, losses, p) >= boundNats
  /** Between a share that stands and an end that does not. */
  const edge = (standing: number, end: number) => {
    let [inside, outside] = [standing, end]
    for (let step = 0; step < 50; step++) {
      const middle = (inside + outside) / 2
      if (isRefuted(middle)) outside = middle
      else inside = middle
    }
    return inside
  }
  return {
    low: wins === 0 ? 0 : edge(Math.max(wins / n, 1e-12), 0),
    high: losses === 0 ? 1 : edge(wins / n, 1),
  }
}

/**
 * At the least: if whoever is ahead wins all of them. About: if the share of wins stays (k + 1)/(n + 2) of the side that is
 * ahead with k, the mean of its posterior, and so does that of ties, (ties + 1)/(n + ties + 2).
 * Rounded up to two figures.
 *
 * @returns null where it is decided
 */
export function trialsWanted(wins: number, losses: number, ties: number): TrialsWanted | null {
  if (isDecided(wins, losses)) return null
  const n = wins + losses
  const [ahead, behind] = [Math.max(wins, losses), Math.min(wins, losses)]
  const untied = n === 0 && ties === 0 ? 1 : (n + 1) / (n + ties + 2)
  const share = (ahead + 1) / (n + 2)
  const least = firstDecided(ahead, behind, 1)
  const about = firstDecided(ahead, behind, share)
  const told = about === null ? null : roundedUp(about / untied)
  return { least: least ?? mostTold, about: told === null || told > mostTold ? null : told }
}

/** To two figures: more is not known. */
function roundedUp(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1)
  return Math.ceil(count / step) * step
}

function firstDecided(ahead: number, behind: number, share: number): number | null {
  for (let more = 1; more <= mostTold; more++) {
    const [wins, losses] = [ahead + share * more, behind + (1 - share) * more]
    if (isDecided(wins, losses)) return more
  }
  return null
}
