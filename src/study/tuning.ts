/**
 * How coefficients are chosen: by one rule for all arms, with as many candidates for each, on a seed that no figure uses.
 *
 * The highest mean reward on prompts held out from fine-tuning, among the candidates whose Fréchet distance stays within
 * 1.5 times that of the pre-trained model; rewards less than one standard error below the highest count as equal to it, and
 * of equals the one with the smallest distance is taken. Neither number needs the judge.
 */
import type { Interval } from '../report/interval.ts'

export const tuningSeed = 90
const mostDistance = 1.5

/** What the rule looks at. */
export interface Candidate {
  /** With its 95 % interval. */
  readonly reward: Interval
  readonly frechet: number
}

/** The place of the chosen one; that of the smallest distance where none stays within the bound. */
export function choose(candidates: readonly Candidate[], baseFrechet: number): number {
  const places = candidates.map((_, place) => place)
  const nearest = (among: readonly number[]) =>
    among.reduce((best, place) => (candidates[place].frechet < candidates[best].frechet ? place : best))
  const allowed = places.filter((place) => candidates[place].frechet <= mostDistance * baseFrechet)
  if (allowed.length === 0) return nearest(places)
  const highest = allowed.reduce((best, place) =>
    rewardOf(candidates[place]) > rewardOf(candidates[best]) ? place : best,
  )
  const least = rewardOf(candidates[highest]) - errorOf(candidates[highest])
  return nearest(allowed.filter((place) => rewardOf(candidates[place]) >= least))
}

const rewardOf = ({ reward }: Candidate) => reward.mean
/** Standard error, from a 95 % interval. */
const errorOf = ({ reward }: Candidate) => (reward.high - reward.low) / (2 * 1.96)
