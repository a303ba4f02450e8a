import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from '../../random.ts'
import { departure, fallOf, rareBound, spreadOf, type ByPrompt } from './spread.ts'

describe('a departure', () => {
  it('is the difference of means over its standard error, with the deviation between images of one prompt', () => {
    const base = spreadOf([[1, 3], [11, 13]], 0) // prettier-ignore
    assert.deepEqual(base, { means: [2, 12], deviation: Math.SQRT2, count: 4, freedom: 2 })
    assert.ok(Math.abs(departure(base, [[4], [14]]) - 2 / (Math.SQRT2 * Math.sqrt(1 / 2 + 1 / 4))) < 1e-12)
  })

  it('counts in what a statistic resolves where the images of the base are all alike', () => {
    const base = spreadOf([[0, 0, 0, 0]], 0.02)
    assert.ok(departure(base, [[0.01, 0.01]]) < 1)
  })

  it('of images of the base is beyond the bound in fewer runs than the chance, with heavy tails too', () => {
    const stream = random(12)
    const normal = () => Math.sqrt(-2 * Math.log(1 - stream.uniform())) * Math.cos(2 * Math.PI * stream.uniform())
    const draws = { normal, lognormal: () => Math.exp(normal()), rare: () => (stream.uniform() < 0.1 ? 1 : 0) }
    for (const [name, draw] of Object.entries(draws)) {
      const images = (count: number): ByPrompt => Array.from({ length: 16 }, () => Array.from({ length: count }, draw))
      const runs = 2000
      let [beyond, far] = [0, 0]
      for (let run = 0; run < runs; run++) {
        const base = spreadOf(images(4), 0)
        const z = Math.abs(departure(base, images(2)))
        if (z > rareBound(0.025, base.freedom)) beyond++
        // About what alarms ask for: half a per cent shared by 15 sides and 4 looks.
        if (z > rareBound(0.005 / 60, base.freedom)) far++
      }
      assert.ok(beyond <= 0.05 * runs, `${name}: ${beyond} of ${runs}`)
      // Eight statistics of which each is beyond so seldom are fewer than 1 % of the runs.
      assert.ok(far <= runs / 800, `${name}: ${far} of ${runs}`)
    }
  })
})

describe('a rare bound', () => {
  // Upper quantiles of Student's t, by numerical integration of its density.
  for (const [chance, freedom, quantile] of [
    [0.025, 48, 2.0106],
    [1e-4, 48, 4.0272],
    [3e-5, 24, 4.8553],
    [1e-5, 8, 8.907],
  ]) {
    it(`of ${chance} at ${freedom} degrees of freedom is above the quantile, and not far`, () => {
      const bound = rareBound(chance, freedom)
      assert.ok(bound > quantile && bound < 1.4 * quantile, `${bound}`)
    })
  }
})

describe('a fall', () => {
  it('is nothing where nothing changed, and counts in errors of the difference of the same images', () => {
    assert.deepEqual(fallOf([[1, 2]], [[1, 2]]), { by: 0, errors: 0 })
    assert.equal(fallOf([[3, 4]], [[1, 2]]).errors, Infinity)
    assert.deepEqual(fallOf([[3, 5]], [[1, 1]]), { by: 3, errors: 3 })
  })
})
