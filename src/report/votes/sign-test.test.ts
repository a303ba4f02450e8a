import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from '../../random.ts'
import { wilsonInterval } from '../interval.ts'
import { isDecided, mixtureRatioNats, sequentialInterval, trialsWanted } from './sign-test.ts'
import { errorRate } from './trials-wanted.ts'

/** How many of `walks` of fair or unfair trials are ever decided, looked at after each of `length`. */
function everDecided(walks: number, length: number, p: number, decides: (wins: number, losses: number) => boolean) {
  let decided = 0
  for (let walk = 0; walk < walks; walk++) {
    const stream = random(walk, 77)
    let wins = 0
    for (let n = 1; n <= length; n++) {
      wins += stream.uniform() < p ? 1 : 0
      if (!decides(wins, n - wins)) continue
      decided++
      break
    }
  }
  return decided / walks
}

describe('the sign test that is looked at after every trial', () => {
  it('is by hand 2ⁿ w! l!/(n+1)!, and decided by eight wins of eight', () => {
    assert.ok(Math.abs(Math.exp(mixtureRatioNats(3, 2)) - (32 * 6 * 2) / 720) < 1e-9)
    assert.ok(Math.abs(Math.exp(mixtureRatioNats(8, 0)) - 256 / 9) < 1e-9)
    assert.deepEqual([isDecided(0, 0), isDecided(7, 0), isDecided(8, 0), isDecided(0, 8)], [false, false, true, true])
    // A mean over all outcomes of n fair trials: 1.
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)
    const mean = Array.from({ length: 11 }, (_, w) => (choose(10, w) / 2 ** 10) * Math.exp(mixtureRatioNats(w, 10 - w)))
    assert.ok(Math.abs(mean.reduce((sum, one) => sum + one, 0) - 1) < 1e-9)
  })

  it('calls two equal sides different in at most one of twenty long looks, where an interval of one look errs far more often', () => {
    const equal = everDecided(1000, 300, 0.5, isDecided)
    assert.ok(equal <= errorRate, `${equal}`)
    const looked = everDecided(200, 300, 0.5, (wins, losses) => {
      const { low, high } = wilsonInterval(wins / (wins + losses), wins + losses)
      return wins + losses >= 5 && (low > 0.5 || high < 0.5)
    })
    assert.ok(looked > 4 * errorRate, `${looked}`)
    assert.ok(everDecided(200, 300, 0.7, isDecided) > 0.99)
  })

  it('has an interval that excludes one half exactly where it is decided', () => {
    for (let wins = 0; wins <= 30; wins += 3) {
      for (let losses = 0; losses <= 30; losses += 2) {
        const { low, high } = sequentialInterval(wins, losses)
        assert.ok(low >= 0 && high <= 1)
        if (wins + losses > 0) assert.ok(low <= wins / (wins + losses) && wins / (wins + losses) <= high)
        assert.equal(low > 0.5 || high < 0.5, isDecided(wins, losses), `${wins} ${losses}`)
      }
    }
    // (n+1) pⁿ = α at the lower end where all was won.
    assert.ok(Math.abs(9 * sequentialInterval(8, 0).low ** 8 - errorRate) < 1e-9)
  })

  it('says how many more trials are wanted', () => {
    assert.deepEqual(trialsWanted(8, 0, 40), null)
    assert.deepEqual(trialsWanted(0, 0, 0), { least: 8, about: null })
    assert.deepEqual(trialsWanted(6, 9, 33)?.about, null)
    const { least, about } = trialsWanted(14, 6, 0)!
    assert.ok(isDecided(14 + least, 6) && !isDecided(13 + least, 6))
    assert.ok(about! > least && about! < 60, `${about}`)
    // Half of them ties: twice as many.
    const tied = trialsWanted(14, 6, 20)!.about!
    assert.ok(Math.abs(tied / about! - 2) < 0.15, `${tied}`)
  })
})
